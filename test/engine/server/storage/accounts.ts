import * as fs from "node:fs";
import * as path from "node:path";
import { likeExpression } from "../patterns";

/** Authentication over the local socket by the operating system's user. */
export const socketPlugin = "unix_socket";
export const passwordPlugin = "mysql_native_password";

/** One account of the server. Accounts are on this node alone. */
export interface Account {
  user: string;
  host: string;
  plugin: string;
  /** Hash of the password, or what the plugin makes of it. */
  secret: string;
  requireTls: boolean;
  locked: boolean;
  /** Privileges by scope: `*` for all databases, a pattern of their names, `app.items` for a table. */
  grants: Record<string, string[]>;
}

/** In a grant's privileges: may hand them on. */
export const grantOption = "GRANT OPTION";
export const allPrivileges = "ALL PRIVILEGES";

/** Where the accounts of a data directory are: the place of MariaDB's own table of them. */
function accountsFile(dataDirectory: string): string {
  return path.join(dataDirectory, "mysql", "global_priv.json");
}

/** The accounts of a data directory, kept in a file. */
export class Accounts {
  private constructor(
    private readonly file: string,
    private accounts: Account[],
  ) {}

  /** @returns undefined when the data directory was never initialised */
  static open(dataDirectory: string): Accounts | undefined {
    const file = accountsFile(dataDirectory);
    if (!fs.existsSync(file)) return undefined;
    return new Accounts(file, JSON.parse(fs.readFileSync(file, "utf8")) as Account[]);
  }

  static create(dataDirectory: string, accounts: Account[]): Accounts {
    const created = new Accounts(accountsFile(dataDirectory), accounts);
    created.save();
    return created;
  }

  get all(): readonly Account[] {
    return this.accounts;
  }

  find(user: string, host: string): Account | undefined {
    return this.accounts.find(account => account.user === user && account.host.toLowerCase() === host.toLowerCase());
  }

  put(account: Account): void {
    this.accounts = [...this.accounts.filter(other => !isSame(other, account)), account];
    this.save();
  }

  remove(account: Account): void {
    this.accounts = this.accounts.filter(other => !isSame(other, account));
    this.save();
  }

  /** The account that a client's name and address stand for: the most precise host first, and a name before no name. */
  match(user: string, addresses: string[]): Account | undefined {
    const rank = ({ host, user: name }: Account) =>
      (/[%_]/.test(host) ? host.length : 1000) * 2 + (name === "" ? 0 : 1);
    return this.accounts
      .filter(account => account.user === user || account.user === "")
      .filter(({ host }) => addresses.some(address => matchesHost(host, address)))
      .sort((a, b) => rank(b) - rank(a))[0];
  }

  private save(): void {
    fs.mkdirSync(path.dirname(this.file), { recursive: true });
    const temporary = `${this.file}.tmp`;
    fs.writeFileSync(temporary, JSON.stringify(this.accounts, null, 1), { mode: 0o600 });
    fs.renameSync(temporary, this.file);
  }
}

/** Whether an account may do something in a database: by a grant on everything, on the database, or on the table. */
export function holds(account: Account, privilege: string, database?: string, table?: string): boolean {
  return Object.entries(account.grants).some(([scope, privileges]) => {
    const applies = scope === "*" || (database !== undefined && covers(scope, database, table));
    return (
      applies && (privileges.includes(privilege) || (privileges.includes(allPrivileges) && privilege !== grantOption))
    );
  });
}

/** Whether it has any privilege in a database at all: enough to see and to use it. */
export function mayUse(account: Account, database: string): boolean {
  return Object.entries(account.grants).some(
    ([scope, privileges]) =>
      privileges.some(privilege => privilege !== "USAGE") &&
      (scope === "*" || scope.startsWith(`${database}.`) || covers(scope, database, undefined)),
  );
}

/** A grant's database is a pattern: `_` and `%` stand for themselves only behind a backslash. A table's is a name. */
function covers(scope: string, database: string, table: string | undefined): boolean {
  if (scope.includes(".")) return table !== undefined && scope === `${database}.${table}`;
  return likeExpression(scope).test(database);
}

function isSame(a: Account, b: Account): boolean {
  return a.user === b.user && a.host.toLowerCase() === b.host.toLowerCase();
}

function matchesHost(pattern: string, address: string): boolean {
  if (!/[%_]/.test(pattern)) return pattern.toLowerCase() === address.toLowerCase();
  const expression = pattern
    .replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
    .replaceAll("%", ".*")
    .replaceAll("_", ".");
  return new RegExp(`^${expression}$`, "i").test(address);
}
