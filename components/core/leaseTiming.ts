import { InputProblem } from "./inputProblem";

/** The two settings of the Lease. Seconds. */
export interface LeaseSettings {
  leaseDurationSeconds: number;
  leaseMarginSeconds: number;
}

/** What they come to. Milliseconds. */
export interface LeaseTiming {
  /** How long a renewal lets its sender write, from the moment that it was sent. */
  right: number;
  /** A Lease of which a node has heard no renewal for so long is free: longer than its holder may write. */
  silence: number;
  /** A primary fences itself this long before its deadline, so that it can refuse writes first, and send what it has acknowledged. */
  fenceAhead: number;
  /** A renewal is sent this often. */
  renewEvery: number;
  /** A renewal that failed is tried again after this. */
  retryRenewal: number;
  /** An answer to a renewal is waited for so long. */
  renewalTimeout: number;
  /** The peers are asked to stand in for the API server so long before the deadline. */
  failsafeAhead: number;
  /** And so often. */
  failsafeEvery: number;
  /** Their answers are waited for so long. */
  confirmTimeout: number;
}

/** Accepted settings. Seconds. */
const [shortestLease, longestLease] = [3, 60];
/** The watchdog may be late by this. Seconds. */
const leastMargin = 0.2;
/** Below it a renewal that the API server does not answer has no second one before the fence. Seconds. */
const leastRight = 2;

const fenceAhead = 600;
/** A renewal, and the next one, may have to wait for the manager's next look at the world: 200 ms each. Milliseconds. */
const looks = 400;
/** Times that suit a lease of 4 s with a margin of 0.5: `span` is what is left of it before the fence. A longer lease gives the API server more attempts; in a shorter one all of them are closer together. Milliseconds. */
const usual = {
  span: 2500,
  renewEvery: 1250,
  retryRenewal: 400,
  renewalTimeout: 1000,
  failsafe: 1400,
  failsafeEvery: 500,
  confirmTimeout: 700,
};

/** Derives all times of the Lease from its settings. A renewal that is not answered has a second one, and the peers are asked, before the fence. */
export function leaseTiming({ leaseDurationSeconds, leaseMarginSeconds }: LeaseSettings): LeaseTiming {
  const right = (leaseDurationSeconds - leaseMarginSeconds) * 1000;
  const share = Math.min(1, (right - fenceAhead - looks) / usual.span);
  return {
    right,
    silence: (leaseDurationSeconds + leaseMarginSeconds) * 1000,
    fenceAhead,
    renewEvery: share * usual.renewEvery,
    retryRenewal: share * usual.retryRenewal,
    renewalTimeout: share * usual.renewalTimeout,
    failsafeAhead: fenceAhead + share * usual.failsafe,
    failsafeEvery: share * usual.failsafeEvery,
    confirmTimeout: share * usual.confirmTimeout,
  };
}

/** Settings with which no primary could keep its Lease, or not for long. */
export function validateLease({ leaseDurationSeconds, leaseMarginSeconds }: LeaseSettings): InputProblem[] {
  if (!(leaseDurationSeconds >= shortestLease && leaseDurationSeconds <= longestLease)) {
    const reason = `is ${leaseDurationSeconds}: write ${shortestLease} to ${longestLease} seconds`;
    return [{ propertyPath: "leaseDurationSeconds", reason }];
  }
  const isHalf = 2 * leaseMarginSeconds >= leaseDurationSeconds;
  if (!(leaseMarginSeconds >= leastMargin) || isHalf || leaseDurationSeconds - leaseMarginSeconds < leastRight) {
    const reason = `is ${leaseMarginSeconds}: write at least ${leastMargin} seconds, less than half of leaseDurationSeconds (${leaseDurationSeconds}), and so little that ${leastRight} seconds of it are left`;
    return [{ propertyPath: "leaseMarginSeconds", reason }];
  }
  return [];
}
