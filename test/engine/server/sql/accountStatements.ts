import { AccountName, Authentication, Grant, Statement } from "./ast";
import { Cursor } from "./cursor";

/** `'user'@'host'`; without a host, any. CURRENT_USER is the empty name. */
export function parseAccount(cursor: Cursor): AccountName {
  if (cursor.accept("CURRENT_USER")) {
    if (cursor.acceptSymbol("(")) cursor.expectSymbol(")");
    return { user: "", host: "" };
  }
  const user = cursor.nameOrString();
  // `@host` is a token of its own where no space is between.
  if (cursor.token.kind === "userVariable") return { user, host: cursor.next().text };
  return { user, host: cursor.acceptSymbol("@") ? cursor.nameOrString() : "%" };
}

/** What follows CREATE USER. */
export function parseCreateUser(cursor: Cursor, orReplace: boolean): Statement {
  const ifNotExists = cursor.accept("IF", "NOT", "EXISTS");
  return { type: "createUser", users: parseUsers(cursor), orReplace, ifNotExists };
}

export function parseAlterUser(cursor: Cursor): Statement {
  cursor.expect("USER");
  const ifExists = cursor.accept("IF", "EXISTS");
  return { type: "alterUser", users: parseUsers(cursor), ifExists };
}

export function parseDropUser(cursor: Cursor): Statement {
  const ifExists = cursor.accept("IF", "EXISTS");
  return { type: "dropUser", users: cursor.list(() => parseAccount(cursor)), ifExists };
}

/** What follows SET PASSWORD. */
export function parseSetPassword(cursor: Cursor): Statement {
  const user = cursor.accept("FOR") ? parseAccount(cursor) : undefined;
  cursor.expectSymbol("=");
  const password = cursor.accept("PASSWORD") ? cursor.inParentheses(() => cursor.string()) : cursor.string();
  return { type: "setPassword", password, ...(user && { user }) };
}

/** What follows GRANT or REVOKE. */
export function parseGrant(cursor: Cursor, type: "grant" | "revoke"): Grant {
  const privileges = cursor.list(() => parsePrivilege(cursor));
  cursor.expect("ON");
  cursor.acceptOneOf("TABLE", "DATABASE");
  const scope = parseScope(cursor);
  cursor.expect(type === "grant" ? "TO" : "FROM");
  const accounts = cursor.list(() => parseUser(cursor));
  const options = parseOptions(cursor, accounts);
  return { type, privileges, scope, accounts, grantOption: options };
}

/** Some words: `ALL PRIVILEGES`, `READ_ONLY ADMIN`, `SELECT`; a list of columns is passed over. */
function parsePrivilege(cursor: Cursor): string {
  const words = [cursor.name().toUpperCase()];
  while (cursor.token.kind === "word" && !cursor.peek("ON")) words.push(cursor.name().toUpperCase());
  if (cursor.peekSymbol("(")) cursor.inParentheses(() => cursor.list(() => cursor.name()));
  return words[0] === "ALL" ? "ALL PRIVILEGES" : words.join(" ");
}

function parseScope(cursor: Cursor): string {
  if (cursor.acceptSymbol("*")) {
    if (cursor.acceptSymbol(".")) cursor.expectSymbol("*");
    return "*";
  }
  const first = cursor.name();
  if (!cursor.acceptSymbol(".")) return `.${first}`;
  return cursor.acceptSymbol("*") ? first : `${first}.${cursor.name()}`;
}

function parseUsers(cursor: Cursor): Authentication[] {
  const users = cursor.list(() => parseUser(cursor));
  parseOptions(cursor, users);
  return users;
}

function parseUser(cursor: Cursor): Authentication {
  const account = parseAccount(cursor);
  if (!cursor.accept("IDENTIFIED")) return { account };
  if (cursor.acceptOneOf("VIA", "WITH")) {
    const plugin = cursor.nameOrString();
    if (cursor.acceptOneOf("USING", "AS")) {
      if (cursor.accept("PASSWORD")) return { account, plugin, password: cursor.inParentheses(() => cursor.string()) };
      return { account, plugin, hash: cursor.string() };
    }
    return cursor.accept("BY") ? { account, plugin, password: cursor.string() } : { account, plugin };
  }
  cursor.expect("BY");
  return cursor.accept("PASSWORD") ? { account, hash: cursor.string() } : { account, password: cursor.string() };
}

/** REQUIRE, WITH, ACCOUNT and PASSWORD EXPIRE: for all users of the statement. @returns whether GRANT OPTION was among them */
function parseOptions(cursor: Cursor, users: Authentication[]): boolean {
  let grantOption = false;
  for (;;) {
    if (cursor.accept("REQUIRE")) {
      const requireTls = !cursor.accept("NONE");
      if (requireTls && cursor.acceptOneOf("SSL", "X509") === undefined) {
        while (cursor.acceptOneOf("ISSUER", "SUBJECT", "CIPHER", "AND"))
          if (cursor.token.kind === "string") cursor.string();
      }
      for (const user of users) user.requireTls = requireTls;
    } else if (cursor.accept("WITH", "GRANT", "OPTION")) grantOption = true;
    else if (cursor.acceptOneOf("WITH")) {
      while (/^MAX_/i.test(cursor.token.text)) {
        cursor.next();
        cursor.next();
      }
    } else if (cursor.accept("ACCOUNT")) {
      const locked = cursor.acceptOneOf("LOCK", "UNLOCK") === "LOCK";
      for (const user of users) user.locked = locked;
    } else if (cursor.accept("PASSWORD", "EXPIRE")) {
      if (cursor.accept("INTERVAL")) {
        cursor.next();
        cursor.next();
      } else cursor.acceptOneOf("NEVER", "DEFAULT");
    } else return grantOption;
  }
}
