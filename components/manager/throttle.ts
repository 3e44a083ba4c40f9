/** What a primary sees of its writers' pace, since it last looked. */
export interface Pace {
  /** Generations by which the WAL has moved in the last {@link paceWindowMilliseconds}. */
  rotations: number;
  /** Age of the oldest write that is not known to be in the bucket. Milliseconds. */
  unconfirmed: number;
  /** The bucket answers: holding writers back helps only then. */
  bucketAnswers: boolean;
}

/** Milliseconds. */
export const paceWindowMilliseconds = 2000;
/** A follower that may have missed a generation between two heartbeats has to be wiped: the WAL may move so often in the window. */
const mostRotations = 2;
const stepUp = 0.2;
const stepDown = 0.05;
const longestHold = 0.8;

/**
 * The share of the next second for which commits are held back, from the share of the last one. It rises fast and falls slowly, so that writers get as much as the bucket and the followers can take.
 * Commits wait meanwhile and none fails.
 * @param maxDataLossMilliseconds at half of it writers are held back, so that it is not reached
 */
export function nextHold(hold: number, pace: Pace, maxDataLossMilliseconds: number): number {
  const tooFast = pace.rotations > mostRotations || pace.unconfirmed > maxDataLossMilliseconds / 2;
  if (tooFast && pace.bucketAnswers) return Math.min(longestHold, round(hold + stepUp));
  return Math.max(0, round(hold - stepDown));
}

function round(share: number): number {
  return Math.round(share * 100) / 100;
}
