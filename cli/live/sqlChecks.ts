import type { UserDeclaration } from "../../components/core/managerConfiguration";
import { type ClientAccess, mayUseForwardedPort } from "./access";
import { CheckFailure, type CheckResult, NotChecked, ran } from "./checks";
import { type OpenSql, SqlFailure, type SqlLogin, type SqlSession, type SqlTarget } from "./sql";
import type { Kubectl } from "./kubectl";
import type { LiveClock } from "./surroundings";

/** What the checks by SQL work with. */
export interface SqlContext {
  kubectl: Kubectl;
  openSql: OpenSql;
  clock: LiveClock;
  access: ClientAccess;
  /** A user that may make tables in `database`. */
  login: SqlLogin;
  /** Where the checks make a table of their own. */
  database: string;
  /** Made, used and dropped by the checks. */
  table: string;
  targetOf: (pod: string) => SqlTarget;
  primary: string;
  replicas: readonly string[];
}

/** MariaDB's numbers of errors. */
const readOnlyServer = 1290;
const secureTransportRequired = 3159;
const accessDenied = [1045, 1698];

/** A row is on a replica within this, or something is wrong. Milliseconds. */
const longestWay = 15_000;
const lookEvery = 50;

/** A user that the checks can work with, and the database that it may make a table in. */
export function workingUser(
  { configuration }: ClientAccess,
  wanted?: string,
): { user: UserDeclaration; database: string } {
  const users = configuration.users.filter(user => mayUseForwardedPort(user) && (!wanted || user.name === wanted));
  for (const user of users) {
    const grant = user.grants.find(({ database, privileges }) => database !== "*" && mayMakeTables(privileges));
    if (grant) return { user, database: grant.database };
  }
  throw new NotChecked(
    wanted === undefined
      ? "no declared user may log in over a forwarded port and make a table: declare one with CREATE, DROP, SELECT and INSERT on a database"
      : `the user ${wanted} cannot log in over a forwarded port, or cannot create a table`,
  );
}

function mayMakeTables(privileges: readonly string[]): boolean {
  const all = privileges.some(privilege => /^ALL( PRIVILEGES)?$/.test(privilege));
  return all || ["CREATE", "DROP", "SELECT", "INSERT"].every(privilege => privileges.includes(privilege));
}

/** Does something over one connection, and closes it. */
export async function withSession<T>(
  context: SqlContext,
  pod: string,
  work: (session: SqlSession) => Promise<T>,
  login: SqlLogin = context.login,
): Promise<T> {
  const session = await context.openSql(context.kubectl, context.targetOf(pod), login);
  try {
    return await work(session);
  } finally {
    session.close();
  }
}

/** What the servers say. The table is made first; the caller drops it. */
export async function sqlChecks(context: SqlContext): Promise<CheckResult[]> {
  return [
    await ran("every node has the plugin, and S3 over TLS", () => engines(context)),
    await ran("a row that is written is on every replica", () => rowsTravel(context)),
    await ran("replicas refuse writes", () => replicasRefuse(context)),
    await ran("connections without TLS are refused", () => plainIsRefused(context)),
    await ran("every account has a password", () => emptyPasswordsAreRefused(context)),
  ];
}

async function engines(context: SqlContext): Promise<string | { warning: string }> {
  const pods = [context.primary, ...context.replicas];
  const buckets = new Set<string>();
  let withoutTls = false;
  for (const pod of pods) {
    await withSession(context, pod, async session => {
      const [engine] = await session.query(
        "SELECT SUPPORT AS support FROM information_schema.ENGINES WHERE ENGINE = 'TidesDB'",
      );
      if (!/^(YES|DEFAULT)$/i.test(textOf(engine?.support))) throw new CheckFailure(`${pod} has no TidesDB engine`);
      const rows = await session.query("SHOW GLOBAL VARIABLES LIKE 'tidesdb%'");
      const values = new Map(rows.map(row => [textOf(row.Variable_name).toLowerCase(), textOf(row.Value)]));
      const backend = values.get("tidesdb_object_store_backend") ?? "none";
      if (backend.toUpperCase() !== "S3") throw new CheckFailure(`the object store of ${pod} is ${backend}`);
      withoutTls ||= values.get("tidesdb_s3_use_ssl") === "OFF";
      buckets.add(values.get("tidesdb_s3_bucket") ?? "");
    });
  }
  if (buckets.size > 1) throw new CheckFailure(`the nodes use different buckets: ${[...buckets].join(", ")}`);
  const said = `${pods.length} nodes, bucket ${[...buckets].join()}`;
  if (!withoutTls) return said;
  if (context.access.configuration.objectStore.useTls)
    throw new CheckFailure("the object store is reached without TLS");
  return { warning: `${said}, without TLS, as the program says (objectStore.useTls)` };
}

async function rowsTravel(context: SqlContext): Promise<string> {
  const { clock, table, primary, replicas } = context;
  const began = clock.now();
  await withSession(context, primary, async session => {
    await session.query(`CREATE TABLE ${table} (id BIGINT NOT NULL PRIMARY KEY)`);
    await session.query(`INSERT INTO ${table} (id) VALUES (1), (2), (3)`);
  });
  for (const pod of replicas) {
    await withSession(context, pod, async session => {
      while ((await idsIn(session, table)).length < 3) {
        if (clock.now() - began > longestWay) throw new CheckFailure(`not on ${pod} after ${longestWay / 1000} s`);
        await clock.sleep(lookEvery);
      }
    });
  }
  if (replicas.length === 0) return "there is no replica; the primary takes writes";
  return `${replicas.length} replicas, ${((clock.now() - began) / 1000).toFixed(1)} s after it was sent, logins included`;
}

/** A table that is not there yet has no rows. */
export async function idsIn(session: SqlSession, table: string): Promise<number[]> {
  try {
    return (await session.query(`SELECT id FROM ${table}`)).map(({ id }) => Number(id));
  } catch (error) {
    if (error instanceof SqlFailure && error.errno === 1146) return [];
    throw error;
  }
}

async function replicasRefuse(context: SqlContext): Promise<string> {
  for (const pod of context.replicas) {
    await withSession(context, pod, async session => {
      try {
        await session.query(`INSERT INTO ${context.table} (id) VALUES (0)`);
      } catch (error) {
        if (error instanceof SqlFailure && error.errno === readOnlyServer) return;
        throw new CheckFailure(`${pod} refuses, but not because it is read-only: ${(error as Error).message}`);
      }
      throw new CheckFailure(`${pod} accepted a write`);
    });
  }
  return context.replicas.length === 0 ? "there is none" : `${context.replicas.length} with read_only`;
}

async function plainIsRefused(context: SqlContext): Promise<string | { warning: string }> {
  const { access, login, primary } = context;
  try {
    await withSession(context, primary, session => session.query("SELECT 1"), { ...login, authority: undefined });
  } catch (error) {
    const errno = error instanceof SqlFailure ? error.errno : undefined;
    if (errno === secureTransportRequired || (errno !== undefined && accessDenied.includes(errno))) {
      return "and the server's certificate is verified where there is TLS";
    }
    throw error;
  }
  const said = `${login.user} may connect without TLS`;
  if (!access.configuration.requireTls) return { warning: `${said}, as the program says (tls.required)` };
  throw new CheckFailure(said);
}

async function emptyPasswordsAreRefused(context: SqlContext): Promise<string> {
  const { access, login, primary, replicas } = context;
  const names = ["root", "mysql", "", ...access.configuration.users.map(({ name }) => name)];
  for (const pod of [primary, ...replicas]) {
    for (const user of names) {
      const attempt = { user, password: "", authority: login.authority };
      const entered = await withSession(context, pod, () => Promise.resolve(true), attempt).catch((error: unknown) => {
        if (error instanceof SqlFailure && error.errno !== undefined) return false;
        throw error;
      });
      if (entered) throw new CheckFailure(`${user === "" ? "anyone" : user} logs in to ${pod} without a password`);
    }
  }
  return `tried ${names.map(name => name || "an anonymous user").join(", ")}`;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
