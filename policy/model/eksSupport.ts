/** Price of a control plane per hour in US dollars (us-east-1, November 2026), in and after standard support. */
export const controlPlanePrice = { standard: 0.1, extended: 0.6 } as const;
