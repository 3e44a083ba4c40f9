import { performance } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";
import { Deployment, roleOf } from "../deployment";
import { Pod } from "../kubernetes";
import { audit, Audit, LedgerEntry, outages } from "../ledger";
import { LedgerWriter } from "../writer";
import { FaultClass, FaultContext, Heal } from "./classes";
import { FaultRun, lossBeyondPromise } from "./summary";

/** Writes that must be acknowledged before a fault, and after it before it counts as over: two seconds of a steady client. */
const steadyWrites = 20;
/** Writes must be back this soon, whatever a class promises: later than this a run is given up. Seconds. */
const recoverySeconds = 90;
/** All pods must be ready again this soon after a fault was healed: a crashed node is noticed after 40 s and its pods come back after that. Seconds. */
const healthySeconds = 240;
/** A replica must show every row this soon after the last write. Seconds. */
const replicaSeconds = 30;

export interface MeasureOptions {
  /** Counted from 1. */
  run: number;
  durability: string;
  /** `database.table`; made where it is missing. */
  table: string;
  /** Number of this run's first row: runs before it have left theirs. */
  firstId: number;
}

/** Does one fault to a healthy database under load and measures what a client outside the cluster sees of it. A run that cannot be completed is a result too. */
export async function measure(
  fault: FaultClass,
  deployment: Deployment,
  { run, durability, table, firstId }: MeasureOptions,
): Promise<FaultRun> {
  const at = new Date().toISOString();
  let writer: LedgerWriter | undefined;
  let failure: string | undefined;
  let result: Audit | undefined;
  let stoppedAt: number;
  try {
    const context = await prepare(deployment);
    await deployment.query("primary", `CREATE TABLE IF NOT EXISTS ${table} (id BIGINT NOT NULL PRIMARY KEY)`);
    const { suspectAfterMilliseconds } = fault;
    writer = deployment.write({ table, firstId, ...(suspectAfterMilliseconds && { suspectAfterMilliseconds }) });
    await writer.acknowledgements(steadyWrites, 15);
    await injectAndHeal(fault, context, writer);
    await deployment.healthy(healthySeconds);
    stoppedAt = performance.now();
    result = await auditEverywhere(deployment, table, firstId, await writer.stop());
  } catch (error) {
    stoppedAt = performance.now();
    failure = error instanceof Error ? error.message : String(error);
  }
  const entries = (await writer?.stop()) ?? [];
  const threshold = fault.outageThresholdMilliseconds;
  const found = writer ? outages(entries, writer.startedAt, stoppedAt, threshold) : [];
  return {
    class: fault.name,
    run,
    at,
    durability,
    writes: entries.length,
    acknowledged: entries.filter(entry => entry.acknowledgedAtMilliseconds !== undefined).length,
    outagesMilliseconds: found.map(outage => Math.round(outage.durationMilliseconds)),
    lost: result?.lost ?? [],
    lostBeyondPromise: result ? lossBeyondPromise(fault, durability, entries, found, result) : [],
    presentUnacknowledged: result?.presentUnacknowledged.length ?? 0,
    duplicated: result?.duplicated.length ?? 0,
    unknown: result?.unknown.length ?? 0,
    ...(failure !== undefined && { failure }),
  };
}

async function prepare(deployment: Deployment): Promise<FaultContext> {
  const pods = await withoutRestarts(deployment);
  const primary = pods.find(pod => roleOf(pod) === "primary");
  const [replica, ...others] = pods.filter(pod => roleOf(pod) === "replica");
  if (!primary || !replica) throw new Error("a fault needs a primary and a replica");
  const takenOver = () =>
    deployment.kubernetes.until(
      "another primary",
      async () => (await deployment.primary()).metadata.uid !== primary.metadata.uid,
      { deadlineSeconds: recoverySeconds, namespace: deployment.options.namespace },
    );
  return { deployment, primary, replicas: [replica, ...others], takenOver };
}

async function injectAndHeal(fault: FaultClass, context: FaultContext, writer: LedgerWriter): Promise<void> {
  const heal = await inject(fault, context);
  const holdMilliseconds = (fault.holdSeconds ?? 0) * 1000;
  // Writes must come back while the fault lasts, unless the promise allows an outage as long as the fault.
  const comesBackBefore = fault.holdSeconds === undefined || fault.outageBoundMilliseconds < holdMilliseconds;
  try {
    await pause(holdMilliseconds);
    if (comesBackBefore) await writer.acknowledgements(steadyWrites, recoverySeconds);
  } finally {
    await heal();
  }
  await writer.acknowledgements(steadyWrites, recoverySeconds);
}

/** Replaces pods whose containers have restarted: the kubelet lets such a container wait longer each time, which would be measured instead of the fault. */
async function withoutRestarts(deployment: Deployment): Promise<Pod[]> {
  const restarted = ({ status }: Pod) => status.containerStatuses?.some(container => container.restartCount > 0);
  for (;;) {
    const pods = await deployment.healthy(healthySeconds);
    const [pod] = pods.filter(restarted);
    if (pod === undefined) return pods;
    const { namespace } = deployment.options;
    await deployment.kubernetes.kubectl(["delete", "pod", pod.metadata.name, "-n", namespace, "--timeout=150s"], {
      deadlineSeconds: 160,
    });
  }
}

function inject(fault: FaultClass, context: FaultContext): Promise<Heal> {
  if (!fault.needsSandbox) return fault.inject(context);
  const { sandbox } = context.deployment.environment;
  if (!sandbox) throw new Error(`the class ${fault.name} needs the sandbox`);
  return fault.inject({ ...context, sandbox });
}

/** The primary must hold every row, and every replica must come to show what the primary holds. */
async function auditEverywhere(
  deployment: Deployment,
  table: string,
  firstId: number,
  entries: LedgerEntry[],
): Promise<Audit> {
  const ids = async (node: "primary" | Pod) => (await deployment.ids(node, table)).filter(id => id >= firstId);
  const onPrimary = audit(entries, await ids("primary"));
  const replicas = (await deployment.pods()).filter(pod => roleOf(pod) === "replica");
  for (const replica of replicas) await agree(deployment, replica, () => ids(replica), entries, onPrimary);
  return onPrimary;
}

/** What one audit has found and the other has not, for a person. */
function differences(expected: Audit, found: Audit): string {
  const [left, right] = [expected, found].map(audit =>
    Object.entries(audit).map(([key, value]) => `${key} ${JSON.stringify(value)}`),
  );
  return `${right!.filter(text => !left!.includes(text)).join(", ")} instead of ${left!.filter(text => !right!.includes(text)).join(", ")}`;
}

async function agree(
  deployment: Deployment,
  replica: Pod,
  read: () => Promise<number[]>,
  entries: LedgerEntry[],
  onPrimary: Audit,
): Promise<void> {
  const { name } = replica.metadata;
  let seen = "nothing";
  const same = async () => {
    const ids = await read().catch((error: unknown) => String(error));
    if (typeof ids === "string") {
      seen = ids;
      return false;
    }
    const found = audit(entries, ids);
    seen = differences(onPrimary, found);
    return JSON.stringify(found) === JSON.stringify(onPrimary);
  };
  const { namespace } = deployment.options;
  const limits = { deadlineSeconds: replicaSeconds, namespace };
  await deployment.kubernetes.until(`${name} to show the same rows as the primary`, same, limits).catch(() => {
    throw new Error(`${name} does not show the same rows as the primary after ${replicaSeconds} s: ${seen}`);
  });
}
