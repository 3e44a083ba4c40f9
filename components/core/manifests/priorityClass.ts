import { DatabaseNames } from "../names";
import { objectLabels } from "./metadata";

/** Above applications, whose default is 0, and below what the cluster itself needs (2,000,000,000). */
const priority = 1_000_000;

/** When a node fails and room is short, the database's pods start first. */
export function priorityClassManifest<Text>(names: DatabaseNames<Text>) {
  return {
    apiVersion: "scheduling.k8s.io/v1" as const,
    kind: "PriorityClass" as const,
    metadata: { name: names.priorityClass, labels: objectLabels(names.database) },
    value: priority,
    globalDefault: false,
    preemptionPolicy: "PreemptLowerPriority",
    description: `Pods of the database ${names.database}.`,
  };
}
