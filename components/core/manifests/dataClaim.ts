import { DatabaseNames } from "../names";
import { byteQuantity } from "../quantities";
import { Sizing } from "../sizing";
import { objectMetadata, selectorLabels } from "./metadata";

/** Name of the claims' template in the StatefulSet, and of the volume in its pods. */
export const dataVolume = "data";

/** Name of a pod's claim: the StatefulSet's controller looks for this one. */
export function dataClaimName(pod: string): string {
  return `${dataVolume}-${pod}`;
}

/**
 * The claim of one pod, as the StatefulSet's controller would make it.
 * @typeParam Text a string, or what becomes one when the plan is carried out
 */
export function dataClaimManifest<Text>(
  names: DatabaseNames<Text>,
  pod: string,
  sizing: Sizing,
  storageClassName: string | undefined,
) {
  return {
    apiVersion: "v1" as const,
    kind: "PersistentVolumeClaim" as const,
    metadata: objectMetadata(dataClaimName(pod), names),
    spec: claimSpec(sizing, storageClassName),
  };
}

/** What the StatefulSet makes claims from that are missing. */
export function dataClaimTemplate<Text>(
  names: DatabaseNames<Text>,
  sizing: Sizing,
  storageClassName: string | undefined,
) {
  return {
    metadata: { name: dataVolume, labels: selectorLabels(names.database) },
    spec: claimSpec(sizing, storageClassName),
  };
}

function claimSpec(sizing: Sizing, storageClassName: string | undefined) {
  return {
    accessModes: ["ReadWriteOnce"],
    ...(storageClassName !== undefined && { storageClassName }),
    resources: { requests: { storage: byteQuantity(sizing.dataVolumeBytes) } },
  };
}
