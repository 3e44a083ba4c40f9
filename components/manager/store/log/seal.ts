import { Bucket, StoreClock } from "../bucket/bucket";
import { settle, WriterClosed } from "./append";
import { decodeEntry, encodeEntry, SealEntry } from "./entry";
import { entryKey } from "./keys";
import { layoutVersion, LogOwner, OwnerObject, readOwner, writeOwner } from "./owner";
import { LogReader } from "./tail";

/** Milliseconds that one attempt may take. */
const attemptTimeout = 2000;
const pause = 50;

/** Entries of the epoch that is to be sealed which were pushed before they were durable, by position. */
export type PushedEntries = ReadonlyMap<number, Buffer>;

export interface Election {
  /** The epoch that this candidate alone appends to. */
  epoch: number;
  /** Of its first entry. */
  position: number;
}

/**
 * Puts a seal at the end of the log: the author of the seal that stands there is the writer of the next epoch. Entries that were pushed to this node before their writer was lost are appended first, with the bytes and
 * numbers that it gave them.
 *
 * What stands at the number already is read and applied, and the next one is tried; a seal of somebody else's ends it, unless `insist`: then that epoch is sealed in turn.
 * @returns undefined when somebody else was elected
 * @throws UnreadableEntry; BehindHorizon: the reader must restart from a checkpoint; WriterClosed: `mayGoOn` says no. A seal that is on its way then may stand later, and elects nobody who acts on it
 */
export async function seal(
  bucket: Bucket,
  clock: StoreClock,
  reader: LogReader,
  {
    nonce,
    author,
    cluster,
    pushed = new Map<number, Buffer>(),
    insist = false,
    mayGoOn = () => true,
    appendMore = () => Promise.resolve(false),
  }: {
    nonce: string;
    author: string;
    cluster?: string;
    pushed?: PushedEntries;
    insist?: boolean;
    /** Asked before each attempt. */
    mayGoOn?: () => boolean;
    /** Appends what else is known of the epoch that is to be sealed, when the reader has read to its end. @returns whether it has tried to: then the log is read on */
    appendMore?: () => Promise<boolean>;
  },
): Promise<Election | undefined> {
  const from = reader.state.epoch;
  let isKept = false;
  for (;;) {
    if (!mayGoOn()) throw new WriterClosed();
    await reader.catchUp();
    const { epoch, position: last, time } = reader.state;
    if (epoch !== from && !insist) return undefined;
    const position = last + 1;
    const early = epoch === from ? pushed.get(position) : undefined;
    // What was pushed in an epoch before this one has the number of another entry.
    if (early && isEntry(early, epoch, position)) {
      // Where an entry was deleted nothing is the end of the log. Every further one stands behind what was there to be read.
      if (!isKept) await reader.assertKept();
      isKept = true;
      if ((await settle(bucket, entryKey(epoch, position), early, attemptTimeout)) === "unknown")
        await clock.sleep(pause);
      continue;
    }
    if (epoch === from && (await appendMore())) continue;
    const entry: SealEntry = {
      kind: "seal",
      epoch,
      position,
      nonce,
      time: Math.max(time, clock.wall()),
      nextEpoch: epoch + 1,
      author,
      ...(cluster !== undefined && { cluster }),
    };
    const bytes = encodeEntry(entry);
    let outcome = await settle(bucket, entryKey(epoch, position), bytes, attemptTimeout);
    while (outcome === "unknown") {
      await clock.sleep(pause);
      if (!mayGoOn()) throw new WriterClosed();
      outcome = await settle(bucket, entryKey(epoch, position), bytes, attemptTimeout);
    }
    if (outcome === "another's") continue;
    // Applies it, and looks at the horizon after it was put: a number whose entry was deleted is no end of the log.
    await reader.next(bytes);
    return { epoch: epoch + 1, position: position + 1 };
  }
}

function isEntry(bytes: Buffer, epoch: number, position: number): boolean {
  try {
    decodeEntry(entryKey(epoch, position), bytes, epoch, position);
    return true;
  } catch {
    return false;
  }
}

/**
 * Makes the log of a new database: its owner's record, and the first seal. Of two who try one wins, and both read the same log afterwards.
 * @throws ForeignPrefix when something else is there, or another database
 */
export async function createLog(bucket: Bucket, databaseId: string, author: string, clock: StoreClock): Promise<void> {
  const owner: LogOwner = {
    layout: layoutVersion,
    databaseId,
    epoch: 0,
    sealedAt: 0,
    checkpoints: [],
    history: [],
    horizon: 0,
  };
  if (!(await readOwner(bucket, attemptTimeout))) await writeOwner(bucket, owner, undefined, attemptTimeout);
  const genesis: SealEntry = {
    kind: "seal",
    epoch: 0,
    position: 0,
    nonce: databaseId,
    time: clock.wall(),
    nextEpoch: 1,
    author,
  };
  await settle(bucket, entryKey(0, 0), encodeEntry(genesis), attemptTimeout);
}

/** Lets the owner's record follow a seal. Best effort: it is a hint, and a stale one costs a reader time only. */
export async function followSeal(bucket: Bucket, { epoch, position }: Election): Promise<void> {
  await changeOwner(bucket, owner =>
    owner.owner.epoch >= epoch ? undefined : { ...owner.owner, epoch, sealedAt: position - 1 },
  );
}

/**
 * Changes the owner's record on its present content.
 * @returns whether the change is in place; false: another manager was faster three times
 */
export async function changeOwner(
  bucket: Bucket,
  change: (owner: OwnerObject) => LogOwner | undefined,
): Promise<boolean> {
  for (let attempt = 0; attempt < 3; attempt++) {
    const present = await readOwner(bucket, attemptTimeout);
    const next = present && change(present);
    if (!next) return true;
    if ((await writeOwner(bucket, next, present.etag, attemptTimeout)) !== undefined) return true;
  }
  return false;
}
