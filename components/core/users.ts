import { validateSecretNamespaces } from "./connections";
import { InputProblem, under } from "./inputProblem";
import { UserDeclaration } from "./managerConfiguration";
import { printable } from "./printable";

/** A user as it is asked for. */
export interface UserRequest {
  name: string;
  /** MariaDB host pattern. Default `%`. */
  host?: string;
  grants: { database: string; privileges: string[] }[];
  /** Namespaces that get a Secret with the user's connection. */
  secretNamespaces?: string[];
}

/** Any host. Network policies decide who reaches the port at all. */
const anyHost = "%";
/** What every MariaDB client takes; the server itself would take 128. */
const longestUserName = 32;
const longestDatabaseName = 64;

/** Names that SQL can hold without quotes, in files and in keys of a Secret without escapes. */
const plainName = /^[A-Za-z][A-Za-z0-9_]*$/;
const plainNameRule = "start with a letter and go on with letters, digits and _";

const reservedDatabases = ["mysql", "information_schema", "performance_schema", "sys"];
const reservedUsers = ["root", "mysql", "mariadb", "public", "none", "current_user", "current_role", "event_scheduler"];
/** The manager's own account and database begin like this. */
const reservedPrefix = "tidesql";

/** What a user may be granted on a database. */
const databasePrivileges = [
  "ALL",
  "ALL PRIVILEGES",
  "ALTER",
  "ALTER ROUTINE",
  "CREATE",
  "CREATE ROUTINE",
  "CREATE TEMPORARY TABLES",
  "CREATE VIEW",
  "DELETE",
  "DELETE HISTORY",
  "DROP",
  "EVENT",
  "EXECUTE",
  "INDEX",
  "INSERT",
  "LOCK TABLES",
  "REFERENCES",
  "SELECT",
  "SHOW VIEW",
  "TRIGGER",
  "UPDATE",
];
/** What a user may be granted on everything: enough to watch and to dump. Writing everywhere would include the tables that hold the grants. */
const globalPrivileges = [
  "BINLOG MONITOR",
  "EXECUTE",
  "LOCK TABLES",
  "PROCESS",
  "SELECT",
  "SHOW DATABASES",
  "SHOW VIEW",
  "SLAVE MONITOR",
];

/** Privileges that would undo what the project promises, and why. */
const refusedPrivileges: Record<string, string> = {
  SUPER: "it can switch a replica to writing",
  "READ_ONLY ADMIN": "it writes on replicas, and on a primary that is being replaced",
  "CONNECTION ADMIN": "it can end the manager's own sessions",
  SHUTDOWN: "the manager starts and stops the server",
  FILE: "it reads the object store's key from the pod's files",
  RELOAD: "it can switch off the grants",
  "CREATE USER": "a user that is made with SQL exists on one node and is dropped at its next start: declare it",
  "GRANT OPTION": "a grant that is made with SQL exists on one node and is gone at its next start: declare it",
};

/** What is wrong with the names of databases. Paths begin with the index. */
export function validateDatabases(databases: string[]): InputProblem[] {
  return databases.flatMap((name, index) => {
    const reason = databaseNameProblem(name) ?? duplicateProblem(databases, name, index);
    return reason === undefined ? [] : [{ propertyPath: `[${index}]`, reason }];
  });
}

/**
 * What is wrong with users and their grants, passwords apart. Paths begin with the index.
 * @param databases those that are declared; undefined while they are not known
 */
export function validateUsers(users: UserRequest[], databases: string[] | undefined): InputProblem[] {
  const names = users.map(({ name }) => name);
  return users.flatMap(({ name, host, grants, secretNamespaces = [] }, index) => {
    const problems: InputProblem[] = [];
    const nameReason = userNameProblem(name) ?? duplicateProblem(names, name, index);
    if (nameReason !== undefined) problems.push({ propertyPath: "name", reason: nameReason });
    const hostReason = host === undefined ? undefined : hostProblem(host);
    if (hostReason !== undefined) problems.push({ propertyPath: "host", reason: hostReason });
    problems.push(...under("secretNamespaces", validateSecretNamespaces(secretNamespaces)));
    grants.forEach((grant, at) => problems.push(...under(`grants[${at}]`, grantProblems(grant, databases))));
    return under(`[${index}]`, problems);
  });
}

/** Users as the manager wants them declared. They have no problem by {@link validateUsers}. */
export function declareUsers(users: UserRequest[]): UserDeclaration[] {
  return users.map(({ name, host, grants }) => ({
    name,
    host: host ?? anyHost,
    grants: grants.map(({ database, privileges }) => ({ database, privileges: privileges.map(normalisedPrivilege) })),
  }));
}

function databaseNameProblem(name: string): string | undefined {
  if (!plainName.test(name)) return `"${printable(name)}" needs escaping in SQL: ${plainNameRule}`;
  if (name.length > longestDatabaseName) return `has ${name.length} characters: MariaDB takes ${longestDatabaseName}`;
  if (name.includes("__") || name.endsWith("_")) {
    return `"${name}" can be confused with another database in the bucket, where the engine writes <database>__<table>: use no "__" and no "_" at the end`;
  }
  if (reservedDatabases.includes(name.toLowerCase())) return `"${name}" is MariaDB's own: choose another name`;
  return reservedPrefixProblem(name);
}

function userNameProblem(name: string): string | undefined {
  if (!plainName.test(name)) return `"${printable(name)}" needs escaping in SQL: ${plainNameRule}`;
  if (name.length > longestUserName) return `has ${name.length} characters: clients take ${longestUserName}`;
  if (reservedUsers.includes(name.toLowerCase())) return `"${name}" is reserved: choose another name`;
  return reservedPrefixProblem(name);
}

function reservedPrefixProblem(name: string): string | undefined {
  if (!name.toLowerCase().startsWith(reservedPrefix)) return undefined;
  return `"${name}" begins with "${reservedPrefix}", as the manager's own names do: choose another`;
}

/** Two names that differ in case only would be two on this server and one on others. */
function duplicateProblem(names: string[], name: string, index: number): string | undefined {
  const first = names.findIndex(other => other.toLowerCase() === name.toLowerCase());
  return first < index ? `"${name}" is a duplicate of [${first}]: keep one of them` : undefined;
}

function hostProblem(host: string): string | undefined {
  const address = /^[0-9a-fA-F.:%_]{1,60}(\/[0-9]{1,3}(\.[0-9]{1,3}){3})?$/;
  if (address.test(host)) return undefined;
  if (/^[0-9a-fA-F.:]+\/[0-9]{1,3}$/.test(host)) {
    return `"${host}" has a prefix length, which MariaDB takes for part of a name that nobody has: write a netmask, like "10.0.0.0/255.0.0.0", or a pattern, like "10.%"`;
  }
  return `"${printable(host)}" is not a pattern of addresses, and the server resolves no host names: write "%", an address, "10.0.%" or "10.0.0.0/255.0.0.0"`;
}

function grantProblems(grant: UserRequest["grants"][number], databases: string[] | undefined): InputProblem[] {
  const { database, privileges } = grant;
  const problems: InputProblem[] = [];
  if (database !== "*" && databases?.includes(database) === false) {
    problems.push({
      propertyPath: "database",
      reason: `"${printable(database)}" is not among the declared databases: add it there, or write "*" for all`,
    });
  }
  if (privileges.length === 0) {
    problems.push({ propertyPath: "privileges", reason: 'is empty: write SQL privileges, like "SELECT"' });
  }
  privileges.forEach((privilege, index) => {
    const reason = privilegeProblem(normalisedPrivilege(privilege), database === "*");
    if (reason !== undefined) problems.push({ propertyPath: `privileges[${index}]`, reason });
  });
  return problems;
}

function privilegeProblem(privilege: string, global: boolean): string | undefined {
  const shown = printable(privilege);
  const refused = Object.hasOwn(refusedPrivileges, privilege) ? refusedPrivileges[privilege] : undefined;
  if (refused !== undefined) return `"${shown}" is refused: ${refused}`;
  const allowed = global ? globalPrivileges : databasePrivileges;
  if (allowed.includes(privilege)) return undefined;
  const where =
    global && databasePrivileges.includes(privilege) ? "on a database, not on all: name the database" : undefined;
  const only =
    !global && globalPrivileges.includes(privilege) ? 'on all databases: write "*" as the database' : undefined;
  if (where !== undefined)
    return `"${shown}" can be granted ${where}, since all includes the tables that hold the grants`;
  if (only !== undefined) return `"${shown}" can be granted ${only}`;
  return `"${shown}" is not a privilege that can be granted here: choose among ${allowed.join(", ")}`;
}

function normalisedPrivilege(privilege: string): string {
  return privilege.trim().replace(/\s+/g, " ").toUpperCase();
}
