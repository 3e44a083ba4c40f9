import { InputProblem } from "../core/inputProblem";
import { Architecture, MachineType, machineType } from "../core/instanceTypes";
import { defaultKubernetesVersion } from "../core/kubernetesVersions";
import { defaultLogRetentionDays } from "../core/logRetention";
import { ClusterArgs, NodeStorage } from "./arguments";

/** The smallest machine of the hand-made deployment that this package replaces. */
export const defaultInstanceType = "m5.large";

/** DNS, drivers and metrics take about 1 GiB together. */
const systemInstanceTypes: Record<Architecture, string> = {
  [Architecture.Amd64]: "t3.medium",
  [Architecture.Arm64]: "t4g.medium",
};

/** A cluster to be made, with everything that was left out filled in. */
export interface ClusterPlan extends Required<
  Omit<ClusterArgs, "kubeconfig" | "existing" | "instanceType" | "systemInstanceType">
> {
  instanceType: MachineType;
  systemInstanceType: MachineType;
}

/** Type of the nodes for everything but the database. */
export function systemInstanceTypeOf(args: ClusterArgs): string {
  const { architecture = Architecture.Amd64 } = machineType(args.instanceType ?? defaultInstanceType) ?? {};
  return args.systemInstanceType ?? systemInstanceTypes[architecture];
}

/**
 * Arguments with everything that was left out filled in.
 * @param args those that `validateClusterArgs` finds nothing wrong with, of a cluster that is made
 */
export function planCluster(name: string, args: ClusterArgs): ClusterPlan {
  const databaseType = machineType(args.instanceType ?? defaultInstanceType)!;
  return {
    region: args.region!,
    vpcId: args.vpcId!,
    subnetIds: args.subnetIds!,
    nodeSubnetIds: args.nodeSubnetIds ?? args.subnetIds!,
    clusterName: args.clusterName ?? name,
    kubernetesVersion: args.kubernetesVersion ?? defaultKubernetesVersion,
    instanceType: databaseType,
    nodesPerZone: args.nodesPerZone ?? 1,
    storage: args.storage ?? (databaseType.hasInstanceStore ? NodeStorage.Nvme : NodeStorage.Ebs),
    systemInstanceType: machineType(systemInstanceTypeOf(args))!,
    systemNodes: args.systemNodes ?? 2,
    rootVolumeGiB: args.rootVolumeGiB ?? 30,
    publicAccessCidrs: args.publicAccessCidrs ?? [],
    administrators: args.administrators ?? [],
    egressPorts: args.egressPorts ?? [443],
    deletionProtection: args.deletionProtection ?? true,
    logRetentionDays: args.logRetentionDays ?? defaultLogRetentionDays,
    storageClassName: args.storageClassName ?? "gp3",
    tags: args.tags ?? {},
  };
}

/** What is wrong with a number that has to be whole and within bounds. */
export function validateWholeNumber(
  propertyPath: string,
  value: number | undefined,
  least: number,
  most: number,
): InputProblem[] {
  if (value === undefined || (Number.isInteger(value) && value >= least && value <= most)) return [];
  return [{ propertyPath, reason: `is ${value}: write a whole number from ${least} to ${most}` }];
}
