import { DatabaseNames } from "../names";
import { objectMetadata, selectorLabels } from "./metadata";

/**
 * At most one pod is taken away at a time: a drained primary hands over to a replica that is there.
 * @param dataOutlivesPod on a volume of its own a pod that is not ready may be evicted, so that a broken one does not block a drain; on the node's own drives the newest writes
 *   may exist only there
 */
export function disruptionBudgetManifest<Text>(names: DatabaseNames<Text>, dataOutlivesPod: boolean) {
  return {
    apiVersion: "policy/v1" as const,
    kind: "PodDisruptionBudget" as const,
    metadata: objectMetadata(names.disruptionBudget, names),
    spec: {
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: dataOutlivesPod ? "AlwaysAllow" : "IfHealthyBudget",
      selector: { matchLabels: selectorLabels(names.database) },
    },
  };
}
