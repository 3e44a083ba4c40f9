import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { networkPolicyManifest } from "../core/manifests/networkPolicy";
import { headlessServiceManifest, primaryServiceManifest, replicaServiceManifest } from "../core/manifests/services";
import { StoreCredentials } from "../objectStore/credentials";
import { transformed } from "../transform";
import { DatabaseContext } from "./context";

/**
 * The Services, and who reaches what.
 * @returns what has to be there before a pod starts. The client Services are not among it: Pulumi waits for their endpoints, which are the pods.
 */
export function makeTraffic(
  { name, settings, transform, inside }: DatabaseContext,
  objectStorePort: pulumi.Output<number>,
): pulumi.Resource[] {
  const { names, services, clients, monitoring, egress, credentials } = settings;
  new k8s.core.v1.Service(
    ...transformed(
      transform.primaryService,
      `${name}-primary`,
      primaryServiceManifest(names, services.primary),
      inside,
    ),
  );
  new k8s.core.v1.Service(
    ...transformed(
      transform.replicaService,
      `${name}-replica`,
      replicaServiceManifest(names, services.replica),
      inside,
    ),
  );
  const headless = new k8s.core.v1.Service(
    ...transformed(transform.headlessService, `${name}-headless`, headlessServiceManifest(names), inside),
  );
  const policy = new k8s.networking.v1.NetworkPolicy(
    ...transformed(
      transform.networkPolicy,
      `${name}-network-policy`,
      networkPolicyManifest<pulumi.Input<string>, pulumi.Input<number>>(names, {
        clients,
        monitoring: monitoring.from,
        objectStorePort,
        identityAgent: credentials.kind === StoreCredentials.PodIdentity,
        egress,
      }),
      inside,
    ),
  );
  return [headless, policy];
}
