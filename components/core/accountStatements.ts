import { ManagerConfiguration } from "./managerConfiguration";

/** The manager's own account, over the local socket only. Its password is made at each start and never leaves the pod's memory. */
export const managerAccount = { name: "tidesql_manager", host: "localhost" } as const;
/** The manager's own tables live here. */
export const managerDatabase = "tidesql_internal";

/** One statement, and what it makes: the latter may be logged. */
export interface AccountStatement {
  makes: string;
  sql: string;
}

/**
 * What makes a node's databases, users and grants the declared ones. These do not travel through the bucket, so every node runs them at every start. Each statement stands alone
 * and can be run again.
 * @param passwords by user name
 */
export function accountStatements(
  configuration: Pick<ManagerConfiguration, "databases" | "users" | "requireTls">,
  passwords: ReadonlyMap<string, string>,
  managerPassword: string,
): AccountStatement[] {
  const { databases, users, requireTls } = configuration;
  const statements: AccountStatement[] = [];
  const manager = account(managerAccount.name, managerAccount.host);
  statements.push({
    makes: "the manager's account",
    sql: `CREATE OR REPLACE USER ${manager} IDENTIFIED BY ${quoteText(managerPassword)}`,
  });
  statements.push({
    makes: "the manager's grants",
    sql: `GRANT ALL PRIVILEGES ON *.* TO ${manager} WITH GRANT OPTION`,
  });
  for (const host of ["localhost", "127.0.0.1", "::1"]) {
    statements.push({
      makes: "no root account without a password",
      sql: `DROP USER IF EXISTS ${account("root", host)}`,
    });
  }
  for (const database of [...databases, managerDatabase]) {
    statements.push({ makes: `database ${database}`, sql: `CREATE DATABASE IF NOT EXISTS ${quoteName(database)}` });
  }
  for (const user of users) {
    const name = account(user.name, user.host);
    const password = quoteText(passwords.get(user.name) ?? "");
    statements.push({
      makes: `user ${user.name}`,
      sql: `CREATE OR REPLACE USER ${name} IDENTIFIED BY ${password}${requireTls ? " REQUIRE SSL" : ""}`,
    });
    for (const grant of user.grants) {
      const scope = grant.database === "*" ? "*.*" : `${quoteName(literalPattern(grant.database))}.*`;
      statements.push({
        makes: `grants of ${user.name}`,
        sql: `GRANT ${grant.privileges.join(", ")} ON ${scope} TO ${name}`,
      });
    }
  }
  return statements;
}

/** An init file: one statement a line, which is all that MariaDB's reader of it promises to understand. */
export function initFileText(statements: AccountStatement[]): string {
  return statements.map(({ sql }) => `${sql};\n`).join("");
}

function account(name: string, host: string): string {
  return `${quoteText(name)}@${quoteText(host)}`;
}

/** A grant's database is a pattern: `app_prod` would hold for `appXprod` too. */
function literalPattern(database: string): string {
  return database.replaceAll(/[_%]/g, "\\$&");
}

/** A name between backticks, safe whatever it holds. */
export function quoteName(name: string): string {
  return `\`${name.replaceAll("`", "``")}\``;
}

/** A text between quotes, safe whatever it holds, on one line. */
export function quoteText(text: string): string {
  const escaped = text
    .replaceAll("\\", "\\\\")
    .replaceAll("'", "''")
    .replaceAll("\n", "\\n")
    .replaceAll("\r", "\\r")
    .replaceAll("\0", "\\0");
  return `'${escaped}'`;
}
