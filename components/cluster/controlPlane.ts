import * as aws from "@pulumi/aws";
import { partitionOf } from "../core/awsRegion";
import { policyDocument } from "../core/policyDocument";
import { principalLabel } from "../core/principals";
import { transformed } from "../transform";
import { makeRole } from "./roles";
import { SecurityGroups } from "./securityGroups";
import { Surroundings } from "./surroundings";

/** All kinds that EKS has; the audit log is what an investigation starts with. */
const logTypes = ["api", "audit", "authenticator", "controllerManager", "scheduler"];

/** How long a key that was deleted by mistake can be brought back: the longest that KMS allows. Days. */
const keyDeletionWindowDays = 30;

/** Lets EKS take the control plane's role. */
const controlPlaneTrust = policyDocument([
  {
    Sid: "Eks",
    Effect: "Allow",
    Principal: { Service: "eks.amazonaws.com" },
    Action: ["sts:AssumeRole", "sts:TagSession"],
  },
]);

/** The control plane: its key, its logs, its role and itself. */
export function makeControlPlane(around: Surroundings, securityGroups: SecurityGroups): aws.eks.Cluster {
  const { parent, name, plan, transform } = around;
  const { region, clusterName, publicAccessCidrs, tags } = plan;
  const { role, attachments } = makeRole(around, transform.clusterRole, "control-plane", controlPlaneTrust, [
    "AmazonEKSClusterPolicy",
  ]);
  const key = makeKey(around);
  // EKS would make the group by itself, and never expire it.
  const logGroup = new aws.cloudwatch.LogGroup(
    ...transformed(
      transform.logGroup,
      `${name}-control-plane`,
      { region, name: `/aws/eks/${clusterName}/cluster`, retentionInDays: plan.logRetentionDays, tags },
      { parent },
    ),
  );
  return new aws.eks.Cluster(
    ...transformed(
      transform.cluster,
      `${name}-cluster`,
      {
        region,
        name: clusterName,
        version: plan.kubernetesVersion,
        roleArn: role.arn,
        accessConfig: { authenticationMode: "API", bootstrapClusterCreatorAdminPermissions: true },
        bootstrapSelfManagedAddons: false,
        deletionProtection: plan.deletionProtection,
        enabledClusterLogTypes: logTypes,
        encryptionConfig: { provider: { keyArn: key.arn }, resources: ["secrets"] },
        upgradePolicy: { supportType: "STANDARD" },
        vpcConfig: {
          subnetIds: plan.subnetIds,
          securityGroupIds: [securityGroups.controlPlane.id],
          endpointPrivateAccess: true,
          endpointPublicAccess: publicAccessCidrs.length > 0,
          publicAccessCidrs: publicAccessCidrs.length > 0 ? publicAccessCidrs : undefined,
        },
        tags,
      },
      // EKS refuses by itself, but only after Pulumi has taken the node groups away.
      { parent, protect: plan.deletionProtection, dependsOn: [...attachments, logGroup] },
    ),
  );
}

/** Those who administer the cluster, beside the one who created it. */
export function makeAccessEntries(
  { parent, name, plan: { region, administrators, tags }, transform }: Surroundings,
  cluster: aws.eks.Cluster,
): aws.eks.AccessPolicyAssociation[] {
  return administrators.map(principalArn => {
    const label = `${name}-admin-${principalLabel(principalArn)}`;
    const entry = new aws.eks.AccessEntry(
      ...transformed(
        transform.accessEntry,
        label,
        { region, clusterName: cluster.name, principalArn, tags },
        { parent },
      ),
    );
    return new aws.eks.AccessPolicyAssociation(
      label,
      {
        region,
        clusterName: cluster.name,
        principalArn: entry.principalArn,
        policyArn: `arn:${partitionOf(region)}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy`,
        accessScope: { type: "cluster" },
      },
      { parent },
    );
  });
}

/** Kubernetes Secrets are encrypted with it before they reach the control plane's own, encrypted, disks. */
function makeKey({ parent, name, plan: { region, clusterName, tags }, transform }: Surroundings): aws.kms.Key {
  return new aws.kms.Key(
    ...transformed(
      transform.key,
      `${name}-secrets`,
      {
        region,
        description: `Secrets of the EKS cluster ${clusterName}`,
        enableKeyRotation: true,
        deletionWindowInDays: keyDeletionWindowDays,
        tags,
      },
      { parent },
    ),
  );
}
