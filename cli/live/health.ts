import type { DatabaseState, NodeState } from "./databaseState";

/** A replica that is further behind is worth a look. Seconds. */
const longestLagSeconds = 10;
/** In the modes that ship all the time, what waits longer does not reach the bucket. Seconds. */
const longestWaitSeconds = 60;
/** Time enough to plan a deployment, which renews the certificate and replaces the pods one by one. Days. */
const leastValidityDays = 30;

const millisecondsPerDay = 86_400_000;

/** Everything about a database that a person should do something about; nothing when it is healthy. The gravest comes first. */
export function problemsOf(state: DatabaseState, today: Date): string[] {
  const hasPrimary = labelledPrimaries(state).length > 0;
  return [
    ...primaryProblems(state),
    ...alarms(state),
    ...state.nodes.flatMap(node => nodeProblems(node, hasPrimary, today)),
    ...candidateProblems(state),
    ...versionProblems(state),
    ...(state.leaseProblem === undefined ? [] : [`the Lease cannot be read: ${state.leaseProblem}`]),
  ];
}

/** Nodes that clients are sent to for writes. */
export function labelledPrimaries({ nodes }: DatabaseState): NodeState[] {
  return nodes.filter(({ label }) => label === "primary");
}

/** Replicas that could be promoted now without a loss that the durability rules out. */
export function candidates({ nodes }: DatabaseState): NodeState[] {
  return nodes.filter(({ status }) => status?.following === "following" && status.refusal === undefined);
}

/** The pod's name in the Lease's holder. */
export function holderPod(holder: string): string {
  const end = holder.lastIndexOf("_");
  return end < 0 ? holder : holder.slice(0, end);
}

/** Whole days from now until then; negative when it is over. */
export function daysUntil(isoTime: string, today: Date): number {
  return Math.floor((Date.parse(isoTime) - today.getTime()) / millisecondsPerDay);
}

function primaryProblems(state: DatabaseState): string[] {
  const primaries = labelledPrimaries(state);
  const [primary, ...others] = primaries;
  if (primary === undefined) return ["no primary: writes have nowhere to go"];
  if (others.length > 0) {
    const names = primaries.map(({ pod }) => pod).join(" and ");
    return [`${primaries.length} pods are labelled primary (${names}): one of the labels is wrong`];
  }
  const holder = holderPod(state.lease?.holder ?? "");
  if (state.lease === undefined || holder === primary.pod) return [];
  return [`${primary.pod} is labelled primary, and the Lease is held by ${holder === "" ? "nobody" : holder}`];
}

/** Said once, no matter which check says it. */
function alarms({ nodes }: DatabaseState): string[] {
  return [...new Set(nodes.flatMap(({ status }) => (status?.refusal ? [] : (status?.alarm ?? []))))];
}

function nodeProblems(node: NodeState, hasPrimary: boolean, today: Date): string[] {
  const { pod, status } = node;
  if (status === undefined) return [`${pod} does not answer (${node.phase}): ${node.silence ?? "no reason given"}`];
  if (status.refusal) return [`${pod} has refused to start: ${status.refusal.message}`];
  const problems: string[] = [];
  if (status.engine.state !== "running") {
    const failures = status.engine.failures > 0 ? `, after ${status.engine.failures} failures` : "";
    problems.push(`${pod}: mariadbd is ${status.engine.state}${failures}`);
  } else if (status.following === "joining") {
    problems.push(`${pod} does not follow the primary yet`);
  } else if (!node.isReady) {
    problems.push(`${pod} is not ready`);
  }
  if (status.engine.writesStopped) {
    problems.push(`${pod} has stopped writes: more data is missing from the bucket than the database may lose`);
  }
  const age = status.heartbeatAgeSeconds;
  if (age !== undefined && age > longestLagSeconds) {
    if (status.engine.role === "primary") problems.push(`${pod} has written no heartbeat for ${age.toFixed(0)} s`);
    // One that joins says so above; and while there is no primary, nobody writes what a replica could be behind of.
    else if (status.following === "following" && hasPrimary) problems.push(`${pod} is behind by ${age.toFixed(0)} s`);
  }
  const waiting = status.notInBucket?.oldestSeconds;
  if (waiting !== undefined && waiting > longestWaitSeconds) {
    problems.push(`${pod} has had data for ${waiting.toFixed(0)} s that is not in the bucket`);
  }
  const days = status.certificateExpires === undefined ? undefined : daysUntil(status.certificateExpires, today);
  if (days !== undefined && days < leastValidityDays) {
    const when = days < 0 ? "has expired" : `expires in ${days} days`;
    problems.push(`${pod}: its certificate ${when}; a deployment renews it`);
  }
  return problems;
}

function candidateProblems(state: DatabaseState): string[] {
  if (state.wanted < 2 || labelledPrimaries(state).length === 0 || candidates(state).length > 0) return [];
  return ["no replica follows: should the primary be lost, writes pause until one has started"];
}

function versionProblems({ nodes }: DatabaseState): string[] {
  const versions = new Set(nodes.flatMap(({ status }) => status?.engine.version ?? []));
  return versions.size < 2
    ? []
    : [`engine versions differ (${[...versions].sort().join(", ")}): an update is in progress or has stopped halfway`];
}
