import { Group, group, Level, resourceCheck, stackCheck } from "./check";
import { anyType, isEksCluster, ofAwsKind, ofEksKind } from "./model/aws";
import { endOfStandardSupport } from "./model/eksSupport";
import { anyOf, type Field, forEach } from "./model/field";
import { ofKind } from "./model/kubernetes";
import { nodesOfCluster, vpcCniSettings, zonesOf } from "./model/eks";

const isRawCluster = ofAwsKind("eks:Cluster");
const isLaunchTemplate = ofAwsKind("ec2:LaunchTemplate");
const isManagedNodeGroup = anyType(ofAwsKind("eks:NodeGroup"), ofEksKind("ManagedNodeGroup"));
const isSecurityGroup = ofAwsKind("ec2:SecurityGroup", "ec2:SecurityGroupRule", "vpc:SecurityGroupIngressRule");

/** An argument of a control plane, which `eks.Cluster` has at the top and `aws.eks.Cluster` in `vpcConfig`. */
function endpointArgument(cluster: Field, name: string): Field {
  return isRawCluster(cluster.resource.type) ? cluster.at("vpcConfig", name) : cluster.at(name);
}

const isWorld = (cidr: string | undefined): boolean => cidr === "0.0.0.0/0" || cidr === "::/0";

/** Control-plane logs that an investigation needs. */
const neededLogs = ["api", "audit", "authenticator"];

/** Rules that let connections in, of a security group or as resources of their own. */
function ingressRules(resource: Field): Field[] {
  if (ofAwsKind("ec2:SecurityGroup")(resource.resource.type)) return resource.at("ingress").items;
  const isOutgoing =
    ofAwsKind("ec2:SecurityGroupRule")(resource.resource.type) && resource.at("type").text === "egress";
  return isOutgoing ? [] : [resource];
}

function sourcesOfRule(rule: Field): (string | undefined)[] {
  const single = [rule.at("cidrIpv4").text, rule.at("cidrIpv6").text];
  return [...rule.at("cidrBlocks").textList, ...rule.at("ipv6CidrBlocks").textList, ...single];
}

/** Where each disk of a resource is said to be encrypted, whether or not it is said. */
function encryptionSwitches(resource: Field): Field[] {
  const { type } = resource.resource;
  if (isLaunchTemplate(type)) return diskMappings(resource).map(mapping => mapping.at("ebs", "encrypted"));
  if (isManagedNodeGroup(type)) return hasLaunchTemplate(resource) ? [] : [resource.at("launchTemplate")];
  if (ofAwsKind("ebs:Volume")(type)) return [resource.at("encrypted")];
  if (ofEksKind("Cluster")(type)) {
    return resource.at("skipDefaultNodeGroup").flag === true ? [] : [resource.at("nodeRootVolumeEncrypted")];
  }
  if (ofEksKind("NodeGroup", "NodeGroupV2")(type)) {
    const either = resource.at("encryptRootBlockDevice");
    return [either.isPresent ? either : resource.at("nodeRootVolumeEncrypted")];
  }
  return ebsProvisioner.test(resource.at("provisioner").text ?? "") ? [resource.at("parameters", "encrypted")] : [];
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

/** The Kubernetes control plane and the machines under it. */
export const cluster = group(Group.cluster, [
  resourceCheck<{ endOfSupport: Record<string, string> }>({
    id: "cluster-version",
    description: "The control plane has a stated version in standard support.",
    why: "A version out of support costs six times as much and is upgraded by AWS on a day that AWS chooses.",
    level: Level.mandatory,
    development: { level: Level.advisory },
    configuration: {
      endOfSupport: {
        type: "object",
        default: endOfStandardSupport,
        description: "EKS version -> last day of standard support, as YYYY-MM-DD.",
      },
    },
    applies: isEksCluster,
    *evaluate(resource, { endOfSupport, today }) {
      const version = resource.at("version").text;
      const supported = Object.keys(endOfSupport).filter(candidate => endOfSupport[candidate]! >= today);
      const wayOut = `version: "${supported.at(-1) ?? "<a supported version>"}"`;
      if (version === undefined) yield { path: "version", message: "No version is given.", wayOut };
      else if (!supported.includes(version)) {
        const end = endOfSupport[version];
        const since = end === undefined ? "not in standard support" : `out of standard support since ${end}`;
        yield { path: "version", message: `EKS ${version} is ${since}.`, wayOut };
      }
    },
  }),

  resourceCheck({
    id: "cluster-secrets-encryption",
    description: "Kubernetes Secrets are encrypted with a KMS key of the account.",
    why: "Access to a key of one's own can be audited and withdrawn; the passwords and the engine's key are in those Secrets.",
    level: Level.mandatory,
    development: { level: Level.advisory },
    applies: isEksCluster,
    *evaluate(resource) {
      const configuration = resource.at("encryptionConfig");
      const key = isRawCluster(resource.resource.type)
        ? configuration.isPresent && configuration.at("resources").textList.includes("secrets")
        : resource.at("encryptionConfigKeyArn").firstUnknown !== undefined ||
          resource.at("encryptionConfigKeyArn").isPresent;
      if (key) return;
      const wayOut = isRawCluster(resource.resource.type)
        ? 'encryptionConfig: { provider: { keyArn }, resources: ["secrets"] }'
        : "encryptionConfigKeyArn: <the key's ARN>";
      yield { path: configuration.path, message: "Secrets are not encrypted with a key of the account.", wayOut };
    },
  }),

  resourceCheck({
    id: "cluster-endpoint",
    description: "The Kubernetes API is reachable from within the VPC, and not from the whole internet.",
    why: "An API that is open to the world has only its credentials between an attacker and every Secret.",
    level: Level.mandatory,
    development: { level: Level.advisory },
    applies: isEksCluster,
    *evaluate(resource) {
      const isPublic = endpointArgument(resource, "endpointPublicAccess");
      const cidrs = endpointArgument(resource, "publicAccessCidrs");
      const isPrivate = endpointArgument(resource, "endpointPrivateAccess");
      if (isPublic.flag !== false && (!cidrs.isPresent || cidrs.textList.some(isWorld))) {
        yield {
          path: isPublic.path,
          message: "The API endpoint is open to the world.",
          wayOut: `${isPublic.key}: false, or publicAccessCidrs: [<your networks>]`,
        };
      }
      if (isPrivate.flag !== true) {
        yield {
          path: isPrivate.path,
          message: "Nodes reach the API over its public address.",
          wayOut: `${isPrivate.key}: true`,
        };
      }
    },
  }),

  resourceCheck({
    id: "cluster-logs",
    description: "The control plane logs API calls, audit events and authentication.",
    why: "Without the audit log nobody can tell afterwards who read a Secret or deleted a pod.",
    level: Level.advisory,
    development: { level: Level.disabled },
    applies: isEksCluster,
    *evaluate(resource) {
      const enabled = resource.at("enabledClusterLogTypes");
      const missing = neededLogs.filter(log => !enabled.textList.includes(log));
      if (missing.length === 0) return;
      yield {
        path: enabled.path,
        message: `Not logged: ${missing.join(", ")}.`,
        wayOut: `enabledClusterLogTypes: ${JSON.stringify([...neededLogs, "controllerManager", "scheduler"])}`,
      };
    },
  }),

  resourceCheck({
    id: "cluster-authentication",
    description: "Access to the cluster is granted through the EKS API.",
    why: "The aws-auth ConfigMap locks everyone out with one wrong line, and its changes are in no AWS audit.",
    level: Level.advisory,
    applies: isEksCluster,
    *evaluate(resource) {
      const mode = isRawCluster(resource.resource.type)
        ? resource.at("accessConfig", "authenticationMode")
        : resource.at("authenticationMode");
      if (/^API$/i.test(mode.text ?? "")) return;
      yield {
        path: mode.path,
        message: `The authentication mode is ${mode.text ?? "CONFIG_MAP"}.`,
        wayOut: `${mode.key}: "API"`,
      };
    },
  }),

  stackCheck<{ minZones: number }>({
    id: "cluster-zones",
    description: "Nodes are in three availability zones.",
    why: "With two zones the loss of one takes half of the nodes, and may take the primary with every replica.",
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
        wayOut: "node groups with private subnets in three zones (new Network(...) makes them)",
      };
    },
  }),

  resourceCheck({
    id: "cluster-imdsv2",
    description: "Machines answer metadata requests with a session token only (IMDSv2).",
    why: "With IMDSv1 any request that a pod can be tricked into reads the node's credentials.",
    level: Level.mandatory,
    applies: anyType(isLaunchTemplate, ofAwsKind("ec2:Instance")),
    *evaluate(machine) {
      const tokens = machine.at("metadataOptions", "httpTokens");
      if (tokens.text === "required") return;
      yield {
        path: tokens.path,
        message: "IMDSv1 is answered.",
        wayOut: 'metadataOptions: { httpTokens: "required", httpPutResponseHopLimit: 1 }',
      };
    },
    repair: machine =>
      machine.at("metadataOptions", "httpTokens").firstUnknown
        ? []
        : [{ path: ["metadataOptions", "httpTokens"], value: "required" }],
  }),

  resourceCheck({
    id: "cluster-encrypted-volumes",
    description: "Every disk is encrypted.",
    why: "The local files of the database, and what the kubelet keeps of mounted Secrets, are on these disks.",
    level: Level.mandatory,
    applies: anyType(
      isLaunchTemplate,
      isManagedNodeGroup,
      ofAwsKind("ebs:Volume"),
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

  resourceCheck({
    id: "cluster-deletion-protection",
    description: "The production cluster cannot be deleted by one call.",
    why: "A destroy in the wrong stack would take every database with it.",
    level: Level.mandatory,
    development: { level: Level.disabled },
    applies: isEksCluster,
    *evaluate(resource) {
      if (resource.at("deletionProtection").flag === true) return;
      yield {
        path: "deletionProtection",
        message: "The cluster can be deleted by one call.",
        wayOut: "deletionProtection: true",
      };
    },
  }),

  stackCheck({
    id: "cluster-network-policies-enforced",
    description: "The cluster's network plugin enforces NetworkPolicies.",
    why: "The VPC CNI ignores them unless it is told to enforce them, and says nothing about it.",
    level: Level.mandatory,
    development: { level: Level.advisory },
    applies: isEksCluster,
    *evaluateInStack(resource, _given, stack) {
      if (anyOf(vpcCniSettings(resource, stack), setting => setting.flag === true)) return;
      yield {
        path: "",
        message: "NetworkPolicies are not enforced.",
        wayOut:
          `aws.eks.Addon "vpc-cni" with configurationValues: '{"enableNetworkPolicy":"true"}', ` +
          "or vpcCniOptions: { enableNetworkPolicy: true } in eks.Cluster",
      };
    },
  }),

  resourceCheck<{ publicPorts: number[] }>({
    id: "cluster-security-group",
    description: "No security group lets the whole internet in.",
    why: "A database port that is open to the world is found within minutes.",
    level: Level.mandatory,
    configuration: {
      publicPorts: {
        type: "array",
        items: { type: "integer" },
        default: [443],
        description: "Ports that may be open to everyone.",
      },
    },
    applies: isSecurityGroup,
    *evaluate(resource, { publicPorts }) {
      yield* forEach(ingressRules(resource), function* (rule) {
        if (!sourcesOfRule(rule).some(isWorld)) return;
        const port = rule.at("fromPort").number;
        if (port !== undefined && port === rule.at("toPort").number && publicPorts.includes(port)) return;
        yield {
          path: rule.path,
          message: `Everyone may connect to ${port === undefined || port === 0 ? "every port" : `port ${port}`}.`,
          wayOut: "the networks or security groups that need it, in place of 0.0.0.0/0",
        };
      });
    },
  }),

  stackCheck({
    id: "cluster-flow-logs",
    description: "A VPC has flow logs.",
    why: "They are the only record of who connected to the database, and from where.",
    level: Level.advisory,
    development: { level: Level.disabled },
    applies: ofAwsKind("ec2:Vpc"),
    *evaluateInStack(vpc, _given, stack) {
      const vpcs = stack.where(ofAwsKind("ec2:Vpc"));
      const logs = stack.where(ofAwsKind("ec2:FlowLog"));
      if (anyOf(logs, log => stack.refersTo(log.at("vpcId"), vpc, vpcs, candidate => candidate.at("id")))) return;
      yield {
        path: "",
        message: "The VPC has no flow logs.",
        wayOut: 'aws.ec2.FlowLog with vpcId and trafficType: "ALL"',
      };
    },
  }),

  resourceCheck({
    id: "cluster-key-rotation",
    description: "KMS keys are rotated.",
    why: "A key that is never changed protects everything that was ever written with it.",
    level: Level.advisory,
    applies: ofAwsKind("kms:Key"),
    *evaluate(key) {
      const isSymmetric = /^(SYMMETRIC_DEFAULT)?$/.test(key.at("customerMasterKeySpec").text ?? "");
      if (!isSymmetric || key.at("enableKeyRotation").flag === true) return;
      yield { path: "enableKeyRotation", message: "The key is never rotated.", wayOut: "enableKeyRotation: true" };
    },
    repair: () => [{ path: ["enableKeyRotation"], value: true }],
  }),

  resourceCheck({
    id: "cluster-image-repository",
    description: "A registry's tags do not move, and its images are scanned.",
    why: "A tag that can be pushed again installs another engine at the next restart of a pod.",
    level: Level.mandatory,
    development: { level: Level.advisory },
    applies: ofAwsKind("ecr:Repository"),
    *evaluate(repository) {
      const mutability = repository.at("imageTagMutability");
      if (!/^IMMUTABLE/.test(mutability.text ?? "")) {
        yield { path: mutability.path, message: "Tags can be overwritten.", wayOut: 'imageTagMutability: "IMMUTABLE"' };
      }
      const scan = repository.at("imageScanningConfiguration", "scanOnPush");
      if (scan.flag !== true) {
        yield {
          path: scan.path,
          message: "Images are not scanned.",
          wayOut: "imageScanningConfiguration: { scanOnPush: true }",
        };
      }
    },
    repair: repository =>
      repository.at("imageScanningConfiguration", "scanOnPush").flag === true
        ? []
        : [{ path: ["imageScanningConfiguration", "scanOnPush"], value: true }],
  }),
]);
