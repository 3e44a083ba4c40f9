import { type Finding, Group, group, Level, resourceCheck, stackCheck } from "./check";
import { databaseOf } from "./model/database";
import { anyType } from "./model/aws";
import { type Field } from "./model/field";
import { allowsAll, blockedBy, budgetsOf } from "./model/budgets";
import { isReplicated, keepsReplicas, kindOf, namespaceOf, runsPods } from "./model/kubernetes";
import { isPatch } from "./model/patches";
import { isAutoscaler, leastPods, leastPodsByDefault, leastPodsField, needsCare } from "./model/podCount";
import { stopsAllAtOnce } from "./model/rollout";
import { isOn } from "./model/serverOptions";
import { hostKey, isSpreadOver, pinnedToOnePlace, zoneKey } from "./model/spreading";
import { type Stack } from "./model/stack";

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
    fix: "spec.replicas: 2. Not on its own for a database whose pods start as writers: give it a manager first, or each pod writes",
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
      const pinned = pinnedToOnePlace(workload);
      if (pinned) {
        yield {
          path: pinned.field.path,
          message: `The pods may run ${pinned.place} only.`,
          wayOut: "no zone and no node in nodeName, nodeSelector and the required affinities, or three zones",
        };
      } else if (!isSpreadOver(workload, zoneKey, pods)) yield spreadFinding("availability zones");
    },
  }),

  stackCheck({
    id: "replicas-spread-over-nodes",
    description: "The pods of a database are spread over nodes.",
    why: "Two database pods on one node are lost together with it.",
    fix: spreadOver(hostKey),
    level: Level.advisory,
    development: { level: Level.disabled },
    applies: isReplicated,
    *evaluateInStack(workload, _given, stack) {
      if (!databaseOf(workload, stack)) return;
      if (!isSpreadOver(workload, hostKey, leastPods(workload, stack).pods)) yield spreadFinding("nodes");
    },
  }),

  stackCheck({
    id: "replicas-rolling-update",
    description:
      "An update replaces the pods of a database, and of every workload with several pods, one after another.",
    why: "An update that stops all pods at once is an outage, and with a database no replica is left to take over.",
    fix: "updateStrategy (of a Deployment: strategy) of type RollingUpdate, with rollingUpdate: { maxUnavailable: 1 }",
    level: Level.mandatory,
    development: { level: Level.advisory },
    applies: isReplicated,
    *evaluateInStack(workload, _given, stack) {
      if (!runsPods(workload) || !needsCare(workload, stack)) return;
      const { pods } = leastPods(workload, stack);
      const strategy = pods > 1 ? stopsAllAtOnce(workload, pods) : undefined;
      if (!strategy) return;
      yield { path: strategy.path, message: `An update stops all ${pods} pods at once (${strategy.text}).` };
    },
  }),

  resourceCheck<{ minReplicas: number }>({
    id: "replicas-autoscaler-minimum",
    description: "No autoscaler goes below the least number of pods.",
    why: "An autoscaler overrides the number that the workload states.",
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
