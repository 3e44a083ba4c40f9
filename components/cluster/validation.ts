import * as pulumi from "@pulumi/pulumi";
import { validateAwsTags } from "../core/awsTags";
import { validateAwsRegion } from "../core/awsRegion";
import { InputProblem, under } from "../core/inputProblem";
import { machineType, validateInstanceType } from "../core/instanceTypes";
import { defaultKubernetesVersion, validateKubernetesVersion } from "../core/kubernetesVersions";
import { validateLogRetention } from "../core/logRetention";
import { longestInIam, validateObjectName, validateResourceName } from "../core/names";
import { validateAdministrators } from "../core/principals";
import { printable } from "../core/printable";
import { validatePublicAccess } from "../core/publicAccess";
import { judgeArguments } from "../schema/malformed";
import { ClusterArgs, ExistingClusterArgs, NodeStorage } from "./arguments";
import { defaultInstanceType, systemInstanceTypeOf, validateWholeNumber } from "./defaults";

/** EKS places the control plane in at least two zones. */
const fewestSubnets = 2;
/** The longest end of a role's name here. */
const longestClusterName = longestInIam - "-aws-ebs-csi-driver".length;
/** A managed node group's default quota. */
const mostNodes = 450;

/** Everything that is wrong with a Cluster's name and arguments, as far as it is known before anything is made. */
export function validateClusterArgs(name: string, args: ClusterArgs): InputProblem[] {
  return judgeArguments("Cluster", args, () => [
    ...validateAwsTags(args.tags),
    ...(args.existing === undefined ? madeProblems(name, args) : existingProblems(args, args.existing)),
  ]);
}

function madeProblems(name: string, args: ClusterArgs): InputProblem[] {
  return [
    ...validateResourceName(name, longestClusterName, "IAM roles"),
    ...placeProblems(args),
    ...clusterNameProblems(name, args.clusterName),
    ...validateKubernetesVersion(args.kubernetesVersion ?? defaultKubernetesVersion),
    ...nodeProblems(args),
    ...accessProblems(args),
    ...validateLogRetention("logRetentionDays", args.logRetentionDays),
    ...(args.storageClassName === undefined ? [] : validateObjectName("storageClassName", args.storageClassName)),
  ];
}

function placeProblems({ region, vpcId, subnetIds, nodeSubnetIds }: ClusterArgs): InputProblem[] {
  const problems: InputProblem[] = [];
  for (const [propertyPath, value] of Object.entries({ region, vpcId, subnetIds })) {
    if (value !== undefined) continue;
    problems.push({ propertyPath, reason: 'is missing: give it, or describe an existing cluster in "existing"' });
  }
  if (region !== undefined) problems.push(...validateAwsRegion(region));
  if (subnetIds !== undefined && subnetIds.length < fewestSubnets) {
    problems.push({
      propertyPath: "subnetIds",
      reason: `has ${subnetIds.length}: EKS needs subnets in at least ${fewestSubnets} zones`,
    });
  }
  if (nodeSubnetIds?.length === 0) {
    problems.push({ propertyPath: "nodeSubnetIds", reason: "is empty: name the subnets that nodes are to be in" });
  }
  return problems;
}

function clusterNameProblems(name: string, clusterName: string | undefined): InputProblem[] {
  const used = clusterName ?? name;
  if (/^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$/.test(used)) return [];
  return [
    {
      propertyPath: "clusterName",
      reason: `"${printable(used)}" is not a valid EKS cluster name: write letters, digits, "-" and "_", at most 100`,
    },
  ];
}

function nodeProblems(args: ClusterArgs): InputProblem[] {
  const { storage } = args;
  const databaseType = args.instanceType ?? defaultInstanceType;
  const problems = [
    ...validateInstanceType("instanceType", databaseType),
    ...validateInstanceType("systemInstanceType", systemInstanceTypeOf(args)),
    ...validateWholeNumber("nodesPerZone", args.nodesPerZone, 1, mostNodes),
    ...validateWholeNumber("systemNodes", args.systemNodes, 1, mostNodes),
    ...validateWholeNumber("rootVolumeGiB", args.rootVolumeGiB, 20, 16_384),
  ];
  if (storage === NodeStorage.Nvme && machineType(databaseType)?.hasInstanceStore === false) {
    problems.push({
      propertyPath: "storage",
      reason: `is "nvme", but ${databaseType} has no drives of its own: choose a type that has (i4i, m8gd, m5d, r5d, ...), or "ebs"`,
    });
  }
  return problems;
}

function accessProblems(args: ClusterArgs): InputProblem[] {
  const { region, publicAccessCidrs = [], administrators = [], egressPorts = [] } = args;
  const ports = egressPorts.flatMap((port, index) => validateWholeNumber(`[${index}]`, port, 1, 65_535));
  return [
    ...under("publicAccessCidrs", validatePublicAccess(publicAccessCidrs)),
    ...under("administrators", validateAdministrators(region ?? "", administrators)),
    ...under("egressPorts", ports),
  ];
}

/** What belongs to a cluster of any kind. */
const alsoForExisting = ["existing", "tags", "region", "vpcId", "subnetIds", "nodeSubnetIds"];

function existingProblems(args: ClusterArgs, existing: ExistingClusterArgs): InputProblem[] {
  const conflicts = Object.entries(args)
    .filter(([key, value]) => value !== undefined && !alsoForExisting.includes(key))
    .map(([key]) => ({
      propertyPath: key,
      reason: 'is for a cluster that is made, but "existing" describes one: leave one of them out',
    }));
  const { kubeconfig, storageClassName } = existing;
  return [
    ...conflicts,
    ...under("existing", [
      ...kubeconfigProblems(kubeconfig),
      ...(storageClassName === undefined ? [] : validateObjectName("storageClassName", storageClassName)),
    ]),
  ];
}

function kubeconfigProblems(kubeconfig: pulumi.Input<string> | undefined): InputProblem[] {
  if (kubeconfig !== "") return [];
  return [
    {
      propertyPath: "kubeconfig",
      reason:
        "is empty. Set it with\n      cat ~/.kube/config | pulumi config set --secret kubeconfig\n    or leave it out for the cluster that kubectl reaches",
    },
  ];
}
