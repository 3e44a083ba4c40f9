import { type Finding, Group, group, Level, resourceCheck, stackCheck } from "./check";
import { databaseOf } from "./model/database";
import { anyType } from "./model/aws";
import { anyOf, type Field } from "./model/field";
import {
  isReplicated,
  keepsReplicas,
  runsPods,
  kindOf,
  namespaceOf,
  nameOf,
  ofKind,
  podSpec,
  podTemplate,
  sameNamespace,
  selects,
} from "./model/kubernetes";
import { isPatch } from "./model/patches";
import { isOn } from "./model/serverOptions";
import { type Stack } from "./model/stack";

const zoneKey = "topology.kubernetes.io/zone";
const hostKey = "kubernetes.io/hostname";

const isAutoscaler = ofKind("HorizontalPodAutoscaler", "ScaledObject");

/** How many pods of a workload there are at least: what its autoscaler keeps, or what it asks for. */
function leastPods(workload: Field, stack: Stack): { pods: number; decidedBy: Field } {
  const autoscaler = autoscalerOf(workload, stack);
  const decidedBy = autoscaler ? leastPodsField(autoscaler) : workload.at("spec", "replicas");
  return { pods: decidedBy.number ?? leastPodsByDefault(autoscaler), decidedBy };
}

/** Kubernetes runs one pod where nothing is said, KEDA none. */
function leastPodsByDefault(autoscaler: Field | undefined): number {
  return autoscaler && kindOf(autoscaler.resource.type) === "ScaledObject" ? 0 : 1;
}

/** Annotations with which KEDA stops at a number of pods, or scales no more. */
const pausedAt = "autoscaling.keda.sh/paused-replicas";

/** Where an autoscaler says the least number of pods. KEDA goes down to `idleReplicaCount` when nothing happens, and to the number that it is paused at. */
function leastPodsField(autoscaler: Field): Field {
  if (kindOf(autoscaler.resource.type) !== "ScaledObject") return autoscaler.at("spec", "minReplicas");
  const paused = autoscaler.at("metadata", "annotations", pausedAt);
  const idle = autoscaler.at("spec", "idleReplicaCount");
  if (paused.isPresent) return paused;
  return idle.isPresent ? idle : autoscaler.at("spec", "minReplicaCount");
}

function autoscalerOf(workload: Field, stack: Stack): Field | undefined {
  const kind = kindOf(workload.resource.type);
  return stack.where(isAutoscaler).find(autoscaler => {
    const target = autoscaler.at("spec", "scaleTargetRef");
    return (
      (target.at("kind").text ?? "Deployment") === kind &&
      target.at("name").text === nameOf(workload) &&
      sameNamespace(autoscaler, workload)
    );
  });
}

/** Whether losing pods of this workload one at a time is something to plan for: it is a database, or it has several pods. */
function needsCare(workload: Field, stack: Stack): boolean {
  return databaseOf(workload, stack) !== undefined || leastPods(workload, stack).pods > 1;
}

function budgetsOf(workload: Field, stack: Stack): Field[] {
  const labels = podTemplate(workload).at("metadata", "labels");
  return stack.where(ofKind("PodDisruptionBudget")).filter(budget => {
    const selector = budget.at("spec", "selector");
    // An empty selector selects every pod of the namespace, in the old version none.
    const whenEmpty = selector.isPresent && !/\/v1beta1:/.test(budget.resource.type);
    return sameNamespace(budget, workload) && selects(selector, labels, whenEmpty);
  });
}

/** Why a budget never lets a pod go; undefined when it does. `pods` is how many there are. */
function blockedBy(budget: Field, pods: number): Field | undefined {
  const unavailable = budget.at("spec", "maxUnavailable");
  const available = budget.at("spec", "minAvailable");
  if (unavailable.isPresent) return numberOf(unavailable.text, pods) < 1 ? unavailable : undefined;
  return available.isPresent && pods - numberOf(available.text, pods) < 1 ? available : undefined;
}

/** Whether a budget lets all pods go at once: by its bound, or since it has none. */
function allowsAll(budget: Field, pods: number): boolean {
  const unavailable = budget.at("spec", "maxUnavailable");
  if (unavailable.isPresent) return numberOf(unavailable.text, pods) >= pods;
  return numberOf(budget.at("spec", "minAvailable").text ?? "0", pods) < 1;
}

/** `2` or `50%` of the pods; Kubernetes rounds both kinds of percentage up. */
function numberOf(text: string | undefined, pods: number): number {
  const percentage = /^(\d{1,3})%$/.exec(text ?? "")?.[1];
  return percentage === undefined ? Number(text) : Math.ceil((Number(percentage) * pods) / 100);
}

/** Labels of nodes with their zone, the former one included. */
const zoneLabels = [zoneKey, "failure-domain.beta.kubernetes.io/zone"];

/** Where a workload demands one zone for all of its pods. */
function pinnedToZone(workload: Field): Field | undefined {
  const spec = podSpec(workload);
  const required = spec.at("affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution");
  const terms = required.at("nodeSelectorTerms").items;
  const isOneZone = (term: Field) =>
    term
      .at("matchExpressions")
      .items.some(
        expression =>
          zoneLabels.includes(expression.at("key").text ?? "") &&
          expression.at("operator").text === "In" &&
          expression.at("values").textList.length === 1,
      );
  if (terms.length > 0 && terms.every(isOneZone) && new Set(terms.map(zoneIn)).size === 1) return required;
  return zoneLabels.map(label => spec.at("nodeSelector", label)).find(field => field.isPresent);
}

function zoneIn(term: Field): string {
  const expressions = term.at("matchExpressions").items.filter(one => zoneLabels.includes(one.at("key").text ?? ""));
  return expressions.map(one => one.at("values").textList.join()).join();
}

/** Whether the pods are spread over the values of a node label: by a spread constraint, or by anti-affinity, that selects the pods themselves. */
function isSpreadOver(workload: Field, topologyKey: string, pods: number): boolean {
  const labels = podTemplate(workload).at("metadata", "labels");
  const spec = podSpec(workload);
  const antiAffinity = spec.at("affinity", "podAntiAffinity");
  const preferred = antiAffinity.at("preferredDuringSchedulingIgnoredDuringExecution").items;
  const terms = [
    // A skew as large as the number of pods allows all of them in one place.
    ...spec.at("topologySpreadConstraints").items.filter(term => (term.at("maxSkew").number ?? 1) < Math.max(pods, 2)),
    ...antiAffinity.at("requiredDuringSchedulingIgnoredDuringExecution").items,
    ...preferred.map(term => term.at("podAffinityTerm")),
  ];
  return anyOf(
    terms,
    term => term.at("topologyKey").text === topologyKey && selects(term.at("labelSelector"), labels, false),
  );
}

/** What to write where a second pod would be a second writer. */
const replicasOfWriter =
  "spec.replicas: 2 only with tidesdb_replica_mode=ON in every pod and a manager that promotes one of them (new Database(...) has both): each of these pods starts as a writer";

/** Whether the pods are a database that starts as a writer, so that more of them would overwrite each other. */
function startsAsWriter(workload: Field, stack: Stack): boolean {
  const database = databaseOf(workload, stack);
  if (!database || database.runsManager) return false;
  return !isOn(database.settings.seen("tidesdb_replica_mode")?.value ?? "OFF");
}

/** The constraint that spreads pods. */
function spreadOver(topologyKey: string): string {
  const constraint = `maxSkew: 1, topologyKey: "${topologyKey}", whenUnsatisfiable: "ScheduleAnyway"`;
  return `topologySpreadConstraints: [{ ${constraint}, labelSelector: { matchLabels: <the pod's labels> } }]`;
}

function spreadFinding(over: string): Finding {
  return {
    path: "spec.template.spec.topologySpreadConstraints",
    message: `The pods are not spread over ${over}.`,
  };
}

/** Enough pods, in enough places, that may go away only one after another. */
export const replicaCounts = group(Group.replicaCounts, [
  stackCheck<{ minReplicas: number }>({
    id: "replicas-minimum",
    description: "Every Deployment and StatefulSet, a database or not, runs enough pods for its environment.",
    why: "A single pod is an outage at each node upgrade, and with the node's disk it loses what was not shipped yet.",
    fix: "spec.replicas: 2; for a database that starts as a writer only together with a manager",
    level: Level.mandatory,
    development: { configuration: { minReplicas: 1 } },
    configuration: {
      minReplicas: { type: "integer", minimum: 0, default: 2, description: "Least number of pods of one workload." },
    },
    applies: anyType(isReplicated, isPatch),
    *evaluateInStack(workload, { minReplicas }, stack) {
      if (!isPatch(workload.resource.type) && !keepsReplicas(workload)) return;
      if (isPatch(workload.resource.type) && !workload.at("spec", "replicas").isPresent) return;
      const { pods, decidedBy } = leastPods(workload, stack);
      if (pods >= minReplicas) return;
      const kind = kindOf(workload.resource.type)?.replace(/Patch$/, "");
      yield {
        path: decidedBy.path,
        message: `${kind} runs ${pods} pod${pods === 1 ? "" : "s"}; at least ${minReplicas} are required.`,
        wayOut: startsAsWriter(workload, stack) ? replicasOfWriter : `${decidedBy.path}: ${minReplicas}`,
      };
    },
  }),

  stackCheck({
    id: "replicas-disruption-budget",
    description: "A PodDisruptionBudget selects the pods of every database and of every workload with several pods.",
    why: "Without a budget a drain may stop all pods at once: the primary together with every replica that could follow it.",
    fix: "a PodDisruptionBudget with spec: { maxUnavailable: 1, selector: { matchLabels: <the pod's labels> } }",
    level: Level.mandatory,
    development: { level: Level.advisory },
    applies: isReplicated,
    *evaluateInStack(workload, _given, stack) {
      if (!runsPods(workload) || !needsCare(workload, stack)) return;
      const budgets = budgetsOf(workload, stack);
      const { pods } = leastPods(workload, stack);
      if (budgets.length === 0) {
        yield {
          path: "",
          message: `No PodDisruptionBudget in namespace ${namespaceOf(workload)} selects these pods.`,
        };
      } else if (pods > 1 && budgets.every(budget => allowsAll(budget, pods))) {
        const names = budgets.map(({ resource }) => resource.name).join(", ");
        yield { path: "", message: `PodDisruptionBudget ${names} lets all ${pods} of these pods go at once.` };
      }
    },
  }),

  stackCheck({
    id: "replicas-budget-allows-drains",
    description: "A PodDisruptionBudget lets at least one pod go.",
    why: "A budget that never allows an eviction makes each drain wait for ever, and node upgrades fail.",
    fix: "spec: { maxUnavailable: 1 } in the budget",
    level: Level.mandatory,
    development: { level: Level.advisory },
    applies: isReplicated,
    *evaluateInStack(workload, _given, stack) {
      if (!runsPods(workload)) return;
      const { pods } = leastPods(workload, stack);
      const budgets = budgetsOf(workload, stack);
      if (budgets.length > 1) {
        yield {
          path: "",
          message: `${budgets.length} PodDisruptionBudgets select these pods (${budgets.map(({ resource }) => resource.name).join(", ")}): Kubernetes then refuses every eviction.`,
          wayOut: "one budget for these pods",
        };
      }
      for (const budget of budgets) {
        const blocking = blockedBy(budget, pods);
        if (!blocking) continue;
        yield {
          path: "",
          message: `PodDisruptionBudget ${budget.resource.name} never lets one of these ${pods} pods go (${blocking.path}: ${blocking.text}).`,
        };
      }
    },
  }),

  stackCheck({
    id: "replicas-spread-over-zones",
    description: "The pods of a database, and of every workload with several pods, are spread over availability zones.",
    why: "Pods in one zone are lost together with it.",
    fix: spreadOver(zoneKey),
    level: Level.mandatory,
    development: { level: Level.disabled },
    applies: isReplicated,
    *evaluateInStack(workload, _given, stack) {
      if (!runsPods(workload) || !needsCare(workload, stack)) return;
      const { pods } = leastPods(workload, stack);
      const pinned = pinnedToZone(workload);
      if (pinned) {
        yield {
          path: pinned.path,
          message: "The pods may run in one availability zone only.",
          wayOut: "no zone in nodeSelector or the required node affinity, or three of them",
        };
      } else if (!isSpreadOver(workload, zoneKey, pods)) yield spreadFinding("availability zones");
    },
  }),

  stackCheck({
    id: "replicas-spread-over-nodes",
    description: "The pods of a database are spread over nodes.",
    why: "Two database pods on one node share its disk, its memory and its end.",
    fix: spreadOver(hostKey),
    level: Level.advisory,
    development: { level: Level.disabled },
    applies: isReplicated,
    *evaluateInStack(workload, _given, stack) {
      if (!databaseOf(workload, stack)) return;
      if (!isSpreadOver(workload, hostKey, leastPods(workload, stack).pods)) yield spreadFinding("nodes");
    },
  }),

  resourceCheck<{ minReplicas: number }>({
    id: "replicas-autoscaler-minimum",
    description: "No autoscaler goes below the least number of pods.",
    why: "An autoscaler overrides the workload's own number, at night when nobody looks.",
    fix: "spec.minReplicas: 2",
    level: Level.mandatory,
    development: { configuration: { minReplicas: 1 } },
    configuration: {
      minReplicas: {
        type: "integer",
        minimum: 0,
        default: 2,
        description: "Least number of pods an autoscaler may leave.",
      },
    },
    applies: isAutoscaler,
    *evaluate(autoscaler, { minReplicas }) {
      const field = leastPodsField(autoscaler);
      const pods = field.number ?? leastPodsByDefault(autoscaler);
      if (pods >= minReplicas) return;
      yield {
        path: field.path,
        message: `The autoscaler may go down to ${pods} pod${pods === 1 ? "" : "s"}; at least ${minReplicas} are required.`,
        wayOut: `${field.path}: ${minReplicas}`,
      };
    },
  }),
]);
