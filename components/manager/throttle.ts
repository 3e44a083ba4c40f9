/** What a primary sees of its writers' pace, since it last looked. */
export interface Pace {
  /** Generations by which the WAL has moved in the last {@link paceWindowMilliseconds}. */
  rotations: number;
  /** Age of the oldest write that is not known to be in the bucket. Milliseconds. */
  unconfirmed: number;
  /** The bucket answers: holding writers back helps only then. */
  bucketAnswers: boolean;
  /** How long the bucket takes for the smallest request. Milliseconds. */
  roundTrip: number;
}

/** A look at the pace, and a hold of commits, lasts so long at least. Milliseconds. */
const leastPace = 600;
/** An upload is a PUT and a HEAD, and the next must not begin before both have been answered. */
const roundTripsOfUpload = 2.5;
/** Uploads of a bucket that answers faster than this do not overlap. Milliseconds. */
const slowRoundTrip = 90;
/** Behind by more than this, a slow bucket has several uploads before it. Milliseconds. */
const backlog = 1000;
const backlogRounds = 2.5;

/**
 * A slow bucket gets one upload of the WAL at a time: the engine sends the whole of it ten times a second while it grows, takes uploads that overlap for failed, and sends them again, older over newer.
 */
function overlaps({ roundTrip, bucketAnswers }: Pace): boolean {
  return bucketAnswers && roundTrip >= slowRoundTrip;
}

/** For how long commits are held, and for how long they are let through after that. What waits is let through at the end of each hold, all at once. Milliseconds. */
export function slicesOf(hold: number, pace: Pace): { held: number; open: number } {
  const period = Math.max(leastPace, roundTripsOfUpload * pace.roundTrip);
  if (!overlaps(pace)) return { held: hold * period, open: (1 - hold) * period };
  return { held: pace.unconfirmed > backlog ? backlogRounds * period : period, open: 0 };
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
  if (overlaps(pace)) return 1;
  const tooFast = pace.rotations > mostRotations || pace.unconfirmed > maxDataLossMilliseconds / 2;
  if (tooFast && pace.bucketAnswers) return Math.min(longestHold, round(hold + stepUp));
  return Math.max(0, round(Math.min(hold, longestHold) - stepDown));
}

function round(share: number): number {
  return Math.round(share * 100) / 100;
}
