import { passwordRules } from "./engineConfiguration";

const longestPassword = 128;

/** How a password is made where none is given: 190 bits, and nothing that a shell, a URL, SQL or a configuration file would read as its own. */
export const generatedPassword = {
  length: 32,
  minLower: 2,
  minUpper: 2,
  minNumeric: 2,
  minSpecial: 2,
  overrideSpecial: "-_.",
} as const;

/**
 * Why the server would refuse a password, or undefined. The same rules as MariaDB's `simple_password_check`, which counts letters and digits of ASCII only, and some of our own: the
 * password goes through an init file, where one statement is one line.
 * @returns a reason without the password
 */
export function passwordProblem(userName: string, password: string): string | undefined {
  const { minimalLength, digits, lettersOfEachCase, otherCharacters } = passwordRules;
  const needs =
    `write at least ${minimalLength} characters, with an upper-case and a lower-case letter, a digit and another character, ` +
    "or leave it out: then one is made";
  if (password === "") return `is empty: ${needs}`;
  if (!/^[\x20-\x7e]*$/.test(password))
    return "has a character that is not printable ASCII: choose another, or leave it out: then one is made";
  if (/['"`\\]/.test(password)) {
    return "has a quote or a backslash, which SQL, shells and connection strings read as their own: choose another, or leave it out: then one is made";
  }
  if (password.trim() !== password)
    return "begins or ends with a space: choose another, or leave it out: then one is made";
  if (password.length > longestPassword) return `is longer than ${longestPassword} characters: shorten it`;
  if (userName.startsWith(password)) return `is the user's name or its beginning, which the server refuses: ${needs}`;
  const count = (characters: RegExp) => password.match(characters)?.length ?? 0;
  if (
    password.length < minimalLength ||
    count(/[0-9]/g) < digits ||
    count(/[a-z]/g) < lettersOfEachCase ||
    count(/[A-Z]/g) < lettersOfEachCase ||
    count(/[^a-zA-Z0-9]/g) < otherCharacters
  ) {
    return `is refused by the server's password check: ${needs}`;
  }
  return undefined;
}
