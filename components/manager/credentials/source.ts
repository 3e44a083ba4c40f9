import { BucketCredentials } from "../store/bucket/s3Bucket";

/** Credentials of a role: they come with a session token, and end. */
export interface TemporaryCredentials extends BucketCredentials {
  sessionToken: string;
  /** Wall clock, milliseconds since 1970. */
  expiresAt: number;
}

/** Where a role's credentials come from. */
export interface CredentialSource {
  /** For the log: `the Pod Identity agent at http://169.254.170.23/v1/credentials`. */
  readonly name: string;
  /** Asks once. @throws when there are none in time: nothing of an answer's secrets is in the message */
  fetch(timeoutMilliseconds: number): Promise<TemporaryCredentials>;
}

/** The four parts of an answer, under whatever names they came. @throws when one is missing or the end is no time */
export function wholeCredentials(
  from: string,
  parts: Record<"accessKeyId" | "secretAccessKey" | "sessionToken" | "expiration", unknown>,
): TemporaryCredentials {
  const text = (part: keyof typeof parts): string => {
    const value = parts[part];
    if (typeof value === "string" && value !== "") return value;
    throw new Error(`${from} has answered without ${part}`);
  };
  const expiresAt = Date.parse(text("expiration"));
  if (Number.isNaN(expiresAt)) throw new Error(`${from} has answered with an end that is no time`);
  return {
    accessKeyId: text("accessKeyId"),
    secretAccessKey: text("secretAccessKey"),
    sessionToken: text("sessionToken"),
    expiresAt,
  };
}
