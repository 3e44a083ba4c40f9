import { DatabaseNames } from "../names";
import { dataClaimTemplate } from "./dataClaim";
import { objectMetadata, selectorLabels } from "./metadata";
import { podSpec, PodInputs } from "./podSpec";

/** Changes with the configuration, the manager's program and the secrets, so that a change of any of them rolls out. */
export const configurationHashAnnotation = "tidesql.io/configuration-hash";

/** What the StatefulSet depends on. */
export interface StatefulSetInputs<Text> extends PodInputs<Text> {
  configurationHash: Text;
}

/**
 * Identical pods: which one is primary is for the managers to say, so no name, order or template tells them apart.
 * @typeParam Text a string, or what becomes one when the plan is carried out
 */
export function statefulSetManifest<Text>(names: DatabaseNames<Text>, inputs: StatefulSetInputs<Text>) {
  const { storage, sizing, configurationHash } = inputs;
  return {
    apiVersion: "apps/v1" as const,
    kind: "StatefulSet" as const,
    metadata: objectMetadata(names.database, names),
    spec: {
      serviceName: names.headlessService,
      replicas: names.pods.length,
      // A pod that is not ready must not keep the others from starting: it may be the one that waits for them.
      podManagementPolicy: "Parallel",
      updateStrategy: { type: "RollingUpdate" },
      revisionHistoryLimit: 5,
      selector: { matchLabels: selectorLabels(names.database) },
      template: {
        metadata: {
          labels: { ...inputs.labels, ...selectorLabels(names.database) },
          annotations: { ...inputs.annotations, [configurationHashAnnotation]: configurationHash },
        },
        spec: podSpec(names, inputs),
      },
      // A volume may hold the only copy of the newest acknowledged writes: people delete it, not a controller.
      persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
      ...(!storage.onInstanceStore && {
        volumeClaimTemplates: [dataClaimTemplate(names, sizing, storage.storageClassName)],
      }),
    },
  };
}
