import { Level, resourceCheck } from "./check";
import { type Field } from "./model/field";
import { ofKind } from "./model/kubernetes";

/** A right with which an account gets more than it was given (Kubernetes, "RBAC Good Practices"). */
interface BroadRight {
  /** API groups of the resources. */
  groups: readonly string[];
  resources: readonly string[];
  verbs: readonly string[];
  /** Whether it is broad in one namespace too. */
  inNamespace: boolean;
  /** What it lets an account do, as a sentence. */
  meaning: string;
  wayOut: string;
}

const broadRights: readonly BroadRight[] = [
  {
    groups: [""],
    resources: ["secrets"],
    verbs: ["get", "list", "watch"],
    inNamespace: false,
    meaning: "It reads the Secrets of every namespace.",
    wayOut: "a Role in the namespaces that need it, with resourceNames",
  },
  {
    groups: [""],
    resources: ["pods/exec", "pods/attach", "pods/ephemeralcontainers"],
    verbs: ["create", "get", "update", "patch"],
    inNamespace: true,
    meaning: "It runs commands in pods, with their rights and their Secrets.",
    wayOut: "no rights on pods/exec, pods/attach and pods/ephemeralcontainers",
  },
  {
    groups: [""],
    resources: ["nodes/proxy"],
    verbs: ["get", "create"],
    inNamespace: false,
    meaning: "It runs commands in every pod of a node, past the audit log.",
    wayOut: "nodes/metrics and nodes/stats, for anyone who reads figures",
  },
  {
    groups: [""],
    resources: ["serviceaccounts/token"],
    verbs: ["create"],
    inNamespace: true,
    meaning: "It gets tokens of other accounts.",
    wayOut: "resourceNames: the accounts that it is for",
  },
  {
    groups: ["rbac.authorization.k8s.io"],
    resources: ["clusterrolebindings"],
    verbs: ["create", "update", "patch"],
    inNamespace: false,
    meaning: "It gives its own rights, in every namespace, to any account.",
    wayOut: "rolebindings in the namespaces that need it, or resourceNames: the bindings that it keeps",
  },
  {
    groups: ["rbac.authorization.k8s.io"],
    resources: ["rolebindings"],
    verbs: ["create", "update", "patch"],
    inNamespace: false,
    meaning: "It gives its own rights to any account of any namespace.",
    wayOut: "a Role in the namespaces that need it",
  },
  {
    groups: ["certificates.k8s.io"],
    resources: ["certificatesigningrequests/approval", "certificatesigningrequests/status"],
    verbs: ["update", "patch"],
    inNamespace: false,
    meaning: "It has certificates signed, with which it is anyone.",
    wayOut: "no rights on certificatesigningrequests/approval",
  },
];

/** Whether a rule's list has one of these, or all. `pods/*` and, of the subresources, `*\/exec` are patterns. */
function names(list: readonly string[], wanted: readonly string[]): boolean {
  return wanted.some(name => {
    const [kind, part] = name.split("/");
    const patterns = ["*", name, ...(part === undefined ? [] : [`${kind}/*`, `*/${part}`])];
    return patterns.some(pattern => list.includes(pattern));
  });
}

function* rightsOf(rule: Field, isForCluster: boolean): Generator<BroadRight> {
  if (rule.at("resourceNames").items.length > 0) return;
  const lists = ["apiGroups", "resources", "verbs"].map(name => rule.at(name).textList);
  // What allows everything is the matter of workloads-cluster-admin.
  if (lists.every(list => list.includes("*"))) return;
  for (const right of broadRights) {
    const wanted = [right.groups, right.resources, right.verbs];
    if ((isForCluster || right.inNamespace) && lists.every((list, index) => names(list, wanted[index]!))) yield right;
  }
}

/** Rights of accounts that lead to more rights. */
export const clusterRightsChecks = [
  resourceCheck({
    id: "workloads-broad-rights",
    description:
      "No account of any program reads every Secret, runs commands in pods, gets tokens of others or hands out rights.",
    why: "Anyone who breaks into one pod with such an account is in all of them. Operators may need it; each is then an exemption with a reason.",
    fix: "a Role with the resources, verbs and resourceNames that are needed, in the namespace where they are",
    level: Level.advisory,
    development: { level: Level.disabled },
    applies: ofKind("ClusterRole", "Role", "RoleBinding"),
    *evaluate(role) {
      const bound = role.at("roleRef");
      if (ofKind("RoleBinding")(role.resource.type)) {
        if (bound.at("kind").text !== "ClusterRole" || bound.at("name").text !== "cluster-admin") return;
        yield { path: bound.path, message: "It may do everything in the namespace." };
        return;
      }
      const isForCluster = ofKind("ClusterRole")(role.resource.type);
      for (const rule of role.at("rules").items) {
        for (const { meaning: message, wayOut } of rightsOf(rule, isForCluster)) {
          yield { path: rule.path, message, wayOut };
        }
      }
    },
  }),
];
