import { databaseOf } from "./database";
import { type Field } from "./field";
import { kindOf, nameOf, ofKind, sameNamespace } from "./kubernetes";
import { type Stack } from "./stack";

/** A condition on types: what decides the number of a workload's pods. */
export const isAutoscaler = ofKind("HorizontalPodAutoscaler", "ScaledObject");

/** How many pods of a workload there are at least: what its autoscaler keeps, or what it asks for. */
export function leastPods(workload: Field, stack: Stack): { pods: number; decidedBy: Field } {
  const autoscaler = autoscalerOf(workload, stack);
  const decidedBy = autoscaler ? leastPodsField(autoscaler) : workload.at("spec", "replicas");
  return { pods: decidedBy.number ?? leastPodsByDefault(autoscaler), decidedBy };
}

/** Kubernetes runs one pod where nothing is said, KEDA none. */
export function leastPodsByDefault(autoscaler: Field | undefined): number {
  return autoscaler && kindOf(autoscaler.resource.type) === "ScaledObject" ? 0 : 1;
}

/** Annotations with which KEDA stops at a number of pods, or stops scaling. */
const pausedAt = "autoscaling.keda.sh/paused-replicas";

/** Where an autoscaler says the least number of pods. KEDA goes down to `idleReplicaCount` when nothing happens, and to the number that it is paused at. */
export function leastPodsField(autoscaler: Field): Field {
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
export function needsCare(workload: Field, stack: Stack): boolean {
  return databaseOf(workload, stack) !== undefined || leastPods(workload, stack).pods > 1;
}

/** `2` or `50%` of the pods; Kubernetes rounds both kinds of percentage up. */
export function numberOf(text: string | undefined, pods: number): number {
  const percentage = /^(\d{1,3})%$/.exec(text ?? "")?.[1];
  return percentage === undefined ? Number(text) : Math.ceil((Number(percentage) * pods) / 100);
}
