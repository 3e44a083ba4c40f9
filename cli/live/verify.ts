import { randomBytes } from "node:crypto";
import { createInterface } from "node:readline/promises";
import { databaseNames } from "../../components/core/names";
import { alignedRows, type Terminal, terminalOf } from "../terminal";
import { readAccess, readPassword } from "./access";
import { type CheckResult, NotChecked, Outcome, ran } from "./checks";
import { clusterChecks } from "./clusterChecks";
import { clusterHelp, clusterOf, clusterOptions, readCommandLine } from "./commandLine";
import { type DatabaseState, findDatabase, type FoundDatabase, readDatabase } from "./databaseState";
import { type Drill, failoverDrill } from "./failoverDrill";
import { labelledPrimaries } from "./health";
import { type Kubectl, KubectlError } from "./kubectl";
import { whileSaying } from "./progress";
import { openSql, type OpenSql } from "./sql";
import { type SqlContext, sqlChecks, withSession, workingUser } from "./sqlChecks";
import { answering, LiveExit, processSurroundings, Refused, type Surroundings, UsageError } from "./surroundings";

/** What `tidesql verify --help` prints. */
export const verifyHelp = `Usage: tidesql verify [options]

Checks a running database: pods, roles, the plugin, the object store, replication of a row, and that no unauthorized login
succeeds. It creates a table of its own and drops it.

  --failover           also delete the primary by force, and measure the time until a new primary accepts writes; asks first
  --yes                do not ask
  --user NAME          the user for SQL (default: a declared one that may make tables)
  --json               print the report as JSON
${clusterHelp}

Exit code: 0 all passed, 1 a check failed or could not be made, 2 the command line is wrong or the cluster cannot be asked.
`;

/** What the checks need besides. */
export interface VerifySurroundings extends Surroundings {
  openSql: OpenSql;
  /** Asks a person; undefined where there is nobody to ask. */
  ask: ((question: string) => Promise<string>) | undefined;
}

/**
 * `tidesql verify`.
 * @param argv what follows `verify` on the command line
 * @returns the exit code, one of `LiveExit`
 */
export function runVerify(argv: readonly string[], surroundings: VerifySurroundings = processVerifySurroundings()) {
  return answering(surroundings, () => verify(argv, surroundings));
}

function processVerifySurroundings(): VerifySurroundings {
  // So that ports which are open then are closed: by the handlers of "exit".
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
  const ask = async (question: string) => {
    const reader = createInterface({ input: process.stdin, output: process.stderr });
    try {
      return await reader.question(question);
    } finally {
      reader.close();
    }
  };
  return { ...processSurroundings(), openSql, ask: process.stdin.isTTY ? ask : undefined };
}

async function verify(argv: readonly string[], surroundings: VerifySurroundings): Promise<LiveExit> {
  const { out, clock } = surroundings;
  const flag = { type: "boolean", default: false } as const;
  const options = { ...clusterOptions, failover: flag, yes: flag, json: flag, user: { type: "string" } } as const;
  const { values } = readCommandLine(argv, options, verifyHelp);
  if (values.help) {
    out.write(verifyHelp);
    return LiveExit.good;
  }
  const kubectl = surroundings.kubectl(clusterOf(values));
  const database = await findDatabase(kubectl, values);
  const state = await whileSaying(surroundings, "asking the nodes", readDatabase(kubectl, database));
  if (values.failover && !values.yes) await mustBeMeant(state, surroundings);
  const results = await clusterChecks(kubectl, state, clock.today());
  const { results: bySql, drill } = await checksBySql(surroundings, kubectl, database, state, values);
  results.push(...bySql);
  const passed = results.every(({ outcome }) => outcome === Outcome.passed || outcome === Outcome.warning);
  out.write(
    values.json
      ? `${JSON.stringify({ name: database.name, namespace: database.namespace, passed, checks: results, drill }, null, 2)}\n`
      : report(database, results, terminalOf(out)),
  );
  return passed ? LiveExit.good : LiveExit.bad;
}

async function mustBeMeant(state: DatabaseState, { ask }: VerifySurroundings): Promise<void> {
  const [primary] = labelledPrimaries(state);
  if (primary === undefined) return;
  if (ask === undefined)
    throw new UsageError("--failover deletes the primary by force: say --yes where nobody can be asked.");
  const question = `This deletes ${primary.pod} of ${state.name} by force; writes pause for some seconds. Type yes to go on: `;
  if ((await ask(question)).trim() !== "yes") throw new Refused("Nothing was done.");
}

async function checksBySql(
  surroundings: VerifySurroundings,
  kubectl: Kubectl,
  database: FoundDatabase,
  state: DatabaseState,
  { failover, user }: { failover: boolean; user?: string },
): Promise<{ results: CheckResult[]; drill?: Drill }> {
  let context: SqlContext | undefined;
  const entered = await ran("a declared user logs in over TLS", async () => {
    context = await contextFor(surroundings, kubectl, database, state, user);
    await withSession(context, context.primary, session => session.query("SELECT 1"));
    return `${context.login.user}, the server's certificate verified`;
  });
  if (context === undefined || entered.outcome !== Outcome.passed) return { results: [entered] };
  const ready = context;
  try {
    const results = [entered, ...(await whileSaying(surroundings, "asking the servers", sqlChecks(ready)))];
    if (!failover) return { results };
    const { results: ofDrill, drill } = await failoverDrill(surroundings, database, ready);
    // The node that is primary then drops the table.
    context = { ...ready, primary: drill.primary ?? ready.primary };
    return { results: [...results, ...ofDrill], drill };
  } finally {
    await dropTable(context);
  }
}

async function contextFor(
  { openSql: open, clock }: VerifySurroundings,
  kubectl: Kubectl,
  database: FoundDatabase,
  state: DatabaseState,
  wanted: string | undefined,
): Promise<SqlContext> {
  const [primary, ...others] = labelledPrimaries(state);
  if (primary === undefined || others.length > 0)
    throw new NotChecked("there has to be one primary for the checks by SQL");
  const { name, namespace } = database;
  const access = await readAccess(kubectl, database).catch(unreadable);
  const { user, database: ownDatabase } = workingUser(access, wanted);
  const password = await readPassword(kubectl, database, access, user.name).catch(unreadable);
  const { headlessService } = databaseNames(name, namespace, 1);
  return {
    kubectl,
    openSql: open,
    clock,
    access,
    login: { user: user.name, password, authority: access.authority },
    database: ownDatabase,
    table: `${ownDatabase}.tidesql_verify_${randomBytes(4).toString("hex")}`,
    targetOf: pod => ({ namespace, pod, headlessService }),
    primary: primary.pod,
    replicas: state.nodes.filter(({ label }) => label === "replica").map(({ pod }) => pod),
  };
}

/** Who may not read what a login needs can still have the rest of the report. */
function unreadable(error: unknown): never {
  throw error instanceof KubectlError ? new NotChecked(error.message) : error;
}

/** What is left over after a lost primary is a small table: no reason to hide the report. */
async function dropTable(context: SqlContext): Promise<void> {
  const { primary, table } = context;
  await withSession(context, primary, session => session.query(`DROP TABLE IF EXISTS ${table}`)).catch(() => undefined);
}

function report({ name, namespace }: FoundDatabase, results: readonly CheckResult[], terminal: Terminal): string {
  const marks: Record<Outcome, string> = {
    [Outcome.passed]: "ok",
    [Outcome.failed]: "FAILED",
    [Outcome.warning]: "warning",
    [Outcome.notChecked]: "not checked",
  };
  const rows = alignedRows(
    results.map(({ name: check, outcome }) => [marks[outcome], check]),
    [{ align: "left" }, { align: "left" }],
  );
  const lines = rows.map(([mark = "", check = ""], index) => {
    const { outcome = Outcome.passed, detail = "" } = results[index] ?? {};
    const text = `  ${mark}  ${check}  ${detail}`;
    return outcome === Outcome.passed ? text : terminal.warning(text);
  });
  const count = (wanted: Outcome) => results.filter(({ outcome }) => outcome === wanted).length;
  const words = Object.values(Outcome).flatMap(outcome => (count(outcome) > 0 ? [`${count(outcome)} ${outcome}`] : []));
  const title = `${terminal.heading(name)} in namespace ${namespace}`;
  return `${[title, ...lines, terminal.strong(`${words.join(", ")}.`)].join("\n")}\n`;
}
