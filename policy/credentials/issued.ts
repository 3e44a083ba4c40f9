import { createRequire } from "node:module";
import { type Credential, lineAt } from "./credential";
import { isPlaceholder, isReference } from "./values";

/** What this pack uses of a rule of secretlint: `create` gives a handler that reports what it finds in a text while it runs. */
interface Rule {
  meta: { id: string; type: string };
  create(context: unknown, options: object): { file?(source: object): unknown };
}

/** Something that a rule reported: its message's id, and where in the text. */
interface Report {
  message: { messageId: string };
  range: readonly [from: number, to: number];
}

/** A rule's handler with the list that it reports to. */
interface Scanner {
  name: string;
  reports: Report[];
  handler: ReturnType<Rule["create"]>;
}

/** Formats that secretlint's rules leave out, or find only with the names around them. Each expression is linear in the text. */
const ownFormats: readonly (readonly [sign: string, format: RegExp])[] = [
  ["an AWS access key id", /\b(?:AKIA|ASIA)[A-Z2-7]{16}\b/g],
  ["a private key", /-----BEGIN (?:[A-Z]{1,10} )?PRIVATE KEY-----(?:\\n|\s){1,4}[A-Za-z0-9+/=]{32}/g],
  ["a GitHub token", /\bgh[pousr]_[A-Za-z0-9]{36}/g],
  ["a Slack token", /\bxox[abprs]-[A-Za-z0-9-]{10,}/g],
  ["a Slack webhook", /https:\/\/hooks\.slack\.com\/(?:services|workflows)\/T\w{6,}\/\w{6,}\/\w{16,}/g],
  ["a GitLab token", /\bgl(?:pat|dt|rt|ptt|ft|oas)-[\w-]{20}/g],
  ["an npm token", /\bnpm_[A-Za-z0-9]{36}/g],
  ["a Stripe key", /\b[rs]k_(?:live|test)_[A-Za-z0-9]{20,}/g],
  ["a Google API key", /\bAIza[\w-]{35}/g],
  ["a JSON Web Token", /(?<![\w-])eyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,2000}\.[A-Za-z0-9_-]{10}/g],
];

let scanners: Scanner[] | undefined;

/**
 * secretlint's recommended rules, without its engine: that is asynchronous, and needs files and a configuration. The package is an ECMAScript module, and is loaded
 * when the first text needs it.
 */
function loadedScanners(): Scanner[] {
  if (scanners) return scanners;
  const { rules } = createRequire(__filename)("@secretlint/secretlint-rule-preset-recommend") as { rules: Rule[] };
  scanners = rules
    .filter(({ meta }) => meta.type === "scanner")
    .map(rule => {
      const reports: Report[] = [];
      const context = {
        sharedOptions: {},
        createTranslator: () => (messageId: string) => ({ message: messageId, messageId }),
        report: (report: Report) => void reports.push(report),
        ignore: () => undefined,
      };
      return { name: rule.meta.id.replace(/^.*secretlint-rule-/, ""), reports, handler: rule.create(context, {}) };
    });
  return scanners;
}

/**
 * Every format that a service gives out has a run of so many letters, digits and signs with a digit among them, and so has a private key; a connection has an address.
 * Texts without either are not searched: most inputs are such. Both runs are bounded, so that a text is read in time that grows with it and no faster.
 */
const worthSearching = /:\/\/[^\s@]{0,500}@|PRIVATE KEY-----|(?=[\w+/=-]{16})[A-Za-z+/=_-]{0,15}\d/;

/** Credentials of formats that a service gives out, wherever they stand. */
export function issuedCredentials(text: string): Credential[] {
  if (!worthSearching.test(text)) return [];
  const found = ownFormats.flatMap(([sign, format]) => {
    const [first] = text.matchAll(format);
    return first ? [{ sign, line: lineAt(text, first.index) }] : [];
  });
  return found.length > 0 ? found : reported(text);
}

/** What secretlint's rules find, one finding for each rule. */
function reported(text: string): Credential[] {
  const source = { content: text, filePath: "input", ext: "", contentType: "text" };
  return loadedScanners().flatMap(({ name, reports, handler }) => {
    reports.length = 0;
    handler.file?.(source);
    const first = reports.find(({ range }) => !isFilledIn(text.slice(...range)));
    return first ? [{ sign: `a credential (secretlint: ${name})`, line: lineAt(text, first.range[0]) }] : [];
  });
}

/** Whether a match is of a template: `mysql://app:${PASSWORD}@db`. */
function isFilledIn(match: string): boolean {
  const [, password = "x"] = /:\/\/[^:@\s]*:([^@\s]*)@/.exec(match) ?? [];
  return isReference(password) || isPlaceholder(password);
}
