/**
 * End of standard support of EKS versions, as `YYYY-MM-DD` (Amazon EKS Kubernetes release calendar, read November 2026; where it names a month, its first day).
 * Older versions are out of it.
 */
export const endOfStandardSupport: Readonly<Record<string, string>> = {
  "1.34": "2026-12-02",
  "1.35": "2027-03-01",
  "1.36": "2027-08-01",
};

/** Price of a control plane per hour in US dollars (us-east-1, November 2026), in and after standard support. */
export const controlPlanePrice = { standard: 0.1, extended: 0.6 } as const;
