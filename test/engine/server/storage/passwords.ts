import { createHash, timingSafeEqual } from "node:crypto";

function sha1(...parts: Uint8Array[]): Buffer {
  const hash = createHash("sha1");
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** What the server keeps of a password: `*` and twice SHA-1, as hexadecimal digits. Empty for an empty password. */
export function passwordHash(password: string): string {
  if (password === "") return "";
  return `*${sha1(sha1(Buffer.from(password)))
    .toString("hex")
    .toUpperCase()}`;
}

/** Whether a client's answer to the scramble proves that it knows the password. */
export function provesPassword(kept: string, scramble: Buffer, answer: Buffer): boolean {
  if (kept === "") return answer.length === 0;
  if (answer.length !== 20) return false;
  const twice = Buffer.from(kept.slice(1), "hex");
  const mask = sha1(scramble, twice);
  const once = answer.map((byte, i) => byte ^ mask[i]!);
  return timingSafeEqual(sha1(once), twice);
}

/** What `simple_password_check` asks of a new password. */
export interface PasswordRules {
  minimalLength: number;
  digits: number;
  lettersOfEachCase: number;
  otherCharacters: number;
}

/** The plugin's rules, and that the password is not the user's name. */
export function satisfies(password: string, user: string, rules: PasswordRules): boolean {
  const count = (pattern: RegExp) => (password.match(pattern) ?? []).length;
  return (
    password.length >= rules.minimalLength &&
    count(/[0-9]/g) >= rules.digits &&
    count(/[a-z]/g) >= rules.lettersOfEachCase &&
    count(/[A-Z]/g) >= rules.lettersOfEachCase &&
    count(/[^0-9A-Za-z]/g) >= rules.otherCharacters &&
    password !== user
  );
}
