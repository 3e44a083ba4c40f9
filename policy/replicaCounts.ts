import { type Finding, Group, group, Level, resourceCheck, stackCheck } from "./check";
import { databaseOf } from "./model/database";
import { anyOf, type Field } from "./model/field";
import {
  isReplicated,
  kindOf,
  namespaceOf,
  nameOf,
  ofKind,
  podSpec,
  podTemplate,
  sameNamespace,
  selects,
} from "./model/kubernetes";
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

function leastPodsField(autoscaler: Field): Field {
  const isKeda = kindOf(autoscaler.resource.type) === "ScaledObject";
  return autoscaler.at("spec", isKeda ? "minReplicaCount" : "minReplicas");
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
  return stack
    .where(ofKind("PodDisruptionBudget"))
    .filter(budget => sameNamespace(budget, workload) && selects(budget.at("spec", "selector"), labels, false));
}

/** Why a budget never lets a pod go; undefined when it does. `pods` is how many there are. */
function blockedBy(budget: Field, pods: number): Field | undefined {
  const unavailable = budget.at("spec", "maxUnavailable");
  const available = budget.at("spec", "minAvailable");
  if (unavailable.isPresent) return allowed(unavailable.text, pods) < 1 ? unavailable : undefined;
  return available.isPresent && pods - allowed(available.text, pods) < 1 ? available : undefined;
}

/** `2` or `50%` of the pods; Kubernetes rounds both kinds of percentage up. */
function allowed(text: string | undefined, pods: number): number {
  const percentage = /^(\d{1,3})%$/.exec(text ?? "")?.[1];
  return percentage === undefined ? Number(text) : Math.ceil((Number(percentage) * pods) / 100);
}

/** Whether the pods are spread over the values of a node label: by a spread constraint, or by anti-affinity, that selects the pods themselves. */
function isSpreadOver(workload: Field, topologyKey: string): boolean {
  const labels = podTemplate(workload).at("metadata", "labels");
  const spec = podSpec(workload);
  const antiAffinity = spec.at("affinity", "podAntiAffinity");
  const preferred = antiAffinity.at("preferredDuringSchedulingIgnoredDuringExecution").items;
  const terms = [
    ...spec.at("topologySpreadConstraints").items,
    ...antiAffinity.at("requiredDuringSchedulingIgnoredDuringExecution").items,
    ...preferred.map(term => term.at("podAffinityTerm")),
  ];
  return anyOf(
    terms,
    term => term.at("topologyKey").text === topologyKey && selects(term.at("labelSelector"), labels, false),
  );
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
    description: "Every Deployment and StatefulSet runs enough pods for its environment.",
    why: "A single pod is an outage at each node upgrade, and with the node's disk it loses what was not shipped yet.",
    fix: "spec.replicas: 2",
    level: Level.mandatory,
    development: { configuration: { minReplicas: 1 } },
    configuration: {
      minReplicas: { type: "integer", minimum: 0, default: 2, description: "Least number of pods of one workload." },
    },
    applies: isReplicated,
    *evaluateInStack(workload, { minReplicas }, stack) {
      const { pods, decidedBy } = leastPods(workload, stack);
      if (pods >= minReplicas) return;
      yield {
        path: decidedBy.path,
        message: `${kindOf(workload.resource.type)} runs ${pods} pod${pods === 1 ? "" : "s"}; at least ${minReplicas} are required.`,
        wayOut: `spec.replicas: ${minReplicas}`,
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
      if (!needsCare(workload, stack) || budgetsOf(workload, stack).length > 0) return;
      yield {
        path: "",
        message: `No PodDisruptionBudget in namespace ${namespaceOf(workload)} selects these pods.`,
      };
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
      const { pods } = leastPods(workload, stack);
      for (const budget of budgetsOf(workload, stack)) {
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
      if (needsCare(workload, stack) && !isSpreadOver(workload, zoneKey)) yield spreadFinding("availability zones");
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
      if (databaseOf(workload, stack) && !isSpreadOver(workload, hostKey)) yield spreadFinding("nodes");
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
