import { engineObjects, droppedOf, Inherited, inheritedFiles, walGenerations } from "./comparison";
import { filesWithContent, filesWithoutContent, isWithoutContent, plainName } from "./inventory";
import { stripOtherLabels } from "./podKeeper";
import { Ports, StoredObject } from "./ports";
import { reviveManifests, reviveWal } from "./revive";
import { PromotionStep } from "./steps";
import { OwnerRecord, VolumeRecord } from "./view";

/** What the steps of one promotion tell each other, and what they need of the node. */
export interface PromotionContext {
  ports: Ports;
  pod: string;
  identity: string;
  databaseId: string;
  epoch: number;
  /** Of the engine. */
  version?: string;
  syncIntervalMilliseconds: number;
  /** Started on the last primary's volume. */
  onKeptVolume: boolean;
  /** Followed the last primary, as opposed to having started empty after it. */
  following: boolean;
  /** So long ago at least the last primary lost its right to write. */
  silentMilliseconds: number;
  /** This node could not reach the bucket a while ago: for so long a poll that began then may hang still. */
  pollMayHangMilliseconds: number;
  /** Whether this node has followed that heartbeat since it started. */
  hasFollowed: (beat: { epoch: number; beat: number }) => boolean;
  /** Whether the trial write of a promotion came after heartbeats that this node has not followed. */
  hasSkippedTo: (trialWrite: { epoch: number; beat: number }) => boolean;
  /** The last heartbeat that this node has followed of a primary that was open. */
  lastServedBeat: () => number | undefined;
  /** Heartbeats go on from here. */
  continueBeats: (beat: number) => void;
  volume: VolumeRecord;
  owner: { record: OwnerRecord; etag: string } | undefined;
  engineEpochBefore?: number;
  engineEpoch?: number;
  generationBefore?: number;
  /** The engine's objects in the bucket, as they were when the last primary's last writes were waited for. */
  stored?: StoredObject[];
  inherited?: Inherited;
  /** How far this node had followed a primary that was lost. */
  sequence?: number;
  /** A person has given up what is missing. */
  lossAccepted: boolean;
  /** Empty files that the last primary did not have. */
  ghosts: ReadonlySet<string>;
  /** Files that this node lacked in its last promotion that failed for it. */
  lackedBefore?: string[];
  onLacking: (files: string[]) => void;
  /** What the engine read when it opened is not what the bucket says. */
  mustRestart?: boolean;
  /** Called with what was written to the volume and to the bucket. */
  onVolume(record: VolumeRecord): void;
  onOwner(owner: { record: OwnerRecord; etag: string }): void;
  /** Called with what this node has of others after the promotion, before anything was flushed. */
  onInherited: (inherited: Inherited) => void;
}

/** One call to the API server, the bucket or the engine may take this long within a promotion. Milliseconds. */
const callTimeout = 1500;
/** A promotion replays the WAL; it took 0.07 to 0.5 s where it was measured. Milliseconds. */
const promoteTimeout = 10_000;
/** The WAL's generation is looked at this often and this long after a flush. Milliseconds. */
const generationPollEvery = 50;
const generationPollFor = 3000;
/** A node that did not follow needs a longer look at the bucket: after one second of following it had everything where it was measured. Milliseconds. */
const freshSettle = 2000;
const longestSettle = 5000;
/** A poll may take so many times what the round trips that were measured make of it. */
const pollAllowance = 1.5;
/** For so long a candidate waits for the last heartbeat of a primary that left in order. Milliseconds. */
const lastBeatTimeout = 3000;

/** Carries out one step. @throws with the reason when the promotion must end here. */
export async function promotionStep(step: PromotionStep, context: PromotionContext): Promise<void> {
  await steps[step](context);
}

/** The last primary has said what its last heartbeat was: no guess is needed of how long to wait for it. Answers whether it came. */
async function followLastBeat(context: PromotionContext, last: { epoch: number; beat: number }): Promise<boolean> {
  const { ports, syncIntervalMilliseconds } = context;
  const { clock, engine } = ports;
  const until = clock.now() + lastBeatTimeout;
  for (;;) {
    const seen = await engine.readHeartbeat(callTimeout);
    if (!seen) throw new Error("the replica lost sight of the tables that it followed");
    if (seen.epoch === last.epoch && seen.beat >= last.beat) break;
    if (seen.epoch > last.epoch) {
      // A promotion that died has written over it.
      if (context.hasFollowed(last)) return true;
      context.mustRestart = true;
      throw new Error("this node may lack what came before the trial write of a promotion that died");
    }
    if (clock.now() > until) return false;
    await clock.sleep(syncIntervalMilliseconds / 2);
  }
  // It was read in the middle of a poll, perhaps: two more have read all that was sent with it.
  await clock.sleep(2 * syncIntervalMilliseconds);
  return true;
}

/** @throws when this node's engine has read the trial write of a promotion that died, and not all that came before it: it takes that for older by now, however often it is sent */
async function refuseSkipped(context: PromotionContext): Promise<void> {
  if (!context.following || context.lossAccepted) return;
  const seen = await context.ports.engine.readHeartbeat(callTimeout);
  if (!seen || !context.hasSkippedTo(seen)) return;
  context.mustRestart = true;
  throw new Error("this node lacks heartbeats that came before the trial write of a promotion that died");
}

/** @throws when the engine has taken an object that it did not get for an empty file: its rows would be gone */
async function refuseEmptyFiles(context: PromotionContext): Promise<void> {
  const stored =
    context.stored &&
    new Set(context.stored.filter(({ size }) => !isWithoutContent(size)).map(({ key }) => plainName(key)));
  // What the bucket does not have either was merged away before the engine looked, and is forgotten with the next manifest.
  const isLost = (name: string) =>
    !context.ghosts.has(name) && (stored ? stored.has(plainName(name)) : name.endsWith(".klog"));
  const empty = filesWithoutContent(await context.ports.volume.sstableFiles())
    .filter(isLost)
    .sort();
  refuseLacking(context, empty, `${empty[0]} was not in the bucket when the engine looked for it`);
}

/**
 * Ends a promotion for files that this node lacks. What it still lacks after opening the bucket again belongs to no table.
 * @throws with `why`
 */
function refuseLacking(context: PromotionContext, files: string[], why: string): void {
  if (files.length === 0 || context.lossAccepted || files.join() === context.lackedBefore?.join()) return;
  context.mustRestart = true;
  context.onLacking(files);
  throw new Error(why);
}

/**
 * A node that has not followed knows only what it loaded when it opened the bucket: of tables that it discovered later it has no files.
 * @throws when files of the bucket are not here
 */
function refuseUnloaded(context: PromotionContext, objects: StoredObject[], files: string[]): void {
  const local = new Set(files.map(plainName));
  const stored = filesWithContent(objects.map(({ key, size }) => ({ name: key, size }))).map(plainName);
  const lacking = stored.filter(name => !local.has(name)).sort();
  const why = `${lacking.length} files of the bucket were not loaded when this node opened it, ${lacking[0]} first`;
  refuseLacking(context, lacking, why);
}

/** @throws after manifests were revived: this node has passed them over, and has to open the bucket again */
async function refuseStaleManifests(context: PromotionContext, objects: StoredObject[]): Promise<void> {
  const revived = await reviveManifests(context.ports, objects);
  context.mustRestart = revived > 0;
  if (revived > 0) throw new Error(`${revived} tables were passed over when this node opened the bucket`);
}

const steps: Record<PromotionStep, (context: PromotionContext) => Promise<void>> = {
  async stripOtherLabels({ ports, pod }) {
    await stripOtherLabels(ports.kubernetes, pod, callTimeout);
  },

  async settle(context) {
    const { clock, store, engine, log } = context.ports;
    const interval = context.syncIntervalMilliseconds;
    // The volume has it all; one poll, for what a promotion that failed elsewhere has left in the bucket.
    if (context.onKeptVolume || context.owner?.record.epoch === 0) return clock.sleep(interval);
    const asked = clock.now();
    const last = (await store.readOwner(callTimeout))?.record;
    const answered = clock.now();
    const objects = await engineObjects(store, callTimeout);
    const listing = clock.now() - answered;
    context.stored = objects;
    const lastBeat = context.following ? last?.lastBeat : undefined;
    const [isThere, wasRevived] = await Promise.all([
      lastBeat && followLastBeat(context, lastBeat),
      reviveWal(context.ports, objects),
    ]);
    await refuseSkipped(context);
    if (isThere) return refuseEmptyFiles(context);
    if (lastBeat) log("warning", "the last primary's last heartbeat was not seen", lastBeat);
    if (!context.following) await refuseStaleManifests(context, objects);
    const walObjects = walGenerations(objects.map(({ key }) => key)).length;
    // A poll lists the bucket and reads every WAL object, one after another.
    const cycle = interval + pollAllowance * (listing + (answered - asked) * (walObjects + 1));
    // The poll that was under way at the last write may have missed it, the next one has not. Of that time some has passed already.
    const passed = wasRevived || context.pollMayHangMilliseconds > 0 ? 0 : context.silentMilliseconds;
    const window = context.following
      ? Math.max(2 * interval, 2 * cycle - passed) + context.pollMayHangMilliseconds
      : Math.max(freshSettle, 4 * cycle);
    const until = clock.now() + 2 * (longestSettle + context.pollMayHangMilliseconds);
    let before = await engine.readHeartbeat(callTimeout);
    if (context.following && !before) throw new Error("the replica lost sight of the tables that it followed");
    for (;;) {
      await clock.sleep(Math.min(longestSettle + context.pollMayHangMilliseconds, window));
      const after = await engine.readHeartbeat(callTimeout);
      await refuseSkipped(context);
      if (after?.beat === before?.beat && after?.epoch === before?.epoch) break;
      if (clock.now() > until) throw new Error("the replica still follows a writer after its lease was taken");
      before = after;
    }
    if (!context.following)
      refuseUnloaded(context, objects, filesWithContent(await context.ports.volume.sstableFiles()));
    await refuseEmptyFiles(context);
    if (context.following) context.sequence = await engine.sequence();
  },

  async raiseOwner(context) {
    const { ports, epoch } = context;
    const current = await ports.store.readOwner(callTimeout);
    if (!current) throw new Error("owner.json is gone from the bucket");
    if (current.record.databaseId !== context.databaseId) throw new Error("the bucket belongs to another database");
    const mine = current.record.volumeId === context.volume.volumeId;
    if (current.record.epoch > epoch || (current.record.epoch === epoch && !mine)) {
      context.onOwner(current);
      throw new Error(`the bucket records epoch ${current.record.epoch}, this node holds ${epoch}`);
    }
    if (context.onKeptVolume) {
      const record = { ...context.volume, raising: epoch };
      await ports.volume.write(record);
      context.onVolume(record);
    }
    const record: OwnerRecord = {
      databaseId: context.databaseId,
      epoch,
      holder: context.identity,
      volumeId: context.volume.volumeId,
      ...(context.version && { engineVersion: context.version }),
      // Still true: nothing is acknowledged before the step that opens this node.
      clean: current.record.clean,
      ...(current.record.lastBeat && { lastBeat: current.record.lastBeat }),
    };
    context.owner = { record, etag: await ports.store.writeOwner(record, current.etag, callTimeout) };
    context.onOwner(context.owner);
  },

  async noteEngineEpoch(context) {
    context.engineEpochBefore = await context.ports.store.readEngineEpoch(callTimeout);
  },

  async promote(context) {
    const { ports, onInherited } = context;
    // The first write of a replica that has followed for long may move the WAL by itself: its memtable was never flushed.
    context.generationBefore = await ports.engine.walGeneration();
    await ports.engine.promote(promoteTimeout);
    await refuseEmptyFiles(context);
    const { onKeptVolume, stored = [], volume } = context;
    context.inherited = onKeptVolume
      ? droppedOf(new Map(Object.entries(volume.inherited ?? {})))
      : inheritedFiles(await ports.volume.list(), stored, await ports.engine.tables(callTimeout));
    onInherited(context.inherited);
  },

  async trialWrite({ ports, epoch, lastServedBeat, continueBeats }) {
    const { engine } = ports;
    // The number after the last heartbeat that this node had followed: who reads it without having followed that one lacks what came with it.
    const beat = (lastServedBeat() ?? (await engine.readHeartbeat(callTimeout))?.beat ?? 0) + 1;
    continueBeats(beat);
    await engine.writeHeartbeat({ epoch, beat, generation: await engine.walGeneration() }, promoteTimeout);
  },

  async checkEngineEpoch(context) {
    const before = context.engineEpochBefore ?? 0;
    const after = await context.ports.store.readEngineEpoch(callTimeout);
    if (after <= before)
      throw new Error(`the engine's epoch in the bucket did not grow: ${before} before, ${after} after`);
    context.engineEpoch = after;
  },

  async flush(context) {
    const { engine, clock, volume } = context.ports;
    const before = context.generationBefore ?? 0;
    await engine.flush(promoteTimeout);
    const until = clock.now() + generationPollFor;
    let after = await engine.walGeneration();
    while (after <= before) {
      if (clock.now() > until) throw new Error(`the WAL stayed at generation ${before} after a flush`);
      await clock.sleep(generationPollEvery);
      after = await engine.walGeneration();
    }
    await volume.forgetKept();
  },

  async recordEpoch(context) {
    const record: VolumeRecord = {
      volumeId: context.volume.volumeId,
      epoch: context.epoch,
      inherited: Object.fromEntries(context.inherited ?? []),
    };
    await context.ports.volume.write(record);
    context.onVolume(record);
  },

  async markOpen(context) {
    if (!context.owner?.record.clean && !context.owner?.record.lastBeat) return;
    const record: OwnerRecord = { ...context.owner.record, clean: false };
    delete record.lastBeat;
    const etag = await context.ports.store.writeOwner(record, context.owner.etag, callTimeout);
    context.owner = { record, etag };
    context.onOwner(context.owner);
  },

  async openForWrites({ ports }) {
    await ports.engine.setReadOnly(false, callTimeout);
  },
};
