/**
 * What the protocol promises today. A promise that the manager does not keep yet is switched off here, and here alone; the simulation then excuses what breaks it.
 * docs/failover-limits.md says the same.
 */
export const promised = {
  /** Rule 6: writes go on while the API server is gone for all. */
  apiServerOutage: true,
  /** Rule 7: `commit` acknowledges nothing that is not in the bucket; in `interval` what is not there is never older than `maxDataLossSeconds`, but for {@link lossIsNoticedWithin}. */
  bucketOutage: true,
  /** A bucket that answers now and then harms no replica that starts. */
  bucketNowAndThen: false,
  /**
   * A replica shows the newest version of each row. Its engine passes over the end of one WAL object when it has read the beginning of the next one before, and the version before stays in its memtable.
   * Excused are the rows to which that has happened, no others.
   */
  overtakenRows: false,
  /** A replica whose engine made an empty file of an SSTable's values notices it before its readers do, who get an error. */
  valuesOfReplicas: true,
  /** A Lease into which a person has written another pod's identity still runs out before anybody takes it. */
  leaseGivenByHand: true,
  /** After a promotion for which a person has accepted a loss, replicas have no row that the primary lacks. */
  agreementAfterAcceptedLoss: false,
};

/** With rule 7: a primary stops taking writes when what is not in the bucket is older than `maxDataLossSeconds`, which it looks at every so often. Milliseconds. */
export const lossIsNoticedWithin = 700;

/** In `interval` mode the bucket lags by a reaper's round and an upload, and the clients are told before a fenced server is killed. Milliseconds. */
export const shippingLag = 600;

/** A process that was frozen may acknowledge for so long after its thaw: the watchdog looks every 20 ms. Milliseconds. */
export const zombieMilliseconds = 40;

/** With all faults over for so long, writes are accepted again: the longest pause between two starts of an engine is 30 s. Milliseconds. */
export const writesBackWithin = 60_000;
/** And after so long every pod has the label that it should have. Milliseconds. */
export const healthyWithin = 150_000;
