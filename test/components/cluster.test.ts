import * as assert from "node:assert/strict";
import * as k8s from "@pulumi/kubernetes";
import { describe, it } from "mocha";
import { Cluster, ClusterArgs, NodeStorage } from "../../components/cluster";
import { NatGateways, Network } from "../../components/network";
import { at, isSecret, items, record, Recording, refusals, Registered, text, valueOf } from "./mocks";

const region = "us-east-1";
const type = {
  accessEntry: "aws:eks/accessEntry:AccessEntry",
  accessPolicy: "aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
  addon: "aws:eks/addon:Addon",
  attachment: "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
  cluster: "aws:eks/cluster:Cluster",
  egress: "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
  ingress: "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
  key: "aws:kms/key:Key",
  launchTemplate: "aws:ec2/launchTemplate:LaunchTemplate",
  logGroup: "aws:cloudwatch/logGroup:LogGroup",
  nodeGroup: "aws:eks/nodeGroup:NodeGroup",
  provider: "pulumi:providers:kubernetes",
  role: "aws:iam/role:Role",
  storageClass: "kubernetes:storage.k8s.io/v1:StorageClass",
};
const place = { region, vpcId: "vpc-1", subnetIds: ["subnet-a", "subnet-b", "subnet-c"] };

/** The cluster with its defaults, made once: a recording does not change. */
let standard: Promise<Recording<Cluster>> | undefined;

function recordCluster(args?: Partial<ClusterArgs>): Promise<Recording<Cluster>> {
  if (args === undefined) return (standard ??= record(() => new Cluster("orders", place)));
  return record(() => new Cluster("orders", { ...place, ...args }));
}

describe("the control plane", () => {
  it("is reached by IAM and from inside, encrypts its Secrets, keeps its logs and stays in standard support", async () => {
    const made = await recordCluster();
    const { inputs } = made.one(type.cluster);
    assert.equal(at(inputs, "accessConfig.authenticationMode"), "API");
    assert.equal(at(inputs, "vpcConfig.endpointPrivateAccess"), true);
    assert.equal(at(inputs, "vpcConfig.endpointPublicAccess"), false);
    assert.deepEqual(at(inputs, "encryptionConfig.resources"), ["secrets"]);
    assert.match(text(inputs, "encryptionConfig.provider.keyArn"), /:key\/orders-secrets$/);
    assert.equal(at(inputs, "enabledClusterLogTypes.length"), 5);
    assert.equal(at(inputs, "upgradePolicy.supportType"), "STANDARD");
    assert.equal(at(inputs, "version"), "1.36");
    assert.equal(at(inputs, "deletionProtection"), true);
    assert.equal(at(inputs, "bootstrapSelfManagedAddons"), false);
    assert.equal(made.one(type.key).inputs.enableKeyRotation, true);
  });

  it("writes into a log group that ends, made before it", async () => {
    const made = await recordCluster({ clusterName: "orders-eks", logRetentionDays: 30 });
    const group = made.one(type.logGroup);
    assert.deepEqual([group.inputs.name, group.inputs.retentionInDays], ["/aws/eks/orders-eks/cluster", 30]);
    assert.ok(made.waitsFor(made.one(type.cluster), type.logGroup));
    assert.ok(made.waitsFor(made.one(type.cluster), type.attachment, "orders-control-plane-AmazonEKSClusterPolicy"));
  });

  it("is reached from the internet by those alone that are named", async () => {
    const { inputs } = (await recordCluster({ publicAccessCidrs: ["203.0.113.0/24"] })).one(type.cluster);
    assert.equal(at(inputs, "vpcConfig.endpointPublicAccess"), true);
    assert.deepEqual(at(inputs, "vpcConfig.publicAccessCidrs"), ["203.0.113.0/24"]);
    assert.equal(at(inputs, "vpcConfig.endpointPrivateAccess"), true);
  });

  it("is administered by those that are named", async () => {
    const administrators = ["arn:aws:iam::123456789012:role/platform", "arn:aws:iam::123456789012:user/ada"];
    const made = await recordCluster({ administrators });
    assert.deepEqual(
      made
        .all(type.accessEntry)
        .map(({ inputs }) => inputs.principalArn)
        .sort(),
      administrators,
    );
    for (const { inputs } of made.all(type.accessPolicy)) {
      assert.equal(inputs.policyArn, "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy");
      assert.deepEqual(inputs.accessScope, { type: "cluster" });
    }
  });
});

describe("the nodes", () => {
  const groupsOf = (made: Recording<Cluster>, pool: string): Registered[] =>
    made
      .all(type.nodeGroup)
      .filter(({ inputs }) => (inputs.labels as Record<string, string>)["tidesql.io/pool"] === pool);

  it("of the database are a group in each zone that takes nothing else", async () => {
    const groups = groupsOf(await recordCluster(), "database");
    assert.deepEqual(groups.map(({ inputs }) => inputs.subnetIds).sort(), [["subnet-a"], ["subnet-b"], ["subnet-c"]]);
    for (const { inputs } of groups) {
      assert.deepEqual(inputs.taints, [{ key: "tidesql.io/dedicated", value: "database", effect: "NO_SCHEDULE" }]);
      assert.deepEqual(inputs.scalingConfig, { minSize: 1, desiredSize: 1, maxSize: 1 });
    }
  });

  it("take the pods that say what the component says", async () => {
    const made = await recordCluster();
    const { nodeSelector, tolerations } = made.result.databasePool;
    const [group] = groupsOf(made, "database");
    assert.deepEqual(nodeSelector, group!.inputs.labels);
    const [taint] = items(group!.inputs, "taints");
    assert.equal(tolerations.length, 1);
    assert.deepEqual([tolerations[0]!.key, tolerations[0]!.value], [at(taint, "key"), at(taint, "value")]);
    assert.deepEqual([tolerations[0]!.operator, tolerations[0]!.effect], ["Equal", "NoSchedule"]);
  });

  it("of the rest are one group over all zones, of the database's architecture", async () => {
    const system = async (instanceType: string): Promise<unknown[]> => {
      const made = await recordCluster({ instanceType });
      const [group, ...others] = groupsOf(made, "system");
      assert.equal(others.length, 0);
      assert.equal(group!.inputs.taints, undefined);
      assert.deepEqual(group!.inputs.subnetIds, place.subnetIds);
      return [made.one(type.launchTemplate, "orders-system").inputs.instanceType, group!.inputs.amiType];
    };
    assert.deepEqual(await system("m5.large"), ["t3.medium", "AL2023_x86_64_STANDARD"]);
    assert.deepEqual(await system("m8g.large"), ["t4g.medium", "AL2023_ARM_64_STANDARD"]);
  });

  it("give their credentials to no pod, and encrypt their disks", async () => {
    for (const { inputs } of (await recordCluster({ rootVolumeGiB: 50 })).all(type.launchTemplate)) {
      assert.equal(at(inputs, "metadataOptions.httpTokens"), "required");
      assert.equal(at(inputs, "metadataOptions.httpPutResponseHopLimit"), 1);
      assert.equal(at(inputs, "blockDeviceMappings[0].ebs.encrypted"), "true");
      assert.equal(at(inputs, "blockDeviceMappings[0].ebs.volumeType"), "gp3");
      assert.equal(at(inputs, "blockDeviceMappings[0].ebs.volumeSize"), 50);
    }
  });

  it("may pull images and join, and nothing else", async () => {
    const made = await recordCluster();
    const policies = made
      .all(type.attachment)
      .filter(({ name }) => name.startsWith("orders-nodes-"))
      .map(({ inputs }) => inputs.policyArn);
    assert.deepEqual(policies.sort(), [
      "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly",
      "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy",
    ]);
  });

  it("join their drives where the type has any, unless told not to", async () => {
    const userData = (made: Recording<Cluster>, pool: string): string => {
      const { inputs } = made.one(type.launchTemplate, `orders-${pool}`);
      return Buffer.from((inputs.userData as string | undefined) ?? "", "base64").toString();
    };
    const withDrives = await recordCluster({ instanceType: "i4i.xlarge" });
    assert.match(userData(withDrives, "database"), /strategy: RAID0/);
    assert.equal(userData(withDrives, "system"), "");
    const unused = await recordCluster({ instanceType: "i4i.xlarge", storage: NodeStorage.Ebs });
    assert.equal(userData(unused, "database"), "");
    assert.equal(userData(await recordCluster(), "database"), "");
  });

  it("are started only where they have a way out, once network and permissions are there", async () => {
    const made = await record(() => {
      const network = new Network("net", { region });
      const { vpcId, privateSubnetIds: subnetIds, nodeSubnetIds } = network;
      return new Cluster("orders", { region, vpcId, subnetIds, nodeSubnetIds });
    });
    for (const group of made.all(type.nodeGroup)) {
      for (const addon of ["vpc-cni", "eks-pod-identity-agent", "kube-proxy"]) {
        assert.ok(made.waitsFor(group, type.addon, `orders-${addon}`), addon);
      }
      for (const other of ["aws:ec2/natGateway:NatGateway", "aws:ec2/route:Route", type.egress, type.ingress]) {
        assert.ok(made.waitsFor(group, other), other);
      }
      assert.ok(made.waitsFor(group, type.attachment, "orders-nodes-AmazonEKSWorkerNodePolicy"));
    }
    for (const other of ["aws:ec2/natGateway:NatGateway", "aws:ec2/flowLog:FlowLog"]) {
      assert.ok(!made.waitsFor(made.one(type.cluster), other), `the control plane waits for ${other}`);
    }
  });
});

describe("the add-ons", () => {
  it("are EKS's own, with NetworkPolicies switched on", async () => {
    const made = await recordCluster();
    const names = made.all(type.addon).map(({ inputs }) => inputs.addonName);
    assert.deepEqual(names.sort(), [
      "aws-ebs-csi-driver",
      "coredns",
      "eks-pod-identity-agent",
      "kube-proxy",
      "metrics-server",
      "vpc-cni",
    ]);
    assert.equal(made.one(type.addon, "orders-vpc-cni").inputs.configurationValues, '{"enableNetworkPolicy":"true"}');
  });

  it("that need AWS have a role each, which pods of theirs alone can take", async () => {
    const made = await recordCluster();
    const identity = (addon: string): unknown =>
      at(made.one(type.addon, `orders-${addon}`).inputs, "podIdentityAssociations");
    const roleArn = (addon: string): string => `arn:aws:iam:us-east-1:123456789012:role/orders-${addon}`;
    assert.deepEqual(identity("vpc-cni"), [{ serviceAccount: "aws-node", roleArn: roleArn("vpc-cni") }]);
    assert.deepEqual(identity("aws-ebs-csi-driver"), [
      { serviceAccount: "ebs-csi-controller-sa", roleArn: roleArn("aws-ebs-csi-driver") },
    ]);
    assert.equal(identity("coredns"), undefined);
    const trust = JSON.parse(
      text(made.one(type.role, "orders-aws-ebs-csi-driver").inputs, "assumeRolePolicy"),
    ) as unknown;
    assert.deepEqual(at(trust, "Statement[0].Principal"), { Service: "pods.eks.amazonaws.com" });
    assert.deepEqual(at(trust, "Statement[0].Action"), ["sts:AssumeRole", "sts:TagSession"]);
    const policy = made.one(type.attachment, "orders-aws-ebs-csi-driver-AmazonEBSCSIDriverPolicyV2");
    assert.equal(policy.inputs.policyArn, "arn:aws:iam::aws:policy/AmazonEBSCSIDriverPolicyV2");
  });

  it("that run on nodes wait for nodes, and have their permissions first", async () => {
    const made = await recordCluster();
    for (const addon of ["coredns", "aws-ebs-csi-driver", "metrics-server"]) {
      assert.ok(made.waitsFor(made.one(type.addon, `orders-${addon}`), type.nodeGroup), addon);
    }
    const driver = made.one(type.addon, "orders-aws-ebs-csi-driver");
    assert.ok(made.waitsFor(driver, type.attachment, "orders-aws-ebs-csi-driver-AmazonEBSCSIDriverPolicyV2"));
  });
});

describe("the security groups", () => {
  it("let nobody in but each other", async () => {
    for (const { name, inputs } of (await recordCluster()).all(type.ingress)) {
      assert.equal(inputs.cidrIpv4, undefined, name);
      assert.match(text(inputs, "referencedSecurityGroupId"), /^orders-(nodes|control-plane)-id$/, name);
    }
  });

  it("let pods out to the world on the ports that were asked for", async () => {
    const open = (made: Recording<Cluster>): unknown[] =>
      made
        .all(type.egress)
        .filter(({ inputs }) => inputs.cidrIpv4 !== undefined)
        .map(({ inputs }) => [inputs.securityGroupId, inputs.ipProtocol, inputs.fromPort, inputs.toPort]);
    assert.deepEqual(open(await recordCluster()), [["orders-nodes-id", "tcp", 443, 443]]);
    assert.equal(open(await recordCluster({ egressPorts: [443, 9000] })).length, 2);
  });

  it("are what nodes and control plane are in", async () => {
    const made = await recordCluster();
    assert.deepEqual(at(made.one(type.cluster).inputs, "vpcConfig.securityGroupIds"), ["orders-control-plane-id"]);
    for (const { inputs } of made.all(type.launchTemplate))
      assert.deepEqual(inputs.vpcSecurityGroupIds, ["orders-nodes-id"]);
    assert.equal(await valueOf(made.result.securityGroupId!), "orders-nodes-id");
  });
});

describe("what a cluster gives", () => {
  it("is a default class of encrypted volumes that are made where their pod is", async () => {
    const made = await recordCluster();
    const storageClass = made.one(type.storageClass);
    assert.equal(storageClass.inputs.provisioner, "ebs.csi.aws.com");
    assert.deepEqual(storageClass.inputs.parameters, {
      type: "gp3",
      encrypted: "true",
      "csi.storage.k8s.io/fstype": "xfs",
    });
    assert.equal(storageClass.inputs.volumeBindingMode, "WaitForFirstConsumer");
    assert.equal(storageClass.inputs.allowVolumeExpansion, true);
    assert.match(JSON.stringify(storageClass.inputs.metadata), /"storageclass.kubernetes.io\/is-default-class":"true"/);
    assert.match(storageClass.provider, /orders-kubernetes/);
    assert.equal(await valueOf(made.result.storageClassName!), "gp3");
  });

  it("is a provider that waits until the cluster can be used", async () => {
    const made = await recordCluster({ administrators: ["arn:aws:iam::123456789012:role/platform"] });
    const provider = made.one(type.provider);
    for (const addon of ["aws-ebs-csi-driver", "coredns"])
      assert.ok(made.waitsFor(provider, type.addon, `orders-${addon}`));
    assert.ok(made.waitsFor(provider, type.accessPolicy));
    assert.deepEqual(provider.secrets, ["kubeconfig"]);
  });

  it("is a kubeconfig, as a secret, without a credential in it", async () => {
    const { result } = await recordCluster();
    assert.equal(await isSecret(result.kubeconfig!), true);
    const kubeconfig = JSON.parse((await valueOf(result.kubeconfig!))!) as unknown;
    assert.equal(at(kubeconfig, "clusters[0].cluster.server"), "https://orders-cluster.eks.amazonaws.com");
    assert.equal(at(kubeconfig, "users[0].user.exec.command"), "aws");
  });

  it("is another kubeconfig where one was given, kept out of the state", async () => {
    const made = await recordCluster({ kubeconfig: "through-a-proxy" });
    assert.equal(await valueOf(made.result.kubeconfig!), "through-a-proxy");
    assert.deepEqual(made.one("tidesql:index:Cluster").secrets, ["kubeconfig"]);
    assert.equal(made.one(type.provider).inputs.kubeconfig, "through-a-proxy");
  });

  it("is registered, complete", async () => {
    const made = await recordCluster();
    const outputs = made.componentOutputs.get(made.one("tidesql:index:Cluster").urn);
    assert.deepEqual(Object.keys(outputs!).sort(), [
      "clusterName",
      "databasePool",
      "endpoint",
      "kubeconfig",
      "securityGroupId",
      "storageClassName",
      "version",
    ]);
  });
});

describe("a cluster's transforms", () => {
  it("change each child of a kind before it is registered", async () => {
    const made = await record(
      () =>
        new Cluster("orders", place, {
          transform: {
            databaseNodeGroup: (args, opts) => ({
              args: { ...args, capacityType: "SPOT" },
              opts: { ...opts, protect: true },
            }),
          },
        }),
    );
    const groups = made.all(type.nodeGroup).map(group => [group.name, group.inputs.capacityType, group.protect]);
    assert.deepEqual(groups.sort(), [
      ["orders-database-0", "SPOT", true],
      ["orders-database-1", "SPOT", true],
      ["orders-database-2", "SPOT", true],
      ["orders-system", "ON_DEMAND", false],
    ]);
  });
});

describe("planning a cluster", () => {
  it("looks nothing up, and puts every part into its region, below itself", async () => {
    const plan = await record(() => new Cluster("orders", { ...place, region: "eu-west-1" }), { preview: true });
    assert.deepEqual(plan.invokes, []);
    const component = plan.one("tidesql:index:Cluster");
    for (const { name, type: kind, custom, parent, inputs } of plan.resources) {
      if (!custom) continue;
      assert.equal(parent, component.urn, name);
      if (/^aws:(?!iam)/.test(kind)) assert.equal(inputs.region, "eu-west-1", name);
    }
  });

  it("uses no pod of the host's, no DaemonSet and no user data of its own for the drives", async () => {
    const made = await recordCluster({ instanceType: "i4i.xlarge" });
    assert.doesNotMatch(JSON.stringify(made.resources), /hostPath|DaemonSet/);
  });

  it("has a chain of creations hardly longer than the one that cannot be avoided", async () => {
    const made = await record(() => {
      const network = new Network("net", { region, natGateways: NatGateways.Single });
      const { vpcId, privateSubnetIds: subnetIds, nodeSubnetIds } = network;
      return new Cluster("orders", { region, vpcId, subnetIds, nodeSubnetIds });
    });
    const unavoidable = 9.5 + 0.6 + 2 + 1;
    const minutes = longestChainMinutes(made);
    assert.ok(minutes <= 1.05 * unavoidable, `${minutes.toFixed(2)} minutes against ${unavoidable}`);
  });
});

/** How long creations take, by type or by type and name: medians of public logs. Minutes; what is not here takes seconds. */
function expectedMinutes({ type: kind, name }: Registered): number {
  if (kind === type.cluster) return 9.5;
  if (kind === type.nodeGroup) return 2;
  if (kind === "aws:ec2/natGateway:NatGateway") return 2;
  if (kind === "aws:ec2/vpc:Vpc") return 25 / 60;
  if (kind === type.addon) return /vpc-cni|kube-proxy|identity/.test(name) ? 0.6 : 1;
  return kind.startsWith("aws:") ? 2 / 60 : 0;
}

function longestChainMinutes(made: Recording<unknown>): number {
  const known = new Map<string, number>();
  const end = (resource: Registered): number => {
    const cached = known.get(resource.urn);
    if (cached !== undefined) return cached;
    const minutes = expectedMinutes(resource) + Math.max(0, ...made.waitedForBy(resource).map(end));
    known.set(resource.urn, minutes);
    return minutes;
  };
  return Math.max(...made.resources.map(end));
}

describe("a cluster that exists", () => {
  it("is reached by its kubeconfig, and nothing is made in it", async () => {
    const used = await record(
      () => new Cluster("orders", { existing: { kubeconfig: "sesame", storageClassName: "fast" } }),
    );
    assert.deepEqual(used.resources.map(({ type: kind }) => kind).sort(), [type.provider, "tidesql:index:Cluster"]);
    assert.equal(used.one(type.provider).inputs.kubeconfig, "sesame");
    assert.deepEqual(used.one("tidesql:index:Cluster").secrets, ["existing.kubeconfig"]);
    assert.equal(await valueOf(used.result.storageClassName!), "fast");
    assert.deepEqual(used.result.databasePool, { nodeSelector: {}, tolerations: [] });
  });

  it("is reached by the provider in the options", async () => {
    const used = await record(() => {
      const provider = new k8s.Provider("mine", { kubeconfig: "sesame" });
      return { provider, cluster: new Cluster("orders", { existing: {} }, { providers: { kubernetes: provider } }) };
    });
    assert.equal(used.result.cluster.provider, used.result.provider);
    assert.equal(used.all(type.provider).length, 1);
  });

  it("is the one that kubectl reaches where nothing else is said", async () => {
    const used = await record(() => new Cluster("orders", { existing: {} }));
    assert.deepEqual(Object.keys(used.one(type.provider).inputs), ["enableConfigMapMutable", "enableSecretMutable"]);
  });
});

describe("bad input to a cluster", () => {
  const paths = async (args: Partial<ClusterArgs>, name = "orders"): Promise<string[]> => {
    const problems = await refusals(() => new Cluster(name, { ...place, ...args }));
    return problems.map(({ propertyPath }) => propertyPath);
  };

  it("is refused before anything is registered, by the property's path", async () => {
    assert.deepEqual(await paths({ region: undefined, vpcId: undefined, subnetIds: undefined }), [
      "region",
      "vpcId",
      "subnetIds",
    ]);
    assert.deepEqual(await paths({ region: "mars" }), ["region"]);
    assert.deepEqual(await paths({ subnetIds: ["subnet-a"] }), ["subnetIds"]);
    assert.deepEqual(await paths({ nodeSubnetIds: [] }), ["nodeSubnetIds"]);
    assert.deepEqual(await paths({}, "orders/eks"), ["clusterName"]);
    assert.deepEqual(await paths({ kubernetesVersion: "1.30" }), ["kubernetesVersion"]);
    assert.deepEqual(await paths({ instanceType: "m5.huge" }), ["instanceType"]);
    assert.deepEqual(await paths({ systemInstanceType: "tiny" }), ["systemInstanceType"]);
    assert.deepEqual(await paths({ nodesPerZone: 0 }), ["nodesPerZone"]);
    assert.deepEqual(await paths({ systemNodes: 1.5 }), ["systemNodes"]);
    assert.deepEqual(await paths({ rootVolumeGiB: 10 }), ["rootVolumeGiB"]);
    assert.deepEqual(await paths({ storage: "disk" as NodeStorage }), ["storage"]);
    assert.deepEqual(await paths({ publicAccessCidrs: ["0.0.0.0/0"] }), ["publicAccessCidrs[0]"]);
    assert.deepEqual(await paths({ administrators: ["ada"] }), ["administrators[0]"]);
    assert.deepEqual(await paths({ egressPorts: [443, 70000] }), ["egressPorts[1]"]);
    assert.deepEqual(await paths({ logRetentionDays: 2 }), ["logRetentionDays"]);
    assert.deepEqual(await paths({ storageClassName: "GP3" }), ["storageClassName"]);
  });

  it("is refused when drives are asked of a type without, with types that have them", async () => {
    const [problem] = await refusals(() => new Cluster("orders", { ...place, storage: NodeStorage.Nvme }));
    assert.equal(problem!.propertyPath, "storage");
    assert.match(problem!.reason, /m5\.large has no drives.*i4i/);
  });

  it("is refused when a cluster both exists and is to be made", async () => {
    assert.deepEqual(await paths({ existing: {}, instanceType: "m5.large", kubernetesVersion: "1.36" }), [
      "instanceType",
      "kubernetesVersion",
    ]);
  });

  it("is refused when a kubeconfig is empty, with the command that sets it", async () => {
    const [problem] = await refusals(() => new Cluster("orders", { existing: { kubeconfig: "" } }));
    assert.equal(problem!.propertyPath, "existing.kubeconfig");
    assert.match(problem!.reason, /pulumi config set --secret kubeconfig/);
  });
});
