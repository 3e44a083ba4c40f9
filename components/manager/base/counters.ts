/** Counters that `/metrics` shows. */
export interface Counters {
  promotions: number;
  failedPromotions: number;
  engineStarts: number;
  engineExits: number;
  fences: number;
  heartbeatFailures: number;
  /** Times that the peers stood in for the API server. */
  confirmations: number;
  /** Times that writes were stopped because they could not be kept. */
  writeStops: number;
}

/** Of a manager that starts. */
export const noCounts = (): Counters => ({
  promotions: 0,
  failedPromotions: 0,
  engineStarts: 0,
  engineExits: 0,
  fences: 0,
  heartbeatFailures: 0,
  confirmations: 0,
  writeStops: 0,
});
