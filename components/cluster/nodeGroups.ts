import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { Architecture, MachineType } from "../core/instanceTypes";
import { instanceStoreUserData } from "../core/nodeConfig";
import { databaseTaint, noScheduleInEks, Pool, poolLabel } from "../core/nodePools";
import { serviceTrust } from "../core/policyDocument";
import { transformed } from "../transform";
import { NodeStorage } from "./arguments";
import { makeRole, UsableRole } from "./roles";
import { SecurityGroups } from "./securityGroups";
import { Surroundings } from "./surroundings";

/** Amazon Linux 2023: the system whose bootstrap joins NVMe drives. */
const amiTypes: Record<Architecture, string> = {
  [Architecture.Amd64]: "AL2023_x86_64_STANDARD",
  [Architecture.Arm64]: "AL2023_ARM_64_STANDARD",
};

/** Name of the root volume's device in that system's images. */
const rootDevice = "/dev/xvda";

/** What nodes may do: describe themselves and pull images. Addresses for pods and volumes are the add-ons' own business, by Pod Identity. */
const nodePolicies = ["AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"];

/** One group of nodes of one type. */
interface NodePool {
  pool: Pool;
  type: MachineType;
  /** Whether pods' scratch data goes to the type's own drives. */
  usesDrives: boolean;
}

/** The database's node groups, one per subnet, and the one for everything else. */
export function makeNodeGroups(
  around: Surroundings,
  cluster: aws.eks.Cluster,
  securityGroups: SecurityGroups,
  dependsOn: pulumi.Resource[],
): aws.eks.NodeGroup[] {
  const { plan } = around;
  const nodeRole = makeRole(
    around,
    around.transform.nodeRole,
    "nodes",
    serviceTrust("ec2.amazonaws.com"),
    nodePolicies,
  );
  const ready = [...dependsOn, ...nodeRole.attachments, ...securityGroups.rules];

  const database = { pool: Pool.Database, type: plan.instanceType, usesDrives: plan.storage === NodeStorage.Nvme };
  const databaseTemplate = makeLaunchTemplate(around, database, securityGroups);
  const databaseGroups = plan.nodeSubnetIds.map((subnetId, zone) =>
    makeNodeGroup(
      around,
      cluster,
      nodeRole,
      databaseTemplate,
      database,
      `-${zone}`,
      [subnetId],
      plan.nodesPerZone,
      ready,
    ),
  );
  const system = { pool: Pool.System, type: plan.systemInstanceType, usesDrives: false };
  const systemTemplate = makeLaunchTemplate(around, system, securityGroups);
  const { nodeSubnetIds, systemNodes } = plan;
  const systemGroup = makeNodeGroup(
    around,
    cluster,
    nodeRole,
    systemTemplate,
    system,
    "",
    nodeSubnetIds,
    systemNodes,
    ready,
  );
  return [...databaseGroups, systemGroup];
}

function makeLaunchTemplate(
  { parent, name, plan, transform }: Surroundings,
  { pool, type, usesDrives }: NodePool,
  securityGroups: SecurityGroups,
): aws.ec2.LaunchTemplate {
  const tags = { ...plan.tags, Name: `${plan.clusterName}-${pool}` };
  return new aws.ec2.LaunchTemplate(
    ...transformed(
      transform.launchTemplate,
      `${name}-${pool}`,
      {
        region: plan.region,
        instanceType: type.name,
        vpcSecurityGroupIds: [securityGroups.nodes.id],
        userData: usesDrives ? instanceStoreUserData() : undefined,
        blockDeviceMappings: [
          {
            deviceName: rootDevice,
            ebs: { volumeType: "gp3", volumeSize: plan.rootVolumeGiB, encrypted: "true", deleteOnTermination: "true" },
          },
        ],
        // One hop: a pod that is not in the host's network cannot read the node's credentials.
        metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
        tagSpecifications: ["instance", "volume"].map(resourceType => ({ resourceType, tags })),
        tags,
      },
      { parent },
    ),
  );
}

function makeNodeGroup(
  { parent, name, plan, transform }: Surroundings,
  cluster: aws.eks.Cluster,
  nodeRole: UsableRole,
  launchTemplate: aws.ec2.LaunchTemplate,
  { pool, type }: NodePool,
  suffix: string,
  subnetIds: pulumi.Input<string>[],
  nodes: number,
  dependsOn: pulumi.Resource[],
): aws.eks.NodeGroup {
  const isDatabase = pool === Pool.Database;
  return new aws.eks.NodeGroup(
    ...transformed(
      isDatabase ? transform.databaseNodeGroup : transform.systemNodeGroup,
      `${name}-${pool}${suffix}`,
      {
        region: plan.region,
        clusterName: cluster.name,
        version: plan.kubernetesVersion,
        nodeRoleArn: nodeRole.role.arn,
        subnetIds,
        amiType: amiTypes[type.architecture],
        capacityType: "ON_DEMAND",
        launchTemplate: { id: launchTemplate.id, version: launchTemplate.latestVersion.apply(String) },
        scalingConfig: { minSize: nodes, desiredSize: nodes, maxSize: nodes },
        updateConfig: { maxUnavailable: 1 },
        nodeRepairConfig: { enabled: true },
        labels: { [poolLabel]: pool },
        taints: isDatabase ? [{ ...databaseTaint, effect: noScheduleInEks }] : undefined,
        tags: plan.tags,
      },
      { parent, dependsOn },
    ),
  );
}
