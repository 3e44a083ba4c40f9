import { labels } from "../../components/core/podLayout";
import { CheckFailure, type CheckResult, Outcome, ran } from "./checks";
import { type FoundDatabase, podsOf } from "./databaseState";
import { KubectlError } from "./kubectl";
import { isReady, type Pod } from "./kubernetesObjects";
import { Progress } from "./progress";
import { SqlFailure } from "./sql";
import { idsIn, type SqlContext, withSession } from "./sqlChecks";
import type { Surroundings } from "./surroundings";

/** What a failover took. Seconds from the forced deletion; absent what did not come. */
export interface Drill {
  deleted: string;
  primary?: string;
  labelledSeconds?: number;
  writesSeconds?: number;
  readySeconds?: number;
}

/** Rows that are acknowledged before the deletion. */
const rowsBefore = 50;
/** Numbers of the drill's rows begin here: the checks before have used lower ones. */
const firstRow = 1000;
/** Milliseconds. */
const tryEvery = 100;
/** A failover that takes longer has not worked. Milliseconds. */
const longestOutage = 120_000;
/** A pod that comes back has to fetch its image, perhaps, and to follow. Milliseconds. */
const longestRecovery = 300_000;

/** The guide's step 9: deletes the primary by force, and looks whether another takes over with every acknowledged row. The table has to be there. */
export async function failoverDrill(
  { error }: Pick<Surroundings, "error">,
  database: FoundDatabase,
  context: SqlContext,
): Promise<{ results: CheckResult[]; drill: Drill }> {
  const { kubectl, clock, primary, table } = context;
  const drill: Drill = { deleted: primary };
  const progress = new Progress(error, clock);
  const old = (await podsOf(kubectl, database)).find(({ metadata }) => metadata.name === primary);
  const rows = Array.from({ length: rowsBefore }, (_, row) => firstRow + row);
  const written = await ran("rows are acknowledged before the primary is lost", () =>
    withSession(context, primary, async session => {
      for (const id of rows) await session.query(`INSERT INTO ${table} (id) VALUES (${id})`);
      return `${rows.length} rows`;
    }),
  );
  if (written.outcome !== Outcome.passed) return { results: [written], drill };

  const began = clock.now();
  const seconds = () => (clock.now() - began) / 1000;
  const until = <T>(what: string, most: number, look: () => Promise<T | undefined>) =>
    eventually(context, { what, until: began + most, progress }, look);
  const pods = () => podsOf(kubectl, database);
  const results = [written];

  results.push(
    await ran("a new primary accepts writes", async () => {
      const force = ["--grace-period=0", "--force", "--wait=false"];
      await kubectl.run(["delete", "pod", primary, "-n", database.namespace, ...force]);
      const next = await until("a new primary", longestOutage, async () => newPrimary(await pods(), old?.metadata.uid));
      drill.primary = next;
      drill.labelledSeconds = seconds();
      const id = firstRow + rows.length;
      await until("writes", longestOutage, () =>
        withSession(context, next, async session => {
          await session.query(`REPLACE INTO ${table} (id) VALUES (${id})`);
          return true;
        }),
      );
      rows.push(id);
      drill.writesSeconds = seconds();
      const [labelled, writes] = [drill.labelledSeconds, drill.writesSeconds].map(value => value.toFixed(1));
      return `${next}, labelled after ${labelled} s, writes after ${writes} s`;
    }),
  );
  results.push(await ran("every acknowledged row is there", () => intact(context, drill.primary, rows)));
  results.push(
    await ran("all pods are ready again", async () => {
      await until("all pods to be ready", longestRecovery, async () => {
        const found = await pods();
        return found.length >= (database.statefulSet.spec.replicas ?? 1) && found.every(isReady) ? true : undefined;
      });
      drill.readySeconds = seconds();
      return `after ${drill.readySeconds.toFixed(0)} s`;
    }),
  );
  progress.end();
  return { results, drill };
}

/** The pod that alone is labelled primary, when it is another one than before: a pod that came back has its name, and another UID. */
function newPrimary(pods: readonly Pod[], oldUid: string | undefined): string | undefined {
  const [primary, ...others] = pods.filter(({ metadata }) => metadata.labels?.[labels.role] === "primary");
  const isNew = primary !== undefined && others.length === 0 && primary.metadata.uid !== oldUid;
  return isNew ? primary.metadata.name : undefined;
}

async function intact(context: SqlContext, primary: string | undefined, rows: readonly number[]): Promise<string> {
  if (primary === undefined) throw new CheckFailure("there is no new primary to ask");
  const found = new Set(await withSession(context, primary, session => idsIn(session, context.table)));
  const lost = rows.filter(id => !found.has(id));
  if (lost.length > 0) throw new CheckFailure(`${lost.length} of ${rows.length} acknowledged rows are lost`);
  return `${rows.length} rows`;
}

/** Looks again and again. A look that fails counts as none: nodes come and go meanwhile. */
async function eventually<T>(
  { clock }: SqlContext,
  { what, until, progress }: { what: string; until: number; progress: Progress },
  look: () => Promise<T | undefined>,
): Promise<T> {
  let last = "";
  for (;;) {
    try {
      const answer = await look();
      if (answer !== undefined) return answer;
    } catch (problem) {
      if (!(problem instanceof KubectlError || problem instanceof SqlFailure)) throw problem;
      last = `: ${problem.message}`;
    }
    if (clock.now() >= until) throw new CheckFailure(`timed out waiting for ${what}${last}`);
    progress.say(`waiting for ${what}`);
    await clock.sleep(tryEvery);
  }
}
