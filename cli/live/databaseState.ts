import { labels, podLayout } from "../../components/core/podLayout";
import { selectorLabels } from "../../components/core/manifests/metadata";
import type { StatusDocument } from "../../components/manager/serve/statusDocument";
import type { Target } from "./commandLine";
import { getJson, type Kubectl, KubectlError, KubectlProblem } from "./kubectl";
import { isReady, type Lease, type ObjectList, type Pod, type StatefulSet } from "./kubernetesObjects";
import { UsageError } from "./surroundings";

/** A database that was found in the cluster. */
export interface FoundDatabase {
  name: string;
  namespace: string;
  statefulSet: StatefulSet;
}

/** One node as the cluster and its own manager describe it. */
export interface NodeState {
  pod: string;
  /** Absent when there is no such pod at the moment. */
  uid?: string;
  /** The machine. */
  kubernetesNode?: string;
  /** What its label says: that is whom the Services send clients to. */
  label: "primary" | "replica" | "none";
  isReady: boolean;
  /** Phase, or why its container waits, in Kubernetes' words. */
  phase: string;
  /** Of the database's container. */
  restarts: number;
  /** What its manager says. */
  status?: StatusDocument;
  /** Why its manager says nothing. */
  silence?: string;
}

/** A database at one moment. */
export interface DatabaseState {
  name: string;
  namespace: string;
  /** Nodes that there should be. */
  wanted: number;
  nodes: NodeState[];
  /** Absent when there is none, or nobody may read it. */
  lease?: { holder: string; epoch: number };
  /** Why the Lease could not be read. */
  leaseProblem?: string;
}

/** A manager that hangs is not waited for. Milliseconds. */
const statusTimeout = 6000;

/** Asks the manager in the same pod: this works whatever the network policies are, and needs no program but the pod's own Node. */
const askManager = `require("node:http").get({host:"127.0.0.1",port:${podLayout.managerPort},path:"/status",timeout:4000},r=>{if(r.statusCode!==200){console.error("its manager has no /status: the database is older than this command");process.exit(1)}r.pipe(process.stdout)}).on("timeout",function(){this.destroy(new Error("its manager hangs"))}).on("error",e=>{console.error(e.message);process.exit(1)})`;

/**
 * The database that is meant.
 * @throws UsageError when it is not there, or one of several is to be named; KubectlError when the cluster cannot be asked
 */
export async function findDatabase(kubectl: Kubectl, { name, namespace }: Target): Promise<FoundDatabase> {
  const found = (await databasesIn(kubectl, namespace)).filter(
    database => name === undefined || database.name === name,
  );
  const [only, ...others] = found;
  if (only === undefined) throw await nothingFound(kubectl, { name, namespace });
  if (others.length === 0) return only;
  const all = found.map(database => `  --namespace ${database.namespace} --name ${database.name}`).join("\n");
  throw new UsageError(`There are several databases. Name one:\n${all}`);
}

/** All databases of a namespace, by default of all namespaces that may be listed. @throws KubectlError when the cluster cannot be asked */
export async function databasesIn(kubectl: Kubectl, namespace?: string): Promise<FoundDatabase[]> {
  const selector = ["statefulsets", "-l", `app.kubernetes.io/name=${labels.applicationName}`];
  return (await listed()).items.map(statefulSet => ({
    name: statefulSet.metadata.name,
    namespace: statefulSet.metadata.namespace ?? namespace ?? "default",
    statefulSet,
  }));

  async function listed(): Promise<ObjectList<StatefulSet>> {
    if (namespace !== undefined) return getJson(kubectl, [...selector, "-n", namespace]);
    try {
      return await getJson(kubectl, [...selector, "--all-namespaces"]);
    } catch (error) {
      if (!(error instanceof KubectlError && error.problem === KubectlProblem.forbidden)) throw error;
      // Who may not look everywhere looks where kubectl does.
      return getJson(kubectl, selector);
    }
  }
}

async function nothingFound(kubectl: Kubectl, { name, namespace }: Target): Promise<UsageError> {
  const what = name === undefined ? "no TideSQL database" : `no TideSQL database "${name}"`;
  if (namespace === undefined) {
    return new UsageError(`There is ${what} in this cluster. --context and --kubeconfig choose another cluster.`);
  }
  const isThere = await kubectl.run(["get", "namespace", namespace, "-o", "name"]).then(
    () => true,
    (error: unknown) => !(error instanceof KubectlError && error.problem === KubectlProblem.notFound),
  );
  return new UsageError(
    isThere ? `There is ${what} in the namespace "${namespace}".` : `There is no namespace "${namespace}".`,
  );
}

/** The pods of a database, sorted by name. @throws KubectlError */
export async function podsOf(
  kubectl: Kubectl,
  { name, namespace }: Pick<FoundDatabase, "name" | "namespace">,
): Promise<Pod[]> {
  const selector = Object.entries(selectorLabels(name)).map(([key, value]) => `${key}=${value}`);
  const { items } = await getJson<ObjectList<Pod>>(kubectl, ["pods", "-n", namespace, "-l", selector.join(",")]);
  return items.sort((a, b) => a.metadata.name.localeCompare(b.metadata.name, "en", { numeric: true }));
}

/** Looks at every node of a database. A node that does not answer is part of the answer. @throws KubectlError */
export async function readDatabase(kubectl: Kubectl, database: FoundDatabase): Promise<DatabaseState> {
  const { name, namespace, statefulSet } = database;
  const [pods, lease] = await Promise.all([podsOf(kubectl, database), readLease(kubectl, database)]);
  const wanted = statefulSet.spec.replicas ?? 1;
  const missing = Array.from({ length: wanted }, (_, ordinal) => `${name}-${ordinal}`).filter(
    pod => !pods.some(({ metadata }) => metadata.name === pod),
  );
  const nodes = await Promise.all(pods.map(pod => readNode(kubectl, namespace, pod)));
  return { name, namespace, wanted, nodes: [...nodes, ...missing.map(absentNode)], ...lease };
}

async function readLease(
  kubectl: Kubectl,
  { name, namespace }: FoundDatabase,
): Promise<Pick<DatabaseState, "lease" | "leaseProblem">> {
  try {
    const { spec } = await getJson<Lease>(kubectl, ["lease", name, "-n", namespace]);
    return { lease: { holder: spec?.holderIdentity ?? "", epoch: spec?.leaseTransitions ?? 0 } };
  } catch (error) {
    if (!(error instanceof KubectlError)) throw error;
    return { leaseProblem: error.problem === KubectlProblem.notFound ? "there is none" : error.message };
  }
}

async function readNode(kubectl: Kubectl, namespace: string, pod: Pod): Promise<NodeState> {
  const { metadata, spec, status } = pod;
  const container = status?.containerStatuses?.find(({ name }) => name === podLayout.containerName);
  const label = metadata.labels?.[labels.role];
  const phase = metadata.deletionTimestamp ? "Terminating" : (container?.state?.waiting?.reason ?? status?.phase);
  return {
    pod: metadata.name,
    uid: metadata.uid,
    kubernetesNode: spec.nodeName,
    label: label === "primary" || label === "replica" ? label : "none",
    isReady: isReady(pod),
    phase: phase ?? "Unknown",
    restarts: container?.restartCount ?? 0,
    ...(await askedManager(kubectl, namespace, metadata.name)),
  };
}

function absentNode(pod: string): NodeState {
  return { pod, label: "none", isReady: false, phase: "no pod", restarts: 0, silence: "there is no such pod" };
}

async function askedManager(
  kubectl: Kubectl,
  namespace: string,
  pod: string,
): Promise<Pick<NodeState, "status" | "silence">> {
  const command = [podLayout.nodeBinary, "-e", askManager];
  try {
    const text = await kubectl.run(
      ["exec", pod, "-c", podLayout.containerName, "-n", namespace, "--", ...command],
      statusTimeout,
    );
    const status = parsedStatus(text);
    return status ? { status } : { silence: "its manager's answer is not a status document" };
  } catch (error) {
    if (!(error instanceof KubectlError)) throw error;
    if (error.problem === KubectlProblem.missing) throw error;
    return { silence: firstLine(error.message) };
  }
}

/** kubectl's last line says that the command failed; the first says why. */
function firstLine(message: string): string {
  return message.split("\n")[0]?.replace(/^(error|Error from server( \(\w+\))?): /, "") ?? message;
}

/** A status of which the parts that every manager gives are there, or nothing. */
function parsedStatus(text: string): StatusDocument | undefined {
  try {
    const value = JSON.parse(text) as Partial<StatusDocument> | null;
    const isWhole =
      typeof value?.pod === "string" &&
      typeof value.engine?.state === "string" &&
      typeof value.engine.role === "string" &&
      typeof value.volume === "object" &&
      typeof value.followed === "object";
    return isWhole ? (value as StatusDocument) : undefined;
  } catch {
    return undefined;
  }
}
