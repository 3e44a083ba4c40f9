/**
 * The order of a promotion (rule 4). Each step is carried out on its own, between two looks at the Lease; one that fails ends the promotion.
 * Moving a step changes what a crash leaves behind: docs/failover.md argues for each place.
 */
export const promotionSteps = [
  /** No other pod may receive writes under this name any more. */
  "stripOtherLabels",
  /** The last poll before the primary's death may have missed its last WAL. */
  "settle",
  /** Proves that the bucket answers and accepts conditional writes, and tells a primary elsewhere to stop. */
  "raiseOwner",
  "noteEngineEpoch",
  "promote",
  /** With an unreachable bucket the engine promotes itself without its fencing; its epoch in the bucket does not grow then. Such an engine must not write: its row would hide older ones from readers. */
  "checkEngineEpoch",
  /** The engine says OK even when it did not promote. */
  "trialWrite",
  /** Moves the WAL to a new generation: whatever a frozen old primary still uploads goes under another key. */
  "flush",
  "recordEpoch",
  /** From now on there may be writes that only this volume holds. */
  "markOpen",
  "openForWrites",
] as const;

export type PromotionStep = (typeof promotionSteps)[number];

/** Leaving in order (rule 5): nothing acknowledged may exist only here when the Lease is given back. */
export const handoverSteps = [
  /** While writes go on: what is flushed and followed now need not be waited for when they have stopped. */
  "flushAhead",
  "stripOwnLabel",
  "setReadOnly",
  "endSessions",
  /** What the successor leaves half flushed, should it die, must not be all that there is. */
  "flush",
  /** The successor knows by it when it has followed everything. */
  "lastBeat",
  /** Against a listing of the bucket: the engine's own counters do not count uploads that it has parked. */
  "waitUntilUploaded",
  /** Nothing is left to flush but that heartbeat: a clean stop would be waited for in vain. */
  "killEngine",
  /** The engine deletes a WAL's file only where it has sent it itself; what is left of an older one would put old versions of rows over newer ones, should this very node be the next primary. */
  "dropFlushedWals",
  /** Replicas that start put old manifests over newer ones, and replicas that follow those delete files from the bucket. */
  "compareAgain",
  "markClean",
  "release",
] as const;

/**
 * Leaving when the pod is gone for the API server already, so that it is killed within two seconds. There is no time for a flush or for the engine's own uploads: what the volume holds is sent as it is, and
 * a follower replays it.
 */
export const hurriedSteps = [
  "stripOwnLabel",
  /** Without it the successor has to guess how long to wait, so it is tried for a moment. */
  "closeInHurry",
  "killEngine",
  "compareAgain",
  /** Not `markClean`: a memtable that is half flushed is read in full only by who has followed. */
  "noteLastBeat",
  "release",
] as const;

/** Leaving when only this node cannot reach the bucket: a peer takes there what the volume holds. */
export const detourSteps = [
  "stripOwnLabel",
  /** Not asked to become read-only: it would wait for commits, and those for the bucket. Whatever it still wanted to send, it could not; from now on the volume does not change. */
  "killEngine",
  "sendThroughPeer",
  "release",
] as const;

/** Leaving when the engine has died on the way: the manager sends what that had not, and the volume need not come back. */
export const salvageSteps = ["sendEverything", "compareAgain", "release"] as const;

export type HandoverStep =
  | (typeof handoverSteps)[number]
  | (typeof hurriedSteps)[number]
  | (typeof detourSteps)[number]
  | (typeof salvageSteps)[number];
