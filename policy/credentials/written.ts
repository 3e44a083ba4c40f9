import { type Credential, lineAt } from "./credential";
import { decoded } from "./encoding";
import { isNativeHash, isPlaceholder, isReference, isSwitch } from "./values";

/** How people write a password down for a program: the expression has it in its last group. Each is linear in the text. */
const writtenForms: readonly (readonly [sign: string, form: RegExp])[] = [
  ["a password in a URL", /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s/:@"'`<>{}]{0,100}:([^\s/@"'`<>{}]{1,200})@/g],
  ["a password in a data source", /\b[\w.-]{1,60}:([^\s@:/"'`]{1,100})@(?:tcp6?|unix)\(/g],
  ["a password in a data source", /\bjdbc:oracle:\w{1,10}:\w{1,60}\/([^\s@"']{1,100})@/g],
  [
    "a password in a connection string",
    /(?:[?&;]|\b(?:host|server|user|uid|dbname|database|data source)\s{0,3}=[^=\n]{1,100}[\s;&])\s{0,3}(?:password|passwd|pwd|accountkey|sharedaccesskey)\s{0,3}=\s{0,3}["']?([^\s;&"']{1,200})/gi,
  ],
  [
    "a password in SQL",
    /\b(?:IDENTIFIED\s{1,4}(?:BY|(?:WITH|VIA)\s{1,4}\w{1,40}\s{1,4}(?:BY|AS|USING))|SET\s{1,4}PASSWORD[^=;]{0,100}=)\s{0,4}(?:(?:OLD_)?PASSWORD\s{0,4}\(?\s{0,4})?\\?["']((?:[^"'\\]|\\(?!["'])){1,200})/gi,
  ],
  [
    "a password on a command line",
    /\b(?:mariadb|mysql)[\w-]{0,20}\s(?:[^;|&\n]|\\\n){0,200}?\s-p["']?([^\s"';|&]{1,100})/g,
  ],
  [
    "a password on a command line",
    /\b(?:sshpass\s{1,4}-p|redis-cli\s(?:(?:[^;|&\n]|\\\n){0,200}?\s)?-a)\s{1,4}["']?([^\s"';|&]{1,100})/g,
  ],
  [
    "a password on a command line",
    /\bcurl(?:[^;|&\n]|\\\n){0,300}?\s(?:-[A-Za-z]{0,8}u|--user)[=\s]\s{0,4}["']?[^\s:"']{1,60}:([^\s"';|&]{1,100})/g,
  ],
  [
    "an authorization",
    /\bauthorization["']?\s{0,4}[:=]\s{0,4}["']?(?:basic|bearer|token)\s{1,4}([\w+/=.~-]{8,2000})/gi,
  ],
  [
    "a password of HAProxy",
    /\b(?:stats\s{1,4}auth\s{1,4}[^\s:]{1,60}:|user\s{1,4}\S{1,60}\s{1,4}(?:insecure-)?password\s{1,4})(\S{1,100})/g,
  ],
  [
    "a password of a server",
    /^\s{0,80}(?:requirepass|masterauth|sentinel\s{1,4}auth-pass\s{1,4}\S{1,60}|bindpw|rootpw|auth_?pass|smtp_?pass(?:word)?|ProxyPassword|snmp_password)\s{1,20}["']?([^\s"';#=]{1,200})["']?;?\s{0,20}$/gim,
  ],
  [
    "a password of an account",
    /\bchpasswd\b[^|]{0,60}\|\s{0,20}\n\s{0,40}-?\s{0,10}["']?[a-z_][\w-]{0,40}:([^\s"':$*!][^\s"':]{2,100})/g,
  ],
  [
    "a password of an account",
    /["'\s][a-z_][\w-]{0,40}:([^\s"':$*!][^\s"':|]{2,100})["']?\s{0,10}\|\s{0,10}(?:sudo\s{1,4})?chpasswd\b/g,
  ],
  [
    "a password in XML",
    /<(?:property|entry|param|setting|init-param|add)\s(?:[^<>]{0,200}\s)?(?:name|key)=["'][\w.:-]{0,100}(?:password|passwd|passphrase|secret_?key|api_?key|token)["'][^<>]{0,100}>\s{0,40}(?:<value>)?\s{0,20}([^<\s]{3,200})/gi,
  ],
  ["a private key", /-----BEGIN (?:[A-Z]{1,10} )?PRIVATE KEY-----(?:\\n|\s){1,4}([A-Za-z0-9+/=]{12})/g],
  ["a password hash", /^[^:\s#]{1,60}:(\$(?:apr1|2[aby]|[156]|argon2\w{1,2})\$[^\s:]{10,})/gm],
  ["an npm token", /(?:^|:)_(?:authToken|auth|password)\s{0,4}=\s{0,4}([^\s;]{6,})/gm],
];

/** `Basic YWRtaW46Li4u`, whatever it stands under: a login in base64. */
const authorization = /\bbasic\s{1,4}([A-Za-z0-9+/]{8,400}={0,2})(?![\w+/=-])/gi;

/** `--password x`, `--tidesdb_s3_secret_key=x`: options, of which some carry a credential. */
const option = /(?:^|[\s"'])--?([A-Za-z][\w-]{0,80})(?:=|\s{1,4})["']?([^\s"'-][^\s"']{0,200})/g;
/** `PGPASSWORD=x psql`, `ansible_ssh_pass=x`: variables that are set anywhere in a line. */
const shellVariable =
  /(?:^|[\s;&|("'])([A-Za-z][A-Za-z0-9_]{1,80})=(?:"([^"\n]{1,200})"|'([^'\n]{1,200})'|([^\s;&|"'`]{1,200}))/gm;

/** `-Dspring.datasource.password=x`, `env[DB_PASSWORD] = x`: properties of Java and variables of a PHP pool, with the name and the value. */
const properties: readonly RegExp[] = [
  /(?:^|[\s"'])-D([A-Za-z][\w.-]{1,100})=["']?([^\s"']{1,200})/g,
  /\b\w{1,40}\[["']?([A-Za-z_]\w{0,80})["']?\]\s{0,10}=\s{0,10}["']?([^\s"';]{1,200})/g,
];

/** `remote_password x`: a directive with its value, nothing else on the line. What has no digit is a sentence as likely. */
const directive =
  /^[ \t]{0,80}([A-Za-z][\w.-]{2,80})[ \t]{1,40}["']?((?=\S{0,100}\d)[^\s"'()<>{};,]{6,100})["']?;?[ \t]*\r?$/gm;

/** `Environment="DB_PASSWORD=x"`: a variable within quotes. The second and third group are empty, as above. */
const quotedVariable = /["']([A-Za-z][A-Za-z0-9_]{1,80})=(?:(?!)()|(?!)()|([^\s"'`]{1,200}))["'\s]/g;

/** Whether a value is an expression of a program: `self.password`, `os.environ["X"]`, `read(file)`. */
function isCode(value: string): boolean {
  return /^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+$|^[A-Za-z_][\w.]*[([]/.test(value);
}

/** Credentials by the ways in which people write them down. The text of a program, with its messages and templates, looks like it. */
export function writtenCredentials(
  text: string,
  byName: (name: string, value: string) => string | undefined,
): Credential[] {
  const found = writtenForms.flatMap(([sign, form]) => firstOf(text, form, sign));
  for (const match of text.matchAll(option)) {
    const sign = byName(match[1]!, match[2]!);
    if (sign) found.push({ sign: `a password on a command line (--${match[1]})`, line: lineAt(text, match.index) });
  }
  for (const match of text.matchAll(authorization)) {
    if (isEncodedLogin(match[1]!)) found.push({ sign: "a login in base64", line: lineAt(text, match.index) });
  }
  for (const form of [...properties, directive]) {
    for (const match of text.matchAll(form)) {
      const sign = isCode(match[2]!) ? undefined : byName(match[1]!, match[2]!);
      if (sign) found.push({ sign, line: lineAt(text, match.index + match[0].indexOf(match[1]!)) });
    }
  }
  for (const form of [shellVariable, quotedVariable]) {
    for (const match of text.matchAll(form)) {
      const quoted = match[2] ?? match[3];
      const value = quoted ?? (match[4] ?? "").replace(/[),]+$/, "");
      if (quoted === undefined && isCode(value)) continue;
      // In lower case it may be an argument of a program, whose value is a name too.
      if (quoted === undefined && /[a-z]/.test(match[1]!) && /^[A-Za-z_]*$/.test(value)) continue;
      const sign = byName(match[1]!, value);
      if (sign) found.push({ sign, line: lineAt(text, match.index + match[0].indexOf(match[1]!)) });
    }
  }
  return found;
}

function firstOf(text: string, form: RegExp, sign: string): Credential[] {
  for (const match of text.matchAll(form)) {
    const value = match.at(-1)!.replace(/[),]+$/, "");
    if (
      isCode(value) ||
      (isReference(value) && !isNativeHash(value)) ||
      isPlaceholder(value) ||
      isSwitch(value) ||
      isExampleAddress(match[0], text, match.index)
    )
      continue;
    return [{ sign, line: lineAt(text, match.index) }];
  }
  return [];
}

/** `https://user:password@example.com`: an address of the domains that are kept for examples (RFC 2606), with words in place of a user and a password. */
function isExampleAddress(match: string, text: string, start: number): boolean {
  if (!match.includes("://")) return false;
  const host = text.slice(start + match.length, start + match.length + 200);
  const [, user = "", password = ""] = /:\/\/([^:]*):(.*)@$/.exec(match) ?? [];
  const isExampleHost = /^(?:[\w.-]+\.)?example(?:\.(?:com|net|org))?(?=$|[^\w.-])/i.test(host);
  return isExampleHost && /^(?:user(?:name)?|name|me|login)$/i.test(user) && /^pass(?:word|wd)?$/i.test(password);
}

/** Whether a value is base64 of `user:password`, as a registry's and a proxy's `auth` is. */
export function isEncodedLogin(value: string): boolean {
  return /^[A-Za-z0-9+/]{8,}={0,2}$/.test(value) && /^[^\s:]{1,100}:\S{3,200}$/.test(decoded(value) ?? "");
}
