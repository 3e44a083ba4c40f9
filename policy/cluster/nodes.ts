import { Level, resourceCheck, stackCheck } from "../check";
import { anyType, isEksCluster, ofAwsKind, ofEksKind } from "../model/aws";
import { nodesOfCluster, zonesOf } from "../model/eks";
import { type Field, forEach } from "../model/field";
import { ofKind } from "../model/kubernetes";

const isLaunchTemplate = ofAwsKind("ec2:LaunchTemplate");
const isLaunchConfiguration = ofAwsKind("ec2:LaunchConfiguration");
const isInstance = ofAwsKind("ec2:Instance");
const isManagedNodeGroup = anyType(ofAwsKind("eks:NodeGroup"), ofEksKind("ManagedNodeGroup"));

/** Where each disk of a resource is said to be encrypted, whether or not it is said. */
function encryptionSwitches(resource: Field): Field[] {
  const { type } = resource.resource;
  if (isLaunchTemplate(type)) return diskMappings(resource).map(mapping => mapping.at("ebs", "encrypted"));
  if (anyType(isLaunchConfiguration, isInstance)(type))
    return ["rootBlockDevice", "ebsBlockDevices"].flatMap(name =>
      resource.at(name).items.map(disk => disk.at("encrypted")),
    );
  if (isManagedNodeGroup(type)) return hasLaunchTemplate(resource) ? [] : [resource.at("launchTemplate")];
  if (ofAwsKind("ebs:Volume", "efs:FileSystem")(type)) return [resource.at("encrypted")];
  if (isEncryptionByDefault(type)) return resource.at("enabled").flag === false ? [resource.at("enabled")] : [];
  if (isRdsDatabase(type)) return followsAnother(resource) ? [] : [resource.at("storageEncrypted")];
  if (ofEksKind("Cluster")(type)) {
    return resource.at("skipDefaultNodeGroup").flag === true ? [] : [resource.at("nodeRootVolumeEncrypted")];
  }
  if (ofEksKind("NodeGroup", "NodeGroupV2")(type)) {
    const either = resource.at("encryptRootBlockDevice");
    return [either.isPresent ? either : resource.at("nodeRootVolumeEncrypted")];
  }
  return ebsProvisioner.test(resource.at("provisioner").text ?? "") ? [resource.at("parameters", "encrypted")] : [];
}

const isEncryptionByDefault = ofAwsKind("ebs:EncryptionByDefault");
const isRdsDatabase = ofAwsKind("rds:Instance", "rds:Cluster");

/** A replica, a copy of a snapshot and a region of a global cluster are encrypted as what they are made from. */
function followsAnother(database: Field): boolean {
  return ["replicateSourceDb", "replicationSourceIdentifier", "snapshotIdentifier", "globalClusterIdentifier"].some(
    name => database.at(name).isUnknown || database.at(name).isPresent,
  );
}

const ebsProvisioner = /^(ebs\.csi\.aws\.com|kubernetes\.io\/aws-ebs|ebs\.csi\.eks\.amazonaws\.com)$/;

function encryptionWayOut(encrypted: Field): string {
  if (encrypted.key === "launchTemplate" || encrypted.key === "blockDeviceMappings") {
    return 'a launch template with blockDeviceMappings: [{ deviceName: "/dev/xvda", ebs: { encrypted: "true", volumeType: "gp3" } }]';
  }
  return `${encrypted.path}: ${ofKind("StorageClass")(encrypted.resource.type) ? '"true"' : "true"}`;
}

/** Without a mapping the image's own disk is taken as it is; instance store is encrypted by the hardware. */
function diskMappings(template: Field): Field[] {
  const mappings = template.at("blockDeviceMappings");
  return mappings.items.length === 0
    ? [mappings]
    : mappings.items.filter(mapping => !mapping.at("virtualName").isPresent);
}

/** A managed group without a launch template has a plain disk; so a template that is decided later counts. */
function hasLaunchTemplate(nodeGroup: Field): boolean {
  const template = nodeGroup.at("launchTemplate");
  return template.firstUnknown !== undefined || template.isPresent;
}

/** The machines, and their disks. */
export const nodeChecks = [
  stackCheck<{ minZones: number }>({
    id: "cluster-zones",
    description: "Nodes are in three availability zones.",
    why: "With two zones the loss of one takes half of the nodes, and may take the primary with every replica.",
    fix: "node groups with private subnets in three zones (new Network(...) makes them)",
    level: Level.mandatory,
    development: { level: Level.disabled },
    configuration: {
      minZones: { type: "integer", minimum: 1, default: 3, description: "Least number of zones with nodes." },
    },
    applies: isEksCluster,
    *evaluateInStack(resource, { minZones }, stack) {
      const zones = zonesOf(nodesOfCluster(resource, stack), stack);
      if (zones.size >= minZones) return;
      yield {
        path: "",
        message:
          zones.size === 0
            ? "No subnets are named for the nodes, so that they go wherever the default network has some."
            : `Nodes are in ${zones.size} zone${zones.size === 1 ? "" : "s"}; at least ${minZones} are required.`,
      };
    },
  }),

  resourceCheck({
    id: "cluster-imdsv2",
    description: "Machines answer metadata requests with a session token only (IMDSv2).",
    why: "With IMDSv1 any request that a pod can be tricked into reads the node's credentials.",
    fix: 'metadataOptions: { httpTokens: "required", httpPutResponseHopLimit: 1 }',
    level: Level.mandatory,
    applies: anyType(isLaunchTemplate, isLaunchConfiguration, isInstance),
    *evaluate(machine) {
      if (machine.at("metadataOptions", "httpEndpoint").text === "disabled") return;
      const tokens = machine.at("metadataOptions", "httpTokens");
      if (tokens.text === "required") return;
      yield {
        path: tokens.path,
        message: "IMDSv1 is answered.",
      };
    },
    repair: machine =>
      machine.at("metadataOptions", "httpTokens").firstUnknown
        ? []
        : [{ path: ["metadataOptions", "httpTokens"], value: "required" }],
  }),

  resourceCheck({
    id: "cluster-imds-hop-limit",
    description: "A machine's credentials are not handed to its pods.",
    why: "With more than one hop every pod gets the node's credentials, whatever account it has of its own.",
    fix: "metadataOptions: { httpPutResponseHopLimit: 1 }, and EKS Pod Identity for the pods that need AWS",
    level: Level.mandatory,
    development: { level: Level.advisory },
    applies: anyType(isLaunchTemplate, isLaunchConfiguration, isInstance),
    *evaluate(machine) {
      const limit = machine.at("metadataOptions", "httpPutResponseHopLimit");
      if ((limit.number ?? 1) <= 1 || machine.at("metadataOptions", "httpEndpoint").text === "disabled") return;
      yield { path: limit.path, message: `Instance metadata is answered over ${limit.number} hops.` };
    },
  }),

  resourceCheck({
    id: "cluster-node-ssh",
    description: "Nodes are not open to SSH from anywhere.",
    why: "A node group with a key and no security groups opens port 22 of every node to the internet.",
    fix: "no remoteAccess (Session Manager needs none), or remoteAccess.sourceSecurityGroupIds",
    level: Level.mandatory,
    applies: isManagedNodeGroup,
    *evaluate(group) {
      const access = group.at("remoteAccess");
      const sources = access.at("sourceSecurityGroupIds");
      if (!access.at("ec2SshKey").isPresent || sources.firstUnknown || sources.textList.length > 0) return;
      yield { path: access.path, message: "Everyone may connect to port 22 of the nodes." };
    },
  }),

  resourceCheck({
    id: "cluster-encrypted-volumes",
    description: "Every disk is encrypted.",
    why: "The local files of the database, and what the kubelet keeps of mounted Secrets, are on these disks.",
    fix: 'encrypted: true in each disk of the launch template, in a new volume or (as "true") in a new StorageClass. A volume that exists would be replaced by an empty one: restore it from an encrypted copy of its snapshot',
    level: Level.mandatory,
    applies: anyType(
      isLaunchTemplate,
      isLaunchConfiguration,
      isInstance,
      isManagedNodeGroup,
      ofAwsKind("ebs:Volume", "efs:FileSystem"),
      isEncryptionByDefault,
      isRdsDatabase,
      ofEksKind("Cluster", "NodeGroup", "NodeGroupV2"),
      ofKind("StorageClass"),
    ),
    *evaluate(resource) {
      yield* forEach(encryptionSwitches(resource), function* (encrypted) {
        if (encrypted.flag === true) return;
        yield { path: encrypted.path, message: "The disk is not encrypted.", wayOut: encryptionWayOut(encrypted) };
      });
    },
  }),
];
