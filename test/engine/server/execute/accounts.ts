import { AccountName, Authentication, Grant, Statement } from "../sql/ast";
import { sqlErrors } from "../sqlError";
import { Account, allPrivileges, grantOption, passwordPlugin } from "../storage/accounts";
import { passwordHash, satisfies } from "../storage/passwords";
import { ok, OkResult } from "../values";
import type { ClientSession } from "./clientSession";

type CreateUser = Extract<Statement, { type: "createUser" }>;

/** @throws SqlError */
export function createUsers(session: ClientSession, { users, orReplace, ifNotExists }: CreateUser): OkResult {
  session.requireAdministrator("CREATE USER");
  const { accounts } = session.server;
  for (const user of users) {
    const present = accounts.find(user.account.user, user.account.host);
    if (present && !orReplace) {
      if (ifNotExists) continue;
      throw sqlErrors.cannotCreateUser("CREATE USER", quoted(user.account));
    }
    const fresh: Account = {
      ...user.account,
      plugin: passwordPlugin,
      secret: "",
      requireTls: false,
      locked: false,
      grants: { "*": ["USAGE"] },
    };
    accounts.put(authenticated(session, fresh, user, true));
  }
  return ok();
}

/** @throws SqlError */
export function alterUsers(session: ClientSession, users: Authentication[], ifExists: boolean): OkResult {
  for (const user of users) {
    const name = named(session, user.account);
    if (name.user !== session.account.user || name.host !== session.account.host)
      session.requireAdministrator("CREATE USER");
    const present = session.server.accounts.find(name.user, name.host);
    if (present) session.server.accounts.put(authenticated(session, present, user, false));
    else if (!ifExists) throw sqlErrors.cannotCreateUser("ALTER USER", quoted(name));
  }
  return ok();
}

/** @throws SqlError */
export function dropUsers(session: ClientSession, users: AccountName[], ifExists: boolean): OkResult {
  session.requireAdministrator("CREATE USER");
  for (const name of users) {
    const present = session.server.accounts.find(name.user, name.host);
    if (present) session.server.accounts.remove(present);
    else if (!ifExists) throw sqlErrors.cannotCreateUser("DROP USER", quoted(name));
  }
  return ok();
}

/** @throws SqlError */
export function setPassword(
  session: ClientSession,
  { user, password }: Extract<Statement, { type: "setPassword" }>,
): OkResult {
  const account = user ?? { user: session.account.user, host: session.account.host };
  return alterUsers(session, [{ account, password }], false);
}

/** GRANT and REVOKE. @throws SqlError */
export function grant(session: ClientSession, statement: Grant): OkResult {
  const scope = statement.scope.startsWith(".") ? session.requireDatabase() + statement.scope : statement.scope;
  session.requireGrantOption(scope);
  for (const user of statement.accounts) {
    const name = named(session, user.account);
    const present = session.server.accounts.find(name.user, name.host);
    // NO_AUTO_CREATE_USER: a grant makes an account only where it says how that logs in.
    if (!present && (statement.type === "revoke" || (user.password === undefined && user.plugin === undefined))) {
      throw sqlErrors.noMatchingUser();
    }
    const account = present ?? {
      ...name,
      plugin: passwordPlugin,
      secret: "",
      requireTls: false,
      locked: false,
      grants: {},
    };
    const known = authenticated(session, account, user, !present);
    const held = new Set(known.grants[scope] ?? []);
    for (const privilege of [...statement.privileges, ...(statement.grantOption ? [grantOption] : [])]) {
      if (statement.type === "grant") held.add(privilege);
      else if (privilege === allPrivileges) held.clear();
      else held.delete(privilege);
    }
    session.server.accounts.put({ ...known, grants: { ...known.grants, [scope]: [...held] } });
  }
  return ok();
}

/** What SHOW GRANTS says of an account. */
export function grantTexts(account: Account): string[] {
  const name = `\`${account.user}\`@\`${account.host}\``;
  const password = account.secret === "" ? "" : ` IDENTIFIED BY PASSWORD '${account.secret}'`;
  return Object.entries({ "*": ["USAGE"], ...account.grants }).map(([scope, privileges]) => {
    const listed = privileges.filter(privilege => privilege !== grantOption);
    const [database = "", table] = scope.split(".");
    const on = scope === "*" ? "*.*" : `\`${database}\`.${table === undefined ? "*" : `\`${table}\``}`;
    const tail = scope === "*" ? `${password}${account.requireTls ? " REQUIRE SSL" : ""}` : "";
    return `GRANT ${listed.join(", ") || "USAGE"} ON ${on} TO ${name}${tail}${privileges.includes(grantOption) ? " WITH GRANT OPTION" : ""}`;
  });
}

function authenticated(session: ClientSession, account: Account, user: Authentication, isNew: boolean): Account {
  const changed = { ...account };
  if (user.plugin !== undefined) changed.plugin = user.plugin;
  if (user.requireTls !== undefined) changed.requireTls = user.requireTls;
  if (user.locked !== undefined) changed.locked = user.locked;
  if (user.hash !== undefined) changed.secret = user.hash;
  if (user.password !== undefined) {
    changed.secret = passwordHash(user.password);
    changed.plugin = user.plugin ?? passwordPlugin;
  }
  const setsPassword =
    user.password !== undefined || (isNew && user.hash === undefined && changed.plugin === passwordPlugin);
  if (setsPassword) checkPassword(session, user.password ?? "", account.user);
  return changed;
}

/** What `simple_password_check` has to say, where it is loaded: to an account without a password too. */
function checkPassword(session: ClientSession, password: string, user: string): void {
  const { configuration, variables } = session.server;
  if (!configuration.plugins.has("simple_password_check")) return;
  const rule = (name: string) => variables.number(`simple_password_check_${name}`);
  const rules = {
    minimalLength: rule("minimal_length"),
    digits: rule("digits"),
    lettersOfEachCase: rule("letters_same_case"),
    otherCharacters: rule("other_characters"),
  };
  if (!satisfies(password, user, rules)) throw sqlErrors.weakPassword();
}

/** CURRENT_USER by its name. */
function named(session: ClientSession, account: AccountName): AccountName {
  return account.user === "" && account.host === ""
    ? { user: session.account.user, host: session.account.host }
    : account;
}

function quoted({ user, host }: AccountName): string {
  return `'${user}'@'${host}'`;
}
