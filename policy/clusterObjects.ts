import { Level, resourceCheck, stackCheck } from "./check";
import { anyOf, type Field } from "./model/field";
import {
  isLongRunning,
  isWorkload,
  kindOf,
  namespaceOf,
  ofKind,
  podSpec,
  podTemplate,
  runsPods,
  maySelect,
  sameNamespace,
} from "./model/kubernetes";
import { isPatch } from "./model/patches";
import { type Stack } from "./model/stack";

/** Accounts that Kubernetes makes itself. */
const accountsOfKubernetes = ["default"];

/** Whether everything in an object's namespace is made by this program: it makes the namespace, and nothing in the program makes objects that are not seen. */
function isWholeNamespace(object: Field, stack: Stack): boolean {
  const namespace = namespaceOf(object);
  const makes = anyOf(
    stack.where(ofKind("Namespace")),
    candidate => candidate.at("metadata", "name").text === namespace,
  );
  return makes && !stack.once(hidesObjects);
}

/** Whether a provider of the program names the namespace of whatever names none. */
function providersNameNamespace(stack: Stack): boolean {
  const providers = stack.where(type => type === "pulumi:providers:kubernetes");
  return anyOf(providers, provider => (provider.at("namespace").text ?? "default") !== "default");
}

/** Charts, and custom resources that run pods, make objects that the program does not show. */
function hidesObjects(stack: Stack): boolean {
  const known = ofKind(
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "ReplicaSet",
    "ReplicationController",
    "Pod",
    "Job",
    "CronJob",
    "Namespace",
    "Service",
    "ServiceAccount",
    "ConfigMap",
    "Secret",
    "Role",
    "RoleBinding",
    "ClusterRole",
    "ClusterRoleBinding",
    "NetworkPolicy",
    "PodDisruptionBudget",
    "StorageClass",
    "PriorityClass",
    "Ingress",
    "IngressClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "HorizontalPodAutoscaler",
    "ResourceQuota",
    "LimitRange",
    "CustomResourceDefinition",
    "Lease",
    "ServiceMonitor",
    "PodMonitor",
    "PrometheusRule",
  );
  const isSeen = (type: string) => known(isPatch(type) ? type.replace(/Patch$/, "") : type);
  return stack.resources.some(({ resource: { type } }) => kindOf(type) !== undefined && !isSeen(type));
}

/** Whether a selector names nothing but labels of controllers (`longhorn.io/recovery-backend`) that no template has: the controller sets them on running pods. */
function setByController(selector: Field, stack: Stack): boolean {
  const isOfController = (key: string) => key.includes("/") && !key.startsWith("app.kubernetes.io/");
  const templates = stack.where(isLongRunning).map(workload => podTemplate(workload).at("metadata", "labels"));
  return selector.entries.every(([key]) => isOfController(key) && !templates.some(labels => labels.at(key).isPresent));
}

/** A rule that gives every right on everything. */
function isEverything(rule: Field): boolean {
  return ["apiGroups", "resources", "verbs"].every(name => rule.at(name).textList.includes("*"));
}

/** Verbs by which an account gives itself the rights of another (Kubernetes, "Privilege escalation prevention"). */
const escalatingVerbs = ["escalate", "bind", "impersonate"];

/** Everybody, with and without a login, and every pod. */
const everybody = ["system:anonymous", "system:unauthenticated", "system:authenticated", "system:serviceaccounts"];

/** The first of those verbs that a rule allows for roles or users as a whole. */
function escalatingVerb(rule: Field): string | undefined {
  const resources = rule.at("resources").textList;
  const concernsRights = resources.some(name => /^(?:\*|(?:cluster)?roles|users|groups|serviceaccounts)$/.test(name));
  if (!concernsRights || rule.at("resourceNames").items.length > 0) return undefined;
  return rule.at("verbs").textList.find(verb => escalatingVerbs.includes(verb));
}

/** Objects of the cluster that open it, or lead nowhere. */
export const clusterObjectChecks = [
  resourceCheck({
    id: "workloads-cluster-admin",
    description: "No program makes an administrator of the whole cluster, or an account that can make itself one.",
    why: "Anyone who breaks into one such pod has every Secret of every namespace.",
    fix: "a Role with the resources and verbs that are needed, in the namespace where they are",
    level: Level.mandatory,
    development: { level: Level.advisory },
    applies: ofKind("ClusterRole", "Role", "ClusterRoleBinding", "RoleBinding"),
    *evaluate(object) {
      for (const rule of object.at("rules").items) {
        if (isEverything(rule)) yield { path: rule.path, message: "Every verb on every resource is allowed." };
      }
      for (const rule of object.at("rules").items) {
        const verb = escalatingVerb(rule);
        if (verb === undefined) continue;
        const wayOut = "resourceNames: the roles or accounts that it is for";
        yield { path: rule.path, message: `The verb ${verb} gives the rights of every other account.`, wayOut };
      }
      for (const subject of object.at("subjects").items) {
        const name = subject.at("name").text ?? "";
        const wayOut = "the accounts that need it";
        if (everybody.includes(name)) yield { path: subject.path, message: `The role is bound to ${name}.`, wayOut };
      }
      const role = object.at("roleRef");
      const isForEverywhere = ofKind("ClusterRoleBinding")(object.resource.type);
      if (!isForEverywhere || role.at("name").text !== "cluster-admin") return;
      yield { path: role.path, message: "The role cluster-admin is bound for the whole cluster." };
    },
  }),

  stackCheck({
    id: "workloads-default-namespace",
    description: "No pods are in the namespace default.",
    why: "What is there has no policies of its own, and anyone who forgot to name a namespace is there too.",
    fix: "metadata.namespace: <a namespace of its own>",
    level: Level.advisory,
    development: { level: Level.disabled },
    applies: isWorkload,
    *evaluateInStack(workload, _given, stack) {
      if (!runsPods(workload)) return;
      const namespace = workload.at("metadata", "namespace");
      const { path } = namespace;
      if (namespace.text === "default") yield { path, message: "The pods are in the namespace default." };
      if (namespace.isPresent || stack.once(providersNameNamespace)) return;
      const message =
        "No namespace is named: the pods are in the kubeconfig's, which is the namespace default at first.";
      yield { path, message };
    },
  }),

  stackCheck({
    id: "workloads-dangling-service",
    description: "Every Service selects pods of the program.",
    why: "A Service without pods accepts no connection, and says nothing about it.",
    fix: "spec.selector: <labels of the pods>",
    level: Level.advisory,
    development: { level: Level.disabled },
    applies: ofKind("Service"),
    *evaluateInStack(service, _given, stack) {
      const selector = service.at("spec", "selector");
      if (!selector.isPresent || selector.entries.length === 0 || !isWholeNamespace(service, stack)) return;
      if (setByController(selector, stack)) return;
      const isAnswered = (workload: Field) =>
        sameNamespace(workload, service) && maySelect(selector, podTemplate(workload).at("metadata", "labels"));
      if (anyOf(stack.where(isLongRunning), isAnswered)) return;
      yield { path: selector.path, message: "The Service selects no pods of this program." };
    },
  }),

  stackCheck({
    id: "workloads-dangling-account",
    description: "Every pod's service account is one of the program.",
    why: "Pods with an account that is not there are never made.",
    fix: "a ServiceAccount of that name in the pods' namespace",
    level: Level.advisory,
    development: { level: Level.disabled },
    applies: isWorkload,
    *evaluateInStack(workload, _given, stack) {
      const account = podSpec(workload).at("serviceAccountName");
      if (!account.isPresent || accountsOfKubernetes.includes(account.text ?? "") || !isWholeNamespace(workload, stack))
        return;
      const isIt = (candidate: Field) =>
        sameNamespace(candidate, workload) && candidate.at("metadata", "name").text === account.text;
      if (anyOf(stack.where(ofKind("ServiceAccount")), isIt)) return;
      yield { path: account.path, message: `No ServiceAccount ${account.text} is made in this namespace.` };
    },
  }),
];
