import { Metric, one } from "./metrics";
import { CredentialKeeper } from "../credentials/keeper";

/** None where the bucket's key is in a Secret: it does not end. */
export function credentialMetrics(
  credentials: Pick<CredentialKeeper, "secondsLeft" | "failures"> | undefined,
): Metric[] {
  if (!credentials) return [];
  const { secondsLeft = 0, failures } = credentials;
  return [
    one("credentials_seconds", "gauge", "Time until the role's credentials end; 0 without any.", secondsLeft),
    one("credential_failures_total", "counter", "Requests for the role's credentials that failed.", failures),
  ];
}
