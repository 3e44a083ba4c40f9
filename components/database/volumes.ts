import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { dataClaimManifest } from "../core/manifests/dataClaim";
import { transformed } from "../transform";
import { DatabaseContext } from "./context";

/** Takes the size over from the controller that set it before: the StatefulSet's controller, or a person. */
const forceAnnotation = { "pulumi.com/patchForce": "true" };
/** A claim is bound to a volume once its pod runs, which is later. */
const doNotWait = { "pulumi.com/skipAwait": "true" };

/**
 * Each pod's claim, before the pods: the StatefulSet takes a claim of the right name as it is, and Kubernetes lets nobody change the size in the StatefulSet's own template. A patch makes the claim where there
 * is none and changes it where there is one, so that claims that an earlier release or a former replica left are taken over. Pulumi never deletes one: it may hold the only copy of the newest writes.
 */
export function makeVolumes({ name, settings, transform, inside }: DatabaseContext): pulumi.Resource[] {
  const { names, sizing, storage } = settings;
  if (storage.onInstanceStore) return [];
  return names.pods.map((pod, ordinal) => {
    const { metadata, ...claim } = dataClaimManifest(names, pod, sizing, storage.storageClassName);
    const annotations = { ...forceAnnotation, ...doNotWait };
    return new k8s.core.v1.PersistentVolumeClaimPatch(
      ...transformed(
        transform.dataClaim,
        `${name}-data-${ordinal}`,
        { ...claim, metadata: { ...metadata, annotations } },
        { ...inside, retainOnDelete: true, ignoreChanges: ["spec.storageClassName"] },
      ),
    );
  });
}
