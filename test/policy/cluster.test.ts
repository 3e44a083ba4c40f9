import { notYetKnown } from "../../policy/model/resource";
import { describePolicy } from "./describePolicy";
import { goodCluster } from "./goodProgram";
import { changed, manifests, plus, resource, set, without } from "./program";

const good = [goodCluster];
/** The cluster component of the `eks` package, with nothing but what its tutorial gives. */
const plain = (inputs: Record<string, unknown> = {}) => [
  resource("eks:index:Cluster", "tutorial", { instanceType: "m5.large", desiredCapacity: 3, ...inputs }),
];
const group = (inputs: Record<string, unknown>) =>
  resource("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "rule", inputs);

describe("cluster", () => {
  describePolicy("cluster-version", {
    passes: [goodCluster, plain({ version: "1.35" })],
    fails: {
      program: changed(goodCluster, set("platform", "version", "1.30")),
      resource: "platform",
      says: /1.30 is not in standard support/,
    },
    unknown: changed(goodCluster, set("platform", "version", notYetKnown)),
    handWritten: { program: plain(), resource: "tutorial", says: /No version is given/ },
    configured: { configuration: { "cluster-version": { endOfSupport: { "1.30": "2027-01-01" } } }, violations: 0 },
  });

  describePolicy("cluster-secrets-encryption", {
    passes: [goodCluster, plain({ encryptionConfigKeyArn: notYetKnown })],
    fails: {
      program: changed(goodCluster, set("platform", "encryptionConfig", undefined)),
      resource: "platform",
      says: /not encrypted with a key/,
    },
    unknown: changed(goodCluster, set("platform", "encryptionConfig.resources", notYetKnown)),
    handWritten: { program: plain(), resource: "tutorial", says: /not encrypted with a key/ },
  });

  describePolicy("cluster-endpoint", {
    passes: [
      goodCluster,
      changed(
        goodCluster,
        set("platform", "vpcConfig.endpointPublicAccess", true),
        set("platform", "vpcConfig.publicAccessCidrs", ["203.0.113.0/24"]),
      ),
    ],
    fails: {
      program: changed(goodCluster, set("platform", "vpcConfig.endpointPublicAccess", true)),
      resource: "platform",
      says: /open to the world/,
    },
    unknown: changed(goodCluster, set("platform", "vpcConfig.endpointPublicAccess", notYetKnown)),
    handWritten: {
      program: plain({ endpointPublicAccess: false }),
      resource: "tutorial",
      says: /over its public address/,
    },
  });

  describePolicy("cluster-logs", {
    passes: good,
    fails: {
      program: changed(goodCluster, set("platform", "enabledClusterLogTypes", ["api"])),
      resource: "platform",
      says: /Not logged: audit, authenticator/,
    },
    unknown: changed(goodCluster, set("platform", "enabledClusterLogTypes", notYetKnown)),
    handWritten: { program: plain(), resource: "tutorial", says: /Not logged: api, audit, authenticator/ },
  });

  describePolicy("cluster-authentication", {
    passes: [goodCluster, plain({ authenticationMode: "Api" })],
    fails: {
      program: changed(goodCluster, set("platform", "accessConfig.authenticationMode", "API_AND_CONFIG_MAP")),
      resource: "platform",
      says: /is API_AND_CONFIG_MAP/,
    },
    unknown: changed(goodCluster, set("platform", "accessConfig", notYetKnown)),
    handWritten: { program: plain(), resource: "tutorial", says: /is CONFIG_MAP/ },
  });

  describePolicy("cluster-zones", {
    passes: [
      goodCluster,
      plain({ privateSubnetIds: ["subnet-1", "subnet-2", "subnet-3"] }),
      changed(goodCluster, set("database-nodes", "subnetIds", notYetKnown)),
    ],
    fails: {
      program: changed(goodCluster, set("database-nodes", "subnetIds", ["subnet-a"])),
      resource: "platform",
      says: /in 1 zone; at least 3/,
    },
    unknown: plain({ privateSubnetIds: notYetKnown }),
    handWritten: {
      program: changed(
        goodCluster,
        set("database-nodes", "subnetIds", notYetKnown),
        set("private-c", "availabilityZone", "us-east-1b"),
      ),
      resource: "platform",
      says: /in 2 zones/,
    },
    configured: { configuration: { "cluster-zones": { minZones: 1 } }, violations: 0 },
  });

  describePolicy("cluster-imdsv2", {
    passes: good,
    fails: {
      program: changed(goodCluster, set("nodes", "metadataOptions", undefined)),
      resource: "nodes",
      says: /IMDSv1/,
    },
    unknown: changed(goodCluster, set("nodes", "metadataOptions.httpTokens", notYetKnown)),
    handWritten: {
      program: [resource("aws:ec2/instance:Instance", "bastion", { metadataOptions: { httpTokens: "optional" } })],
      resource: "bastion",
      says: /IMDSv1/,
    },
  });

  describePolicy("cluster-encrypted-volumes", {
    passes: [
      goodCluster,
      changed(
        goodCluster,
        set("nodes", "blockDeviceMappings[1]", { deviceName: "/dev/sdb", virtualName: "ephemeral0" }),
      ),
      plain({ skipDefaultNodeGroup: true }),
    ],
    fails: {
      program: changed(goodCluster, set("nodes", "blockDeviceMappings[0].ebs.encrypted", undefined)),
      resource: "nodes",
      says: /not encrypted/,
    },
    unknown: changed(goodCluster, set("nodes", "blockDeviceMappings", notYetKnown)),
    handWritten: {
      program: [
        ...plain(),
        ...manifests(
          "{ apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: { name: gp3 }, provisioner: ebs.csi.aws.com, parameters: { type: gp3 } }",
        ),
        resource("eks:index:ManagedNodeGroup", "workers", {}),
        resource("aws:ebs/volume:Volume", "extra", { encrypted: false }),
      ],
      resource: "gp3",
      says: /not encrypted/,
    },
  });

  describePolicy("cluster-deletion-protection", {
    passes: good,
    fails: {
      program: changed(goodCluster, set("platform", "deletionProtection", false)),
      resource: "platform",
      says: /deleted by one call/,
    },
    unknown: changed(goodCluster, set("platform", "deletionProtection", notYetKnown)),
    handWritten: { program: plain(), resource: "tutorial", says: /deleted by one call/ },
  });

  describePolicy("cluster-network-policies-enforced", {
    passes: [goodCluster, plain({ vpcCniOptions: { enableNetworkPolicy: true } })],
    fails: {
      program: changed(goodCluster, set("vpc-cni", "configurationValues", "{}")),
      resource: "platform",
      says: /not enforced/,
    },
    unknown: changed(goodCluster, set("vpc-cni", "configurationValues", notYetKnown)),
    handWritten: { program: plain(), resource: "tutorial", says: /not enforced/ },
  });

  describePolicy("cluster-security-group", {
    passes: [goodCluster, [group({ cidrIpv4: "0.0.0.0/0", fromPort: 443, toPort: 443 })]],
    fails: {
      program: changed(goodCluster, set("nodes-group", "ingress[0].cidrBlocks", ["10.0.0.0/8", "0.0.0.0/0"])),
      resource: "nodes-group",
      says: /Everyone may connect to port 3306/,
    },
    unknown: changed(goodCluster, set("nodes-group", "ingress", notYetKnown)),
    handWritten: {
      program: [
        group({ cidrIpv6: "::/0", ipProtocol: "-1" }),
        resource("aws:ec2/securityGroupRule:SecurityGroupRule", "out", {
          type: "egress",
          cidrBlocks: ["0.0.0.0/0"],
          fromPort: 0,
          toPort: 0,
        }),
      ],
      resource: "rule",
      says: /every port/,
    },
    configured: { configuration: { "cluster-security-group": { publicPorts: [3306] } }, violations: 0 },
  });

  describePolicy("cluster-flow-logs", {
    passes: good,
    fails: { program: changed(goodCluster, without("flow-logs")), resource: "network", says: /no flow logs/ },
    unknown: changed(goodCluster, plus(resource("aws:ec2/vpc:Vpc", "second", {}))).map(candidate =>
      candidate.name === "flow-logs" ? { ...candidate, inputs: { vpcId: notYetKnown }, dependencies: [] } : candidate,
    ),
    handWritten: {
      program: [
        resource("aws:ec2/vpc:Vpc", "bare", {}),
        resource("aws:ec2/flowLog:FlowLog", "of-a-subnet", { subnetId: "subnet-1" }),
      ],
      resource: "bare",
      says: /no flow logs/,
    },
  });

  describePolicy("cluster-key-rotation", {
    passes: [goodCluster, [resource("aws:kms/key:Key", "signing", { customerMasterKeySpec: "RSA_2048" })]],
    fails: {
      program: changed(goodCluster, set("secrets", "enableKeyRotation", false)),
      resource: "secrets",
      says: /never rotated/,
    },
    unknown: changed(goodCluster, set("secrets", "enableKeyRotation", notYetKnown)),
    handWritten: { program: [resource("aws:kms/key:Key", "bare", {})], resource: "bare", says: /never rotated/ },
  });

  describePolicy("cluster-image-repository", {
    passes: [goodCluster, changed(goodCluster, set("images", "imageTagMutability", "IMMUTABLE_WITH_EXCLUSION"))],
    fails: {
      program: changed(goodCluster, set("images", "imageTagMutability", "MUTABLE")),
      resource: "images",
      says: /can be overwritten/,
    },
    unknown: changed(goodCluster, set("images", "imageTagMutability", notYetKnown)),
    handWritten: {
      program: [resource("aws:ecr/repository:Repository", "bare", {})],
      resource: "bare",
      says: /not scanned/,
    },
  });
});
