/**
 * The ledger of a client that writes rows of one unique number each: what it sent, what was acknowledged, and when. Times are milliseconds on the client's
 * monotonic clock.
 */
export interface LedgerEntry {
  /** The row's unique number. A write that failed is not tried again: the next one has the next number. */
  id: number;
  sentAtMilliseconds: number;
  /** Undefined: never acknowledged, so the row may or may not be there. */
  acknowledgedAtMilliseconds?: number;
  /** Why the write was not acknowledged. */
  failure?: string;
}

/** A time without an acknowledgement. */
export interface Outage {
  fromMilliseconds: number;
  durationMilliseconds: number;
}

/** What the database holds, compared with what it acknowledged. */
export interface Audit {
  acknowledged: number;
  /** Acknowledged, and not there: lost. */
  lost: number[];
  /** There, and never acknowledged: allowed, since the answer may have been lost; counted apart. */
  presentUnacknowledged: number[];
  /** There more than once. */
  duplicated: number[];
  /** There, and never sent by this client. */
  unknown: number[];
}

/** Of a set of durations, by nearest rank. Milliseconds; all zero when there are none. */
export interface Distribution {
  count: number;
  p50: number;
  p95: number;
  max: number;
}

/**
 * A gap between two acknowledgements counts as an outage from this length on. A client that writes ten times a second has missed five in a row by then; one or
 * two late answers of a busy machine are none. Milliseconds.
 */
export const outageThresholdMilliseconds = 500;

/**
 * The write outages that a client saw: each gap between two acknowledgements that follow each other, the time before the first and after the last one
 * included. A gap holds the normal interval between two writes too, so an outage is overstated by at most that.
 * @param fromMilliseconds when the client started
 * @param untilMilliseconds when it stopped
 */
export function outages(
  entries: LedgerEntry[],
  fromMilliseconds: number,
  untilMilliseconds: number,
  thresholdMilliseconds = outageThresholdMilliseconds,
): Outage[] {
  const acknowledgements = entries
    .map(entry => entry.acknowledgedAtMilliseconds)
    .filter(time => time !== undefined)
    .sort((a, b) => a - b);
  const found: Outage[] = [];
  let previous = fromMilliseconds;
  for (const time of [...acknowledgements, untilMilliseconds]) {
    if (time - previous > thresholdMilliseconds) {
      found.push({ fromMilliseconds: previous, durationMilliseconds: time - previous });
    }
    previous = Math.max(previous, time);
  }
  return found;
}

/**
 * Compares the ledger with the rows that were read back.
 * @param present the numbers of all rows, in any order
 */
export function audit(entries: LedgerEntry[], present: number[]): Audit {
  const times = new Map<number, number>();
  for (const id of present) times.set(id, (times.get(id) ?? 0) + 1);
  const acknowledged = entries.filter(entry => entry.acknowledgedAtMilliseconds !== undefined);
  const sent = new Map(entries.map(entry => [entry.id, entry]));
  const found = [...times.keys()].sort((a, b) => a - b);
  return {
    acknowledged: acknowledged.length,
    lost: acknowledged.map(entry => entry.id).filter(id => !times.has(id)),
    presentUnacknowledged: found.filter(id => sent.has(id) && sent.get(id)?.acknowledgedAtMilliseconds === undefined),
    duplicated: found.filter(id => (times.get(id) ?? 0) > 1),
    unknown: found.filter(id => !sent.has(id)),
  };
}

/** Median, 95th percentile and maximum, each a value that occurred. */
export function distribution(durations: number[]): Distribution {
  const sorted = [...durations].sort((a, b) => a - b);
  const rank = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { count: sorted.length, p50: rank(0.5), p95: rank(0.95), max: rank(1) };
}
