import { Moment } from "../../../core/moment";
import { Bucket } from "../bucket/bucket";
import { readCheckpoint } from "./checkpoint";
import { Entry } from "./entry";
import { CheckpointPointer, ForeignPrefix, LogOwner, readOwner } from "./owner";
import { DatabaseState } from "./state";
import { LogReader } from "./tail";

/** Milliseconds that a small read may take. */
const readTimeout = 5000;

/** That moment is not in the history. */
export class NotKept extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = "NotKept";
  }
}

/**
 * The database at a moment of the past: read from the checkpoint before it on.
 * @param scratch a file that a checkpoint is fetched into; gone afterwards
 * @param now wall clock, milliseconds since 1970
 * @throws NotKept, which names what is kept; ForeignPrefix, UnreadableEntry
 */
export async function openPast(
  bucket: Bucket,
  moment: Moment,
  scratch: string,
  now = Date.now(),
): Promise<{ owner: LogOwner; state: DatabaseState }> {
  const owner = (await readOwner(bucket, readTimeout))?.owner;
  if (!owner) throw new ForeignPrefix("there is no log under this prefix");
  const begin = beginning(owner, moment, now);
  const state = begin ? await readCheckpoint(bucket, begin, scratch) : new DatabaseState();
  const reader = new LogReader(bucket, state);
  const isWanted = (entry: Entry) =>
    moment === "latest" || ("position" in moment ? entry.position <= moment.position : entry.time <= moment.time);
  // A daily checkpoint stands alone: what follows it is deleted.
  if (!begin || begin.position >= owner.horizon) while (await reader.next(undefined, isWanted));
  if (moment !== "latest" && "position" in moment && state.position !== moment.position)
    throw new NotKept(`position ${moment.position} is not there yet: the log ends at ${state.position}`);
  if (state.position < 0) throw new NotKept(`the database began after that: ${rangeText(owner)}`);
  return { owner, state };
}

/** The checkpoint to begin at; undefined: the first entry of all. */
function beginning(owner: LogOwner, moment: Moment, now: number): CheckpointPointer | undefined {
  const all = [...owner.checkpoints, ...owner.history];
  if (moment === "latest") return all[0];
  if ("time" in moment && moment.time > now) throw new NotKept(`${iso(moment.time)} is in the future`);
  const begin = all.find(({ position, time }) =>
    "position" in moment ? position <= moment.position : time <= moment.time,
  );
  if (begin ? begin.position >= owner.horizon : owner.horizon === 0) return begin;
  const isExact = begin && ("position" in moment ? begin.position === moment.position : begin.time === moment.time);
  if (isExact) return begin;
  const what = "position" in moment ? `position ${moment.position}` : iso(moment.time);
  throw new NotKept(`${what} is not in the history: ${rangeText(owner)}`);
}

/** What is kept, in words. */
function rangeText(owner: LogOwner): string {
  const { every, daily } = describeHistory(owner);
  const range = every ? `every position from ${every.position} (${iso(every.time)}) on is kept` : "all is kept";
  if (daily.length === 0) return range;
  return `${range}, and before that ${daily.map(({ position, time }) => `${position} (${iso(time)})`).join(", ")}`;
}

/** What the owner's record says of the past. */
export interface HistoryDescription {
  /** From here on every position is kept. Absent: from the first one on. */
  every?: { position: number; time: number };
  /** Single positions before that, oldest first. */
  daily: { position: number; time: number }[];
}

/** Pure. */
export function describeHistory({ checkpoints, history, horizon }: LogOwner): HistoryDescription {
  const all = [...checkpoints, ...history].map(({ position, time }) => ({ position, time })).reverse();
  const every = all.find(({ position }) => position >= horizon);
  return {
    ...(horizon > 0 && every && { every }),
    daily: all.filter(({ position }) => position < horizon),
  };
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
