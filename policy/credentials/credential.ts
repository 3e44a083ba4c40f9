/** A credential, or what looks like one. Its value is not kept. */
export interface Credential {
  /** What gave it away: "a value under the name password", "an AWS access key id". */
  sign: string;
  /** Line in the text, from 1. */
  line: number;
}

/** The line of a position in a text, from 1. */
export function lineAt(text: string, position: number): number {
  let line = 1;
  for (let found = text.indexOf("\n"); found >= 0 && found < position; found = text.indexOf("\n", found + 1)) line += 1;
  return line;
}

/** `MYSQL_ROOT_PASSWORD`, `mysqlRootPassword` and `mysql-root-password` are all `mysql_root_password`. */
export function words(name: string): string {
  return name
    .slice(-200)
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replaceAll(/[^A-Za-z0-9]+/g, "_")
    .toLowerCase();
}

/** Values that the published guide writes as an example, and that are known to everyone who read it. */
export const exampleValues: readonly string[] = [
  "M0nitor!Pass9",
  "YourStrongPassword!2026",
  "REPLACE_WITH_ACCESS_KEY",
  "REPLACE_WITH_SECRET_KEY",
];
