import { Group, group } from "./check";
import { accountChecks } from "./cluster/account";
import { controlPlaneChecks } from "./cluster/controlPlane";
import { identityChecks } from "./cluster/identity";
import { loadBalancerChecks } from "./cluster/loadBalancers";
import { networkChecks } from "./cluster/network";
import { nodeChecks } from "./cluster/nodes";

/** The Kubernetes control plane and what is under it. */
export const cluster = group(Group.cluster, [
  ...controlPlaneChecks,
  ...nodeChecks,
  ...networkChecks,
  ...loadBalancerChecks,
  ...accountChecks,
  ...identityChecks,
]);
