import { CheckFailure, type CheckResult, ran } from "./checks";
import type { DatabaseState } from "./databaseState";
import { candidates, holderPod, labelledPrimaries, problemsOf } from "./health";
import { getJson, type Kubectl, KubectlError } from "./kubectl";
import type { Metadata, ObjectList } from "./kubernetesObjects";

const zoneLabel = "topology.kubernetes.io/zone";

/** What the cluster and the managers say: no SQL is needed for it. */
export async function clusterChecks(kubectl: Kubectl, state: DatabaseState, today: Date): Promise<CheckResult[]> {
  return [
    await ran("all pods are ready", () => Promise.resolve(readiness(state))),
    await ran("pods are spread", () => spread(kubectl, state)),
    await ran("there is one primary, which holds the Lease", () => Promise.resolve(onePrimary(state))),
    await ran("replicas follow", () => Promise.resolve(following(state))),
    await ran("no manager reports a problem", () => Promise.resolve(contentment(state, today))),
  ];
}

function readiness({ nodes, wanted }: DatabaseState): string {
  const waiting = nodes.filter(({ isReady }) => !isReady);
  if (waiting.length > 0) {
    throw new CheckFailure(`not ready: ${waiting.map(({ pod, phase }) => `${pod} (${phase})`).join(", ")}`);
  }
  return `${nodes.length} of ${wanted}`;
}

async function spread(kubectl: Kubectl, { nodes }: DatabaseState): Promise<string> {
  const machines = nodes.flatMap(({ kubernetesNode }) => kubernetesNode ?? []);
  const distinct = new Set(machines);
  if (distinct.size < machines.length) {
    throw new CheckFailure(
      `${machines.length} pods share ${distinct.size} nodes: one node failure takes several of them`,
    );
  }
  return `${distinct.size} nodes, ${await zonesOf(kubectl, distinct)}`;
}

/** Machines belong to no namespace: not everybody may look at them. */
async function zonesOf(kubectl: Kubectl, machines: ReadonlySet<string>): Promise<string> {
  try {
    const { items } = await getJson<ObjectList<{ metadata: Metadata }>>(kubectl, ["nodes"]);
    const zones = new Set(
      items.flatMap(({ metadata }) => (machines.has(metadata.name) ? (metadata.labels?.[zoneLabel] ?? []) : [])),
    );
    if (zones.size === 0) return "zones unknown: the nodes have no zone label";
    return `${zones.size} zone${zones.size === 1 ? "" : "s"} (${[...zones].sort().join(", ")})`;
  } catch (error) {
    if (!(error instanceof KubectlError)) throw error;
    return "zones unknown: you have no permission to list nodes";
  }
}

function onePrimary(state: DatabaseState): string {
  const [primary, ...others] = labelledPrimaries(state);
  if (primary === undefined) throw new CheckFailure("no pod is labelled primary");
  if (others.length > 0) {
    throw new CheckFailure(`labelled primary: ${[primary, ...others].map(({ pod }) => pod).join(", ")}`);
  }
  if (state.lease === undefined) throw new CheckFailure(`the Lease cannot be read: ${state.leaseProblem}`);
  const holder = holderPod(state.lease.holder);
  if (holder !== primary.pod)
    throw new CheckFailure(`${primary.pod} is, and the Lease is held by ${holder || "nobody"}`);
  return `${primary.pod}, epoch ${state.lease.epoch}`;
}

function following(state: DatabaseState): string {
  const able = candidates(state);
  if (able.length < state.wanted - 1) {
    throw new CheckFailure(`${able.length} of ${state.wanted - 1} replicas follow`);
  }
  const lags = able.map(({ status }) => status?.heartbeatAgeSeconds ?? 0);
  return able.length === 0 ? "there is none" : `${able.length}, at most ${Math.max(...lags).toFixed(1)} s behind`;
}

function contentment(state: DatabaseState, today: Date): string {
  const problems = problemsOf(state, today);
  if (problems.length > 0) throw new CheckFailure(problems.join("; "));
  return "no alarm, no refusal, certificates valid";
}
