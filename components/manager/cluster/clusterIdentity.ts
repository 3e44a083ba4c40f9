import { createHash } from "node:crypto";
import { ManagerConfiguration } from "../../core/managerConfiguration";

const digits = 8;

/**
 * What tells this deployment from another one with the same prefix and databaseId: `namespace/name@authority`. It stays the same when pods, the StatefulSet or the Lease are made anew.
 * @param authority of the cluster's API server, PEM: each cluster has its own
 */
export function clusterIdentity(
  { namespace, name }: Pick<ManagerConfiguration, "namespace" | "name">,
  authority: Buffer,
): string {
  return `${namespace}/${name}@${createHash("sha256").update(authority).digest("hex").slice(0, digits)}`;
}
