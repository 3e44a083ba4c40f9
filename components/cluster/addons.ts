import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { podIdentityTrust } from "../core/policyDocument";
import { transformed } from "../transform";
import { makeRole, UsableRole } from "./roles";
import { Surroundings } from "./surroundings";

/** An add-on's service account in kube-system, and the policy of AWS's that it needs. */
interface AddonIdentity {
  serviceAccount: string;
  policy: string;
}

/** An add-on that EKS runs and updates, in the version that goes with the cluster's. */
interface AddonSettings {
  name: string;
  identity?: AddonIdentity;
  /** Settings of its own. They are sent as JSON. */
  configuration?: Record<string, unknown>;
}

/** DaemonSets: they are healthy with no node, and no node is Ready without the first of them. */
const beforeNodes: AddonSettings[] = [
  {
    name: "vpc-cni",
    identity: { serviceAccount: "aws-node", policy: "AmazonEKS_CNI_Policy" },
    // Off by default, and then NetworkPolicies are accepted and do nothing. A string: the add-on refuses a boolean.
    configuration: { enableNetworkPolicy: "true" },
  },
  { name: "eks-pod-identity-agent" },
  { name: "kube-proxy" },
];

/** Deployments: they are degraded until a node takes them. */
const afterNodes: AddonSettings[] = [
  { name: "coredns" },
  {
    name: "aws-ebs-csi-driver",
    identity: { serviceAccount: "ebs-csi-controller-sa", policy: "AmazonEBSCSIDriverPolicyV2" },
  },
  { name: "metrics-server" },
];

/** The add-ons that have to be there before the first node: network, identities, Services. */
export function makeNetworkAddons(around: Surroundings, cluster: aws.eks.Cluster): aws.eks.Addon[] {
  return beforeNodes.map(addon => makeAddon(around, cluster, addon, []));
}

/** The add-ons that run on nodes: DNS, volumes, metrics. */
export function makeWorkloadAddons(
  around: Surroundings,
  cluster: aws.eks.Cluster,
  nodeGroups: pulumi.Resource[],
): aws.eks.Addon[] {
  return afterNodes.map(addon => makeAddon(around, cluster, addon, nodeGroups));
}

function makeAddon(
  around: Surroundings,
  cluster: aws.eks.Cluster,
  { name: addonName, identity, configuration }: AddonSettings,
  dependsOn: pulumi.Resource[],
): aws.eks.Addon {
  const { parent, name, plan, transform } = around;
  const role = identity && makeRole(around, transform.addonRole, addonName, podIdentityTrust, [identity.policy]);
  return new aws.eks.Addon(
    ...transformed(
      transform.addon,
      `${name}-${addonName}`,
      {
        region: plan.region,
        clusterName: cluster.name,
        addonName,
        configurationValues: configuration && JSON.stringify(configuration),
        podIdentityAssociations: association(identity, role),
        resolveConflictsOnCreate: "OVERWRITE",
        resolveConflictsOnUpdate: "OVERWRITE",
        tags: plan.tags,
      },
      { parent, dependsOn: [...dependsOn, ...(role?.attachments ?? [])] },
    ),
  );
}

function association(identity: AddonIdentity | undefined, usable: UsableRole | undefined) {
  if (!identity || !usable) return undefined;
  return [{ serviceAccount: identity.serviceAccount, roleArn: usable.role.arn }];
}
