import { Bucket } from "./bucket/bucket";
import { LogOwner, readOwner } from "./log/owner";
import { describeHistory, openPast } from "./log/past";

/** A position, and when it was written. ISO 8601. */
export interface KeptPosition {
  position: number;
  time: string;
}

/** What a database can be restored to. */
export interface KeptHistory {
  databaseId: string;
  /** Every position from the first to the last of these. */
  every: { from: KeptPosition; until: KeptPosition };
  /** Single ones before that, oldest first. */
  daily: KeptPosition[];
  /** Where it was itself restored from. */
  restored?: LogOwner["restored"];
}

/**
 * Reads what is kept: the owner's record, and the log from the newest checkpoint to its end.
 * @param scratch a file that a checkpoint is fetched into; gone afterwards
 * @throws ForeignPrefix, UnreadableEntry
 */
export async function readHistory(bucket: Bucket, scratch: string): Promise<KeptHistory> {
  const { owner, state } = await openPast(bucket, "latest", scratch);
  // Its writer goes on: what is kept by now is what counts.
  const { every, daily } = describeHistory((await readOwner(bucket, 5000))?.owner ?? owner);
  const first = every ?? { position: 0, time: (await openPast(bucket, { position: 0 }, scratch)).state.time };
  return {
    databaseId: owner.databaseId,
    every: { from: kept(first), until: kept(state) },
    daily: daily.map(kept),
    ...(owner.restored && { restored: owner.restored }),
  };
}

function kept({ position, time }: { position: number; time: number }): KeptPosition {
  return { position, time: new Date(time).toISOString() };
}
