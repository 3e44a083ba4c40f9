import { acceptDataLoss, annotations } from "../../components/core/podLayout";
import { clusterHelp, clusterOf, clusterOptions, readCommandLine, secondsOf } from "./commandLine";
import { type DatabaseState, findDatabase, type NodeState, readDatabase } from "./databaseState";
import { candidates, holderPod, labelledPrimaries } from "./health";
import { answering, LiveExit, processSurroundings, Refused, type Surroundings, UsageError } from "./surroundings";
import { takeover } from "./takeover";

/** What `tidesql promote --help` prints. */
export const promoteHelp = `Usage: tidesql promote NODE --accept-data-loss [options]

Makes a node the primary that may lack acknowledged writes: the way out when no replica could take over, and the last primary's volume will not come back. Without
--accept-data-loss it says what would be lost, and does nothing.

  NODE                 the pod that is to become primary, with what the bucket holds
  --accept-data-loss   what never reached the bucket is given up for good
  --timeout SECONDS    how long to wait for the new primary (default: 60)
${clusterHelp}

Exit code: 0 done, 1 refused or not done in time, 2 without --accept-data-loss, or the cluster cannot be asked.
`;

/**
 * `tidesql promote`.
 * @param argv what follows `promote` on the command line
 * @returns the exit code, one of `LiveExit`
 */
export function runPromote(argv: readonly string[], surroundings: Surroundings = processSurroundings()) {
  return answering(surroundings, () => promote(argv, surroundings));
}

async function promote(argv: readonly string[], surroundings: Surroundings): Promise<LiveExit> {
  const { out } = surroundings;
  const options = {
    ...clusterOptions,
    "accept-data-loss": { type: "boolean", default: false },
    timeout: { type: "string" },
  } as const;
  const { values, positionals } = readCommandLine(argv, options, promoteHelp, 1);
  if (values.help) {
    out.write(promoteHelp);
    return LiveExit.good;
  }
  const [pod] = positionals;
  if (pod === undefined) throw new UsageError(`Name the node that is to become primary.\n\n${promoteHelp}`);
  const timeoutSeconds = secondsOf("timeout", values.timeout, 60);
  const kubectl = surroundings.kubectl(clusterOf(values));
  const database = await findDatabase(kubectl, values);
  const state = await readDatabase(kubectl, database);
  mustBeTheLastResort(state, pod);
  if (!values["accept-data-loss"]) throw new UsageError(priceOf(state, pod));

  const request = { pod, annotation: annotations.promote, value: acceptDataLoss };
  const { seconds } = await takeover(surroundings, kubectl, database, request, {
    isNew: ({ metadata }) => metadata.name === pod,
    timeoutSeconds,
  });
  out.write(`${pod} is the primary, ${seconds.toFixed(1)} s after it was asked.\n`);
  return LiveExit.good;
}

/** As long as anything else could bring the database back, nothing needs to be given up. */
function mustBeTheLastResort(state: DatabaseState, wanted: string): void {
  const node = state.nodes.find(({ pod }) => pod === wanted);
  if (node === undefined) {
    const names = state.nodes.map(({ pod }) => pod).join(", ");
    throw new Refused(`There is no node "${wanted}" in ${state.name}. There are: ${names}.`);
  }
  const serving = labelledPrimaries(state).find(
    ({ status, isReady }) => isReady || (status?.engine.state === "running" && status.engine.role === "primary"),
  );
  if (serving !== undefined) {
    throw new Refused(`${serving.pod} is the primary, and serves. \`tidesql switchover\` moves it without a loss.`);
  }
  const [candidate] = candidates(state);
  if (candidate !== undefined) {
    throw new Refused(
      `${candidate.pod} has followed the last primary, and takes over by itself within seconds: nothing needs to be given up. \`tidesql status\` says what it waits for.`,
    );
  }
  const complete = state.nodes.find(({ status }) => status?.volume.resumable);
  if (complete !== undefined) {
    throw new Refused(
      `${complete.pod} has the last primary's volume, and resumes by itself: nothing needs to be given up. \`tidesql status\` says what it waits for.`,
    );
  }
  if (node.status === undefined) {
    throw new Refused(`${wanted} does not answer: ${node.silence ?? "no reason given"}. It cannot be promoted.`);
  }
}

/** What a promotion costs, as far as the nodes that answer know. */
function priceOf(state: DatabaseState, wanted: string): string {
  const owner = lastOwner(state);
  const silent = state.nodes.filter(({ status }) => status === undefined).map(({ pod }) => pod);
  const durability = state.nodes.flatMap(({ status }) => status?.durability ?? [])[0];
  const lines = [
    `Promoting ${wanted} gives up, for good, every acknowledged write that is not in the bucket.`,
    owner === undefined
      ? "The last primary is unknown: no node that answers has read the bucket's record."
      : `The last primary was ${holderPod(owner.holder)}, in epoch ${owner.epoch}; its volume is waited for.`,
    ...(owner?.clean
      ? ["It shut down cleanly: everything acknowledged is in the bucket, and nothing would be lost."]
      : []),
    ...(silent.length > 0 ? [`These nodes do not answer, and may have that volume: ${silent.join(", ")}.`] : []),
    ...(durability === undefined || owner?.clean ? [] : [boundOf(durability)]),
    ...state.nodes.flatMap(followedLine),
    "If that volume can come back, bring it back instead: then nothing is lost.",
    `If it cannot: tidesql promote ${wanted} --accept-data-loss --namespace ${state.namespace} --name ${state.name}`,
  ];
  return lines.join("\n");
}

function lastOwner({ nodes }: DatabaseState) {
  const owners = nodes.flatMap(({ status }) => status?.owner ?? []);
  return owners.sort((a, b) => b.epoch - a.epoch)[0];
}

function boundOf(durability: string): string {
  const bounds: Record<string, string> = {
    commit: "With durability commit the bucket has every acknowledged write.",
    interval: "With durability interval that is about the last quarter of a second, and more if the bucket was slow.",
  };
  return bounds[durability] ?? `The durability is ${durability}.`;
}

function followedLine({ pod, status }: NodeState): string[] {
  if (status === undefined) return [];
  const { epoch, beat } = status.followed;
  return epoch === 0
    ? [`  ${pod} has followed nothing since it started`]
    : [`  ${pod} has followed up to heartbeat ${beat} of epoch ${epoch} (one is written a second)`];
}
