import { labels } from "../../components/core/podLayout";
import { type FoundDatabase, podsOf, readDatabase } from "./databaseState";
import { problemsOf } from "./health";
import { getJson, type Kubectl, KubectlError } from "./kubectl";
import type { Event, ObjectList, Pod } from "./kubernetesObjects";
import { Progress } from "./progress";
import { Refused, type Surroundings } from "./surroundings";

/** Labels are looked at this often. Milliseconds. */
const lookEvery = 250;

/** What a person asks of one node's manager, by an annotation of its pod. */
export interface TakeoverRequest {
  /** The pod that is asked. */
  pod: string;
  annotation: string;
  value: string;
}

/** What is waited for. */
export interface TakeoverExpectation {
  isNew: (primary: Pod) => boolean;
  /** Whether this primary, whose request is gone, says that nothing will come of it. */
  isTurnedDown?: (primary: Pod | undefined) => boolean;
  timeoutSeconds: number;
}

/** A new primary, and the time from the request until its label was seen. */
export interface Takeover {
  pod: string;
  seconds: number;
}

/**
 * Asks a manager, and waits until a pod that `isNew` accepts is the only one labelled primary. A request that has led to nothing in time is withdrawn: nobody expects it to
 * be carried out later.
 * @throws Refused when it does not happen in time, with what is wrong then
 */
export async function takeover(
  { clock, error }: Pick<Surroundings, "clock" | "error">,
  kubectl: Kubectl,
  database: FoundDatabase,
  request: TakeoverRequest,
  { isNew, isTurnedDown = () => false, timeoutSeconds }: TakeoverExpectation,
): Promise<Takeover> {
  const annotate = (change: string) =>
    kubectl.run(["annotate", "pod", request.pod, "-n", database.namespace, "--overwrite", change]);
  const progress = new Progress(error, clock);
  const asked = clock.now();
  await annotate(`${request.annotation}=${request.value}`);
  const deadline = asked + timeoutSeconds * 1000;
  let taken = false;
  let lastProblem = "";
  while (clock.now() < deadline) {
    try {
      const pods = await podsOf(kubectl, database);
      const primaries = pods.filter(({ metadata }) => metadata.labels?.[labels.role] === "primary");
      const [primary, ...others] = primaries;
      if (primary !== undefined && others.length === 0 && isNew(primary)) {
        progress.end();
        return { pod: primary.metadata.name, seconds: (clock.now() - asked) / 1000 };
      }
      const pod = pods.find(({ metadata }) => metadata.name === request.pod);
      taken = pod !== undefined && pod.metadata.annotations?.[request.annotation] === undefined;
      // Roles and requests come from one look: a primary without its request has turned it down, or taken its handover back.
      if (taken && isTurnedDown(primary)) throw new Refused(await refusalText(kubectl, database, request.pod));
      progress.say(stageOf(primary, taken));
    } catch (problem) {
      // The API server may be away for a moment, and the database goes on without it.
      if (!(problem instanceof KubectlError)) throw problem;
      lastProblem = problem.message;
      progress.say("the cluster does not answer");
    }
    await clock.sleep(lookEvery);
  }
  progress.end();
  if (!taken) await annotate(`${request.annotation}-`).catch(() => undefined);
  const what = taken
    ? `${request.pod} accepted the request, but there is no new primary after ${timeoutSeconds} s.`
    : `${request.pod} did not accept the request within ${timeoutSeconds} s; the request is withdrawn.`;
  throw new Refused([what, ...(await reasons(kubectl, database, lastProblem, clock.today()))].join("\n"));
}

function stageOf(primary: Pod | undefined, taken: boolean): string {
  if (primary === undefined) return "no primary at the moment: waiting for the new one";
  return taken ? `${primary.metadata.name} hands over` : `waiting for ${primary.metadata.name} to accept the request`;
}

/** The manager's own words are in an Event on its pod. */
async function refusalText(kubectl: Kubectl, { namespace }: FoundDatabase, pod: string): Promise<string> {
  const selector = `involvedObject.kind=Pod,involvedObject.name=${pod},type=Warning`;
  const said = await getJson<ObjectList<Event>>(kubectl, [
    "events",
    "-n",
    namespace,
    "--field-selector",
    selector,
  ]).then(
    ({ items }) =>
      items
        .filter(({ reason }) => reason?.startsWith("Switchover"))
        .sort((a, b) => (a.lastTimestamp ?? "").localeCompare(b.lastTimestamp ?? ""))
        .at(-1)?.message,
    () => undefined,
  );
  return `${pod} is still the primary: ${said ?? `kubectl logs -n ${namespace} ${pod} says why it did not hand over`}`;
}

async function reasons(kubectl: Kubectl, database: FoundDatabase, lastProblem: string, today: Date): Promise<string[]> {
  try {
    const problems = problemsOf(await readDatabase(kubectl, database), today);
    const { name, namespace } = database;
    const log = `The managers' logs have more: kubectl logs -n ${namespace} -l app.kubernetes.io/instance=${name} --tail=50`;
    return [...problems.map(problem => `  ${problem}`), log];
  } catch (problem) {
    if (!(problem instanceof KubectlError)) throw problem;
    return [`  ${lastProblem || problem.message}`];
  }
}
