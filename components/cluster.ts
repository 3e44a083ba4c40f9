import * as aws from "@pulumi/aws";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { kubeconfigText } from "./core/kubeconfig";
import { databasePlacement } from "./core/nodePools";
import { changeInPlace } from "./core/providerSettings";
import { makeNetworkAddons, makeWorkloadAddons } from "./cluster/addons";
import { ClusterArgs, ClusterOptions, DatabasePool, ExistingClusterArgs } from "./cluster/arguments";
import { makeAccessEntries, makeControlPlane } from "./cluster/controlPlane";
import { planCluster } from "./cluster/defaults";
import { makeNodeGroups } from "./cluster/nodeGroups";
import { makeSecurityGroups } from "./cluster/securityGroups";
import { Surroundings } from "./cluster/surroundings";
import { validateClusterArgs } from "./cluster/validation";
import { checkedOptions } from "./options";
import { refuseInvalid } from "./refuse";
import { transformed } from "./transform";

export {
  ClusterArgs,
  ClusterOptions,
  ClusterTransforms,
  DatabasePool,
  ExistingClusterArgs,
  NodeStorage,
  PoolToleration,
} from "./cluster/arguments";
export { validateClusterArgs } from "./cluster/validation";

/** What a database needs of a cluster, and people who operate it. */
interface Outputs {
  provider: k8s.Provider;
  databasePool: DatabasePool;
  kubeconfig?: pulumi.Output<string>;
  storageClassName?: pulumi.Output<string>;
  clusterName?: pulumi.Output<string>;
  endpoint?: pulumi.Output<string>;
  version?: pulumi.Output<string>;
  securityGroupId?: pulumi.Output<string>;
}

/** Beside the instances, since a property of theirs would be an output of the component in every language, and a provider cannot be one. */
const providers = new WeakMap<Cluster, k8s.Provider>();

/**
 * An EKS cluster for databases: a node group per zone that takes nothing else (a taint and a label of its own), a small one for the rest, and EKS's own add-ons for network (with
 * NetworkPolicies), DNS, volumes, identities and metrics. Secrets are encrypted with a key of its own, the API is private unless `publicAccessCidrs` names who reaches it, nodes take
 * their metadata one hop at most, and a pod gets AWS's permissions by Pod Identity or not at all. Where the instance type has NVMe drives, pods' ephemeral storage is on them.
 *
 * It consists of `aws.eks` resources rather than of the `eks` package's Cluster, which is one opaque resource until it runs: every part shows in the plan, in tests and to policies.
 *
 * With `existing` it is any Kubernetes cluster, and nothing is made.
 *
 * Cost per month (us-east-1), with the defaults in three zones: $73 for the control plane, $210 for three m5.large, $61 for two t3.medium, $12 for their volumes; logs $0.50 per GB.
 *
 * @example
 * const cluster = new Cluster("orders", {
 *   region: "us-east-1",
 *   vpcId: network.vpcId,
 *   subnetIds: network.privateSubnetIds,
 *   nodeSubnetIds: network.nodeSubnetIds,
 *   publicAccessCidrs: ["203.0.113.0/24"],
 * });
 */
export class Cluster extends pulumi.ComponentResource {
  /** What a pod says that belongs on the database's nodes. */
  public readonly databasePool: DatabasePool;
  /** A secret. None for an existing cluster that did not give it. */
  public readonly kubeconfig?: pulumi.Output<string>;
  /** The class for the database's volumes. None: the cluster's default. */
  public readonly storageClassName?: pulumi.Output<string>;
  /** Like the rest, none for an existing cluster. */
  public readonly clusterName?: pulumi.Output<string>;
  /** `https://...` */
  public readonly endpoint?: pulumi.Output<string>;
  /** Of Kubernetes, like `1.36`. */
  public readonly version?: pulumi.Output<string>;
  /** Nodes and pods are in it: for rules elsewhere that let them in. */
  public readonly securityGroupId?: pulumi.Output<string>;

  /** @throws pulumi.InputPropertiesError before anything is registered */
  constructor(name: string, args: ClusterArgs, opts: ClusterOptions = {}) {
    refuseInvalid(`Cluster "${name}"`, validateClusterArgs(name, args));
    const { transform = {}, ...componentOptions } = checkedOptions(`Cluster "${name}"`, opts);
    super("tidesql:index:Cluster", name, registeredArguments(args), componentOptions);

    const outputs = args.existing
      ? existingCluster(this, name, args.existing, this.getProvider("kubernetes:core/v1:Pod"))
      : makeCluster({ parent: this, name, plan: planCluster(name, args), transform }, args.kubeconfig);

    providers.set(this, outputs.provider);
    this.databasePool = outputs.databasePool;
    this.kubeconfig = outputs.kubeconfig;
    this.storageClassName = outputs.storageClassName;
    this.clusterName = outputs.clusterName;
    this.endpoint = outputs.endpoint;
    this.version = outputs.version;
    this.securityGroupId = outputs.securityGroupId;
    this.registerOutputs({
      databasePool: this.databasePool,
      kubeconfig: this.kubeconfig,
      storageClassName: this.storageClassName,
      clusterName: this.clusterName,
      endpoint: this.endpoint,
      version: this.version,
      securityGroupId: this.securityGroupId,
    });
  }

  /** Reaches the cluster; what it makes waits until nodes and add-ons are there. For programs in this language: others make their own from `kubeconfig`. */
  public get provider(): k8s.Provider {
    return providers.get(this)!;
  }
}

/**
 * What goes into the state as the component's arguments. A kubeconfig opens a cluster: it is a secret. The nodes' subnets are left out: a component is registered once its arguments are known,
 * and its children after it, so that the control plane would wait for the nodes' way out.
 */
function registeredArguments({ kubeconfig, existing, nodeSubnetIds: _, ...args }: ClusterArgs): Partial<ClusterArgs> {
  return {
    ...args,
    ...(kubeconfig !== undefined && { kubeconfig: pulumi.secret(kubeconfig) }),
    ...(existing && {
      existing: {
        ...existing,
        ...(existing.kubeconfig !== undefined && { kubeconfig: pulumi.secret(existing.kubeconfig) }),
      },
    }),
  };
}

function existingCluster(
  parent: Cluster,
  name: string,
  { kubeconfig: given, storageClassName, nodeSelector = {}, tolerations = [] }: ExistingClusterArgs,
  inherited: pulumi.ProviderResource | undefined,
): Outputs {
  const kubeconfig = given === undefined ? undefined : pulumi.secret(given);
  const provider =
    kubeconfig === undefined && inherited
      ? inherited
      : new k8s.Provider(`${name}-kubernetes`, { kubeconfig, ...changeInPlace }, { parent });
  return {
    provider,
    databasePool: { nodeSelector, tolerations },
    kubeconfig,
    storageClassName: storageClassName === undefined ? undefined : pulumi.output(storageClassName),
  };
}

/** In this order since each step needs the one before; everything else is made beside it. */
function makeCluster(around: Surroundings, givenKubeconfig: pulumi.Input<string> | undefined): Outputs {
  const securityGroups = makeSecurityGroups(around);
  const cluster = makeControlPlane(around, securityGroups);
  const access = makeAccessEntries(around, cluster);
  const networkAddons = makeNetworkAddons(around, cluster);
  const nodeGroups = makeNodeGroups(around, cluster, securityGroups, networkAddons);
  const workloadAddons = makeWorkloadAddons(around, cluster, nodeGroups);

  const kubeconfig = pulumi.secret(givenKubeconfig ?? kubeconfigOf(cluster, around.plan.region));
  const usable = [...access, ...nodeGroups, ...workloadAddons];
  const provider = new k8s.Provider(
    `${around.name}-kubernetes`,
    { kubeconfig, ...changeInPlace },
    { parent: around.parent, dependsOn: usable },
  );
  const storageClass = makeStorageClass(around, provider);
  return {
    provider,
    databasePool: databasePlacement,
    kubeconfig,
    storageClassName: storageClass.metadata.name,
    clusterName: cluster.name,
    endpoint: cluster.endpoint,
    version: cluster.version,
    securityGroupId: securityGroups.nodes.id,
  };
}

function kubeconfigOf(
  { name, endpoint, certificateAuthority }: aws.eks.Cluster,
  region: string,
): pulumi.Output<string> {
  return pulumi
    .all([name, endpoint, certificateAuthority.data])
    .apply(([clusterName, address, authority]) =>
      kubeconfigText({ clusterName, region, endpoint: address, certificateAuthority: authority }),
    );
}

/** The class of volumes that do not say which: a volume is made where its pod is, and can grow. */
function makeStorageClass(
  { parent, name, plan, transform }: Surroundings,
  provider: k8s.Provider,
): k8s.storage.v1.StorageClass {
  return new k8s.storage.v1.StorageClass(
    ...transformed(
      transform.storageClass,
      `${name}-storage-class`,
      {
        metadata: {
          name: plan.storageClassName,
          annotations: { "storageclass.kubernetes.io/is-default-class": "true" },
        },
        provisioner: "ebs.csi.aws.com",
        parameters: { type: "gp3", encrypted: "true", "csi.storage.k8s.io/fstype": "xfs" },
        volumeBindingMode: "WaitForFirstConsumer",
        allowVolumeExpansion: true,
        reclaimPolicy: "Delete",
      },
      { parent, provider },
    ),
  );
}
