/** A primary stops taking writes when what is not in the bucket is older than `maxDataLossSeconds`, which it looks at every so often. Milliseconds. */
export const lossIsNoticedWithin = 700;

/** In `interval` the bucket lags by a tick and an upload, and the clients are told before a fenced server is killed. Milliseconds. */
export const shippingLag = 600;

/** A process that was frozen may acknowledge for so long after its thaw: the watchdog looks every 20 ms. Milliseconds. */
export const zombieMilliseconds = 40;

/** With all faults over for so long, writes are accepted again: the longest pause between two starts of an engine is 30 s. Milliseconds. */
export const writesBackWithin = 60_000;
/** And after so long every pod has the label that it should have. Milliseconds. */
export const healthyWithin = 150_000;
