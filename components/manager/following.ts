import { Heartbeat } from "./ports";
import { Following } from "./view";

/** What a replica remembers of how it followed since its last start. */
export interface FollowState {
  following: Following;
  last?: Heartbeat;
}

export const notFollowing: FollowState = { following: "joining" };

/** A promotion moves the WAL by one generation, and the dead primary may have moved it by one after its last heartbeat. */
const mostGenerationsAcrossPromotion = 2;
const mostGenerationsBetweenHeartbeats = 1;
/** A primary whose WAL moves by one generation in this time is followed well: a node that looked late has one more to allow for. Milliseconds. */
const generationLasts = 1500;

/** The replica has seen the marker that the primary wrote behind a flush for it: from now on it lacks nothing. */
export function joined(last: Heartbeat | undefined): FollowState {
  return { following: "following", last };
}

/**
 * A heartbeat was read on the replica, so long after the one before. When the primary's WAL moved on by more generations than can have been seen one by one, older row versions may stay in the
 * replica's memtable indefinitely: it must not serve or be promoted until it was wiped.
 */
export function followed(
  state: FollowState,
  heartbeat: Heartbeat | undefined,
  elapsedMilliseconds: number,
): FollowState {
  if (state.following !== "following" || !state.last) return heartbeat ? { ...state, last: heartbeat } : state;
  // A row that was there is gone: the engine has lost sight of its tables.
  if (!heartbeat) return { ...state, following: "missed" };
  const sameEpoch = heartbeat.epoch === state.last.epoch;
  const atOnce = sameEpoch ? mostGenerationsBetweenHeartbeats : mostGenerationsAcrossPromotion;
  const allowed = atOnce + Math.floor(elapsedMilliseconds / generationLasts);
  const missed = heartbeat.generation - state.last.generation > allowed;
  return { following: missed ? "missed" : "following", last: heartbeat };
}
