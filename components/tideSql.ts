import * as pulumi from "@pulumi/pulumi";
import { Cluster, ClusterArgs, NodeStorage, validateClusterArgs } from "./cluster";
import { planCluster } from "./cluster/defaults";
import { defaultZones } from "./core/awsRegion";
import { InputProblem, under } from "./core/inputProblem";
import { machineType } from "./core/instanceTypes";
import { deriveSizing } from "./core/sizing";
import { Database, DatabaseArgs, DatabaseConnection, Spread, StorageKind, validateDatabaseArgs } from "./database";
import { sizingRequest } from "./database/settings";
import { Image, ImageArgs, validateImageArgs } from "./image";
import { NatGateways, Network, NetworkArgs, validateNetworkArgs } from "./network";
import { ObjectStore, ObjectStoreArgs, StoreCredentials, validateObjectStoreArgs } from "./objectStore";
import { checkedOptions } from "./options";
import { refuseInvalid } from "./refuse";
import { judgeArguments } from "./schema/malformed";
import { TideSqlArgs, TideSqlOptions } from "./tideSql/arguments";
import { credentialProblems, settledCredentials } from "./tideSql/credentials";
import { architectureProblems, roomProblems, unreachableImageProblems } from "./tideSql/feasibility";

export { TideSqlArgs, TideSqlOptions, TideSqlTransforms } from "./tideSql/arguments";

/** Stands for what another part will say, where arguments are only judged. */
const later = pulumi.output("later");

/**
 * A whole TideSQL deployment: network, EKS cluster, bucket, image and database, each made or taken as it is. With a region alone it is the production layout: three zones, a primary and two
 * replicas, TLS, encrypted everything, failover by itself.
 *
 * Cost: the sum of its parts; `npx tidesql plan` shows it line by line.
 *
 * @example
 * new TideSql("orders", {
 *   region: "us-east-1",
 *   databases: ["orders"],
 *   users: [{ name: "app", grants: [{ database: "orders", privileges: ["SELECT", "INSERT", "UPDATE", "DELETE"] }] }],
 * });
 *
 * @example
 * // On a cluster and a store that are there already: nothing of AWS is made.
 * new TideSql("orders", {
 *   cluster: { existing: {} },
 *   objectStore: { existing: { endpoint: "10.0.0.5:9000", bucket: "orders", region: "us-east-1", accessKeyId, secretAccessKey } },
 *   image: { existing: "registry.example/tidesql@sha256:..." },
 * });
 */
export class TideSql extends pulumi.ComponentResource {
  /** Host name for writes. */
  public readonly primaryEndpoint: pulumi.Output<string>;
  /** Host name for reads. */
  public readonly replicaEndpoint: pulumi.Output<string>;
  /** TCP port for writes. */
  public readonly port: pulumi.Output<number>;
  /** TCP port for reads. */
  public readonly replicaPort: pulumi.Output<number>;
  /** Authority that clients verify the server with, PEM. */
  public readonly caCertificate: pulumi.Output<string | undefined>;
  /** By user: host, port, password, authority, and connection strings for JDBC, Node, Python, Go, PHP and .NET. A secret. */
  public readonly connections: pulumi.Output<Record<string, DatabaseConnection>>;
  /** By user: name of the Secret with the same, for applications to mount. */
  public readonly connectionSecretNames: pulumi.Output<Record<string, string>>;
  /** By user. A secret. */
  public readonly passwords: pulumi.Output<Record<string, string>>;
  /** Identity of the data in the bucket. */
  public readonly databaseId: pulumi.Output<string>;
  /** Namespace of everything in the cluster. */
  public readonly namespace: pulumi.Output<string>;
  /** Secret with one key a user. */
  public readonly usersSecretName: pulumi.Output<string>;
  /** Secret with the server's certificate. */
  public readonly tlsSecretName: pulumi.Output<string>;
  /** Secret with the object store's key. None where the pods have a role. */
  public readonly objectStoreSecretName: pulumi.Output<string | undefined>;
  /** Name of the bucket that holds the data. */
  public readonly bucket: pulumi.Output<string>;
  /** The image that runs, by digest where it was built here. */
  public readonly image: pulumi.Output<string>;
  /** A secret. None for an existing cluster that was not given one. */
  public readonly kubeconfig?: pulumi.Output<string>;

  /**
   * @param name begins the names of everything, and names the Kubernetes objects: lower-case letters, digits and "-"
   * @throws pulumi.InputPropertiesError before anything is registered, naming every argument that is wrong
   */
  constructor(name: string, args: TideSqlArgs, opts: TideSqlOptions = {}) {
    refuseInvalid(`TideSql "${name}"`, validateTideSqlArgs(name, args));
    const { transform = {}, managerBundle, ...componentOptions } = checkedOptions(`TideSql "${name}"`, opts);
    super("tidesql:index:TideSql", name, withSecrets(args), componentOptions);

    const unreachable = unreachableCluster(args);
    if (unreachable !== undefined) void pulumi.log.warn(`TideSql "${name}": ${unreachable}`);

    // An existing cluster has its network already.
    const network = args.cluster?.existing
      ? undefined
      : new Network(`${name}-network`, networkArgs(args), { parent: this, transform: transform.network });
    const cluster = new Cluster(`${name}-cluster`, clusterArgs(name, args, network), {
      parent: this,
      transform: transform.cluster,
    });
    const objectStore = new ObjectStore(`${name}-store`, objectStoreArgs(name, args, network, cluster), {
      parent: this,
      transform: transform.objectStore,
    });
    const image = new Image(`${name}-image`, imageArgs(args), { parent: this, transform: transform.image });
    const database = new Database(name, databaseArgs(name, args, { image: image.reference, objectStore, cluster }), {
      parent: this,
      provider: cluster.provider,
      transform: transform.database,
      managerBundle,
    });

    this.primaryEndpoint = database.primaryEndpoint;
    this.replicaEndpoint = database.replicaEndpoint;
    this.port = database.port;
    this.replicaPort = database.replicaPort;
    this.caCertificate = database.caCertificate;
    this.connections = database.connections;
    this.connectionSecretNames = database.connectionSecretNames;
    this.passwords = database.passwords;
    this.databaseId = database.databaseId;
    this.namespace = database.namespace;
    this.usersSecretName = database.usersSecretName;
    this.tlsSecretName = database.tlsSecretName;
    this.objectStoreSecretName = database.objectStoreSecretName;
    this.bucket = objectStore.bucket;
    this.image = image.reference;
    this.kubeconfig = cluster.kubeconfig;
    this.registerOutputs({
      primaryEndpoint: this.primaryEndpoint,
      replicaEndpoint: this.replicaEndpoint,
      port: this.port,
      replicaPort: this.replicaPort,
      caCertificate: this.caCertificate,
      connections: this.connections,
      connectionSecretNames: this.connectionSecretNames,
      passwords: this.passwords,
      databaseId: this.databaseId,
      namespace: this.namespace,
      usersSecretName: this.usersSecretName,
      tlsSecretName: this.tlsSecretName,
      objectStoreSecretName: this.objectStoreSecretName,
      bucket: this.bucket,
      image: this.image,
      kubeconfig: this.kubeconfig,
    });
  }
}

/** Everything that is wrong with the arguments of all parts, as far as it is known before anything is made. Paths are as they were written. */
export function validateTideSqlArgs(name: string, args: TideSqlArgs): InputProblem[] {
  const problems = judgeArguments("TideSql", args, () => problemsOfParts(name, args));
  // Each part makes names of the component's: the first that says so is the strictest.
  const firstOfName = problems.findIndex(({ propertyPath }) => propertyPath === "name");
  return problems.filter(({ propertyPath }, index) => propertyPath !== "name" || index === firstOfName);
}

function problemsOfParts(name: string, args: TideSqlArgs): InputProblem[] {
  const missingRegion = regionProblems(args);
  if (missingRegion.length > 0) return missingRegion;
  const clusterIsMade = args.cluster?.existing === undefined;
  const clusterPlan = clusterArgs(name, args, clusterIsMade ? laterNetwork : undefined);
  const clusterProblems = under("cluster", validateClusterArgs(`${name}-cluster`, clusterPlan)).map(asWritten);
  // What is wrong with the cluster's machines would only be said twice.
  const databaseProblems =
    clusterProblems.length > 0 ? [] : validateDatabaseArgs(name, databaseArgs(name, args, laterParts)).map(asWritten);
  return [
    ...(clusterIsMade
      ? under("network", validateNetworkArgs(networkArgs(args))).map(asWritten)
      : networkProblems(args)),
    ...clusterProblems,
    ...credentialProblems(args),
    ...storeProblems(name, args),
    ...under("image", validateImageArgs(`${name}-image`, imageArgs(args))).map(asWritten),
    ...databaseProblems,
    ...(clusterIsMade && clusterProblems.length + databaseProblems.length === 0 ? feasibilityProblems(name, args) : []),
  ];
}

/** What is wrong with the store, but for what TideSql fills in. */
function storeProblems(name: string, args: TideSqlArgs): InputProblem[] {
  if (credentialProblems(args).length > 0) return [];
  const clusterIsMade = args.cluster?.existing === undefined;
  const store = objectStoreArgs(name, args, undefined, clusterIsMade ? { clusterName: later } : undefined);
  return under("objectStore", validateObjectStoreArgs(`${name}-store`, store)).map(asWritten);
}

/** Nothing outside a network that is made here reaches a private endpoint in it. Anyone who runs inside, or by way of a proxy, has said so. */
function unreachableCluster({ cluster, network }: TideSqlArgs): string | undefined {
  const isDecided = cluster?.publicAccessCidrs !== undefined || cluster?.kubeconfig !== undefined;
  if (isDecided || cluster?.existing || network?.existing) return undefined;
  return `the cluster's API will be reached from its own new network only. Unless this program runs in there, it makes the cluster, which takes a quarter of an hour, and then fails at the first object in it. Say from where it runs ("curl https://checkip.amazonaws.com" tells):
  cluster: { publicAccessCidrs: ["203.0.113.7/32"] },
or write publicAccessCidrs: [] if it does run in there.`;
}

/** What is filled in from above is named as it was written there. */
function asWritten(problem: InputProblem): InputProblem {
  const propertyPath = problem.propertyPath.replace(
    /^(network|cluster|objectStore|image|sizing)\.((region|instanceType|name)$|tags\b)/,
    "$2",
  );
  return { ...problem, propertyPath };
}

/** What the parts would each make, and what could not run together. */
function feasibilityProblems(name: string, args: TideSqlArgs): InputProblem[] {
  const { region = "", network, cluster, image, spread } = args;
  const plan = planCluster(name, clusterArgs(name, args, laterNetwork));
  const zones =
    cluster?.nodeSubnetIds ?? network?.existing?.privateSubnetIds ?? network?.zones ?? defaultZones(region) ?? [];
  const request = sizingRequest(databaseArgs(name, args, laterParts));
  return [
    ...roomProblems({
      zones: zones.length,
      nodesPerZone: plan.nodesPerZone,
      pods: (args.replicas ?? 2) + 1,
      oneEach: spread?.hosts !== Spread.Preferred,
      podMemoryBytes: deriveSizing(request).memoryBytes,
      node: request.node,
    }),
    ...architectureProblems(image?.architecture, plan.instanceType.name),
    ...(network?.natGateways === NatGateways.None
      ? unreachableImageProblems({
          region,
          existing: typeof image?.existing === "string" ? image.existing : undefined,
          nodeImage: args.nodeImage,
        })
      : []),
  ];
}

function regionProblems({ region, cluster, objectStore, image }: TideSqlArgs): InputProblem[] {
  const isNeeded = !cluster?.existing || !objectStore?.existing || !image?.existing;
  if (!isNeeded || region !== undefined) return [];
  const reason =
    'is missing: write an AWS region, like "us-east-1", or describe what there is already in cluster.existing, objectStore.existing and image.existing';
  return [{ propertyPath: "region", reason }];
}

function networkProblems({ network }: TideSqlArgs): InputProblem[] {
  if (network === undefined || network.existing) return [];
  return [{ propertyPath: "network", reason: "is given, but cluster.existing has a network already: leave it out" }];
}

interface NetworkParts {
  vpcId: pulumi.Input<string>;
  privateSubnetIds: pulumi.Input<string>[];
  nodeSubnetIds: pulumi.Input<string>[];
}

const laterNetwork: NetworkParts = { vpcId: later, privateSubnetIds: [later, later], nodeSubnetIds: [later, later] };

function networkArgs({ region, network, tags }: TideSqlArgs): NetworkArgs {
  return { ...(network?.existing ? {} : { region, tags }), ...network };
}

function clusterArgs(name: string, args: TideSqlArgs, network: NetworkParts | undefined): ClusterArgs {
  const { region, instanceType, tags, cluster, deletionProtection } = args;
  if (cluster?.existing) return cluster;
  return {
    region,
    vpcId: network?.vpcId,
    subnetIds: network?.privateSubnetIds,
    nodeSubnetIds: network?.nodeSubnetIds,
    clusterName: name,
    instanceType,
    tags,
    deletionProtection,
    ...cluster,
  };
}

/** The key, or the role, is bound to the endpoint through which the nodes reach the bucket. */
function objectStoreArgs(
  name: string,
  args: TideSqlArgs,
  network: Network | undefined,
  cluster: Pick<Cluster, "clusterName"> | undefined,
): ObjectStoreArgs {
  const { region, tags, network: given, objectStore, deletionProtection } = args;
  const access = accessArgs(name, args, cluster);
  if (objectStore?.existing) return { ...objectStore, ...access };
  const vpcEndpointId = network?.s3EndpointId ?? given?.existing?.s3EndpointId;
  return {
    region,
    tags,
    deletionProtection,
    ...(vpcEndpointId !== undefined && { vpcEndpointId }),
    ...objectStore,
    ...access,
  };
}

/** Whose role it is, where the pods have one. */
function accessArgs(
  name: string,
  args: TideSqlArgs,
  cluster: Pick<Cluster, "clusterName"> | undefined,
): Pick<ObjectStoreArgs, "credentials" | "pods"> {
  const credentials = settledCredentials(args);
  if (credentials === StoreCredentials.Key) return {};
  const { namespace, objectStorePrefix: prefix, restore, cluster: { existing } = {} } = args;
  const pods = {
    database: name,
    ...(namespace !== undefined && { namespace }),
    ...(prefix !== undefined && { prefix }),
    ...(restore && { restoreFrom: { prefix: restore.prefix, bucket: restore.bucket } }),
  };
  return credentials === StoreCredentials.PodIdentity
    ? { credentials, pods: { ...pods, clusterName: existing?.clusterName ?? cluster?.clusterName } }
    : { credentials, pods: { ...pods, oidcProviderArn: existing?.oidcProviderArn } };
}

/** An image is built for the nodes that it is to run on, as far as they are known. */
function imageArgs({ region, tags, image, instanceType, cluster }: TideSqlArgs): ImageArgs {
  if (image?.existing !== undefined) return image;
  const nodes = cluster?.existing ? instanceType : (cluster?.instanceType ?? instanceType);
  const architecture = nodes === undefined ? undefined : machineType(nodes)?.architecture;
  return { region, tags, architecture, ...image };
}

/** EKS has its API server on 443 and its DNS on 53, behind the Services too. */
const eksEgress = { apiServerPorts: [443], dnsPorts: [53] };

interface DatabaseParts {
  image: pulumi.Input<string>;
  objectStore: Pick<
    ObjectStore,
    | "endpoint"
    | "bucket"
    | "region"
    | "useTls"
    | "pathStyle"
    | "accessKeyId"
    | "secretAccessKey"
    | "roleArn"
    | "caCertificate"
  >;
  cluster?: Pick<Cluster, "databasePool" | "storageClassName">;
}

const laterParts: DatabaseParts = {
  image: later,
  objectStore: {
    endpoint: later,
    bucket: later,
    region: later,
    useTls: pulumi.output(true),
    pathStyle: pulumi.output(false),
    accessKeyId: later,
    secretAccessKey: later,
    roleArn: later,
    caCertificate: pulumi.output<string | undefined>(undefined),
  },
};

/** Pods are placed and sized by the pool that was made for them, where one was. */
function databaseArgs(name: string, args: TideSqlArgs, { image, objectStore, cluster }: DatabaseParts): DatabaseArgs {
  const { region: _r, instanceType, network: _n, cluster: _c, objectStore: _o, image: _i, tags: _t, ...rest } = args;
  const { objectStorePrefix, ...database } = rest;
  const made = args.cluster?.existing ? undefined : planCluster(name, clusterArgs(name, args, laterNetwork));
  const {
    endpoint,
    bucket,
    region: storeRegion,
    useTls,
    pathStyle,
    accessKeyId,
    secretAccessKey,
    roleArn,
    caCertificate,
  } = objectStore;
  const credentials = settledCredentials(args);
  return {
    nodeSelector: cluster?.databasePool.nodeSelector,
    tolerations: cluster?.databasePool.tolerations,
    ...database,
    ...(made && { egress: { ...eksEgress, ...database.egress } }),
    image,
    objectStore: {
      endpoint,
      bucket,
      region: storeRegion,
      prefix: objectStorePrefix,
      useTls,
      pathStyle,
      ...(credentials === StoreCredentials.Key
        ? { accessKeyId, secretAccessKey, caCertificate }
        : { credentials, roleArn }),
    },
    sizing: { instanceType: made?.instanceType.name ?? instanceType, ...database.sizing },
    storage: {
      kind: made?.storage === NodeStorage.Nvme ? StorageKind.Nvme : StorageKind.Volume,
      ...database.storage,
    },
  };
}

/** The arguments go into the state: what is secret in them goes there encrypted. */
function withSecrets(args: TideSqlArgs): TideSqlArgs {
  const { users, objectStore, cluster } = args;
  const store = objectStore?.existing;
  return {
    ...args,
    ...(users && {
      users: users.map(user =>
        user.password === undefined ? user : { ...user, password: pulumi.secret(user.password) },
      ),
    }),
    ...(store && {
      objectStore: {
        ...objectStore,
        existing: {
          ...store,
          ...(store.accessKeyId !== undefined && { accessKeyId: pulumi.secret(store.accessKeyId) }),
          ...(store.secretAccessKey !== undefined && { secretAccessKey: pulumi.secret(store.secretAccessKey) }),
        },
      },
    }),
    ...(cluster && {
      cluster: {
        ...cluster,
        ...(cluster.kubeconfig !== undefined && { kubeconfig: pulumi.secret(cluster.kubeconfig) }),
        ...(cluster.existing?.kubeconfig !== undefined && {
          existing: { ...cluster.existing, kubeconfig: pulumi.secret(cluster.existing.kubeconfig) },
        }),
      },
    }),
  };
}
