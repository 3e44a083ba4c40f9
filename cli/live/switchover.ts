import { annotations, anySuccessor } from "../../components/core/podLayout";
import { clusterHelp, clusterOf, clusterOptions, readCommandLine, secondsOf } from "./commandLine";
import { type DatabaseState, findDatabase, type NodeState, readDatabase } from "./databaseState";
import { candidates, labelledPrimaries } from "./health";
import { answering, LiveExit, processSurroundings, Refused, type Surroundings } from "./surroundings";
import { takeover } from "./takeover";

/** What `tidesql switchover --help` prints. */
export const switchoverHelp = `Usage: tidesql switchover [NODE] [options]

Moves the primary in an orderly way: it stops accepting writes, uploads the rest of its data, and hands over. Nothing acknowledged is lost.

  NODE                 the pod that takes over (default: the most advanced replica)
  --timeout SECONDS    how long to wait for the new primary (default: 60)
${clusterHelp}

Exit code: 0 done, 1 refused or not done in time, 2 the command line is wrong or the cluster cannot be asked.
`;

/**
 * `tidesql switchover`.
 * @param argv what follows `switchover` on the command line
 * @returns the exit code, one of `LiveExit`
 */
export function runSwitchover(argv: readonly string[], surroundings: Surroundings = processSurroundings()) {
  return answering(surroundings, () => switchover(argv, surroundings));
}

async function switchover(argv: readonly string[], surroundings: Surroundings): Promise<LiveExit> {
  const { out } = surroundings;
  const options = { ...clusterOptions, timeout: { type: "string" } } as const;
  const { values, positionals } = readCommandLine(argv, options, switchoverHelp, 1);
  if (values.help) {
    out.write(switchoverHelp);
    return LiveExit.good;
  }
  const timeoutSeconds = secondsOf("timeout", values.timeout, 60);
  const [wanted] = positionals;
  const kubectl = surroundings.kubectl(clusterOf(values));
  const database = await findDatabase(kubectl, values);
  const state = await readDatabase(kubectl, database);
  const primary = onlyPrimary(state);
  if (primary.pod === wanted) {
    out.write(`${primary.pod} is already the primary.\n`);
    return LiveExit.good;
  }
  mustBeAbleToFollow(state, wanted);
  const request = { pod: primary.pod, annotation: annotations.switchover, value: wanted ?? anySuccessor };
  const { pod, seconds } = await takeover(surroundings, kubectl, database, request, {
    isNew: ({ metadata }) => metadata.name !== primary.pod || metadata.uid !== primary.uid,
    isTurnedDown: current => current?.metadata.uid === primary.uid && current?.metadata.name === primary.pod,
    timeoutSeconds,
  });
  out.write(`${pod} is the primary, ${seconds.toFixed(1)} s after ${primary.pod} was asked to hand over.\n`);
  if (wanted === undefined || pod === wanted) return LiveExit.good;
  throw new Refused(`${wanted} was requested, but could not take over at that moment.`);
}

function onlyPrimary(state: DatabaseState): NodeState {
  const [primary, ...others] = labelledPrimaries(state);
  if (primary === undefined) {
    throw new Refused("There is no primary that could hand over. `tidesql status` says what is wrong.");
  }
  if (others.length === 0) return primary;
  const names = [primary, ...others].map(({ pod }) => pod).join(" and ");
  throw new Refused(`${names} are labelled primary: the managers correct that within seconds. Try again then.`);
}

/** A primary that hands over to nobody would leave no primary at all. */
function mustBeAbleToFollow(state: DatabaseState, wanted: string | undefined): void {
  const able = candidates(state);
  if (wanted === undefined) {
    if (able.length > 0) return;
    throw new Refused("No replica could take over: none is following the primary. `tidesql status` says why.");
  }
  if (able.some(({ pod }) => pod === wanted)) return;
  const node = state.nodes.find(({ pod }) => pod === wanted);
  if (node === undefined) {
    const names = state.nodes.map(({ pod }) => pod).join(", ");
    throw new Refused(`There is no node "${wanted}" in ${state.name}. There are: ${names}.`);
  }
  throw new Refused(`${wanted} cannot take over: ${whyNot(node)}.`);
}

function whyNot({ status, silence }: NodeState): string {
  if (status === undefined) return `its manager does not answer (${silence ?? "no reason given"})`;
  if (status.refusal) return status.refusal.message;
  if (status.engine.state !== "running") return `mariadbd is ${status.engine.state}`;
  return "it does not follow the primary yet";
}
