import { type RawResource } from "../../policy/model/resource";
import { type Change, dataPath, edit, manifests, resource, withSecrets } from "./program";

const configuration = `[mariadbd]
plugin_load_add=ha_tidesdb.so
default_storage_engine=TidesDB
require_secure_transport=ON
ssl_cert=/etc/tidesql/tls/tls.crt
ssl_key=/etc/tidesql/tls/tls.key
ssl_ca=/etc/tidesql/tls/ca.crt
tidesdb_object_store_backend=S3
tidesdb_s3_endpoint=s3.us-east-1.amazonaws.com
tidesdb_s3_bucket=shop-tidesql
tidesdb_s3_region=us-east-1
tidesdb_s3_prefix=orders/
tidesdb_s3_use_ssl=ON
tidesdb_replica_mode=ON
tidesdb_objstore_wal_sync_threshold=16
tidesdb_objstore_local_cache_max=0
tidesdb_unified_memtable_write_buffer_size=8M
tidesdb_default_l1_file_count_trigger=1000
tidesdb_max_open_sstables=4096
tidesdb_max_memory_usage=3G
`;

/** A database whose pods satisfy every policy: the manifests of a careful person. */
export const goodDatabase: readonly RawResource[] = [
  ...manifests(`
apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { pod-security.kubernetes.io/enforce: restricted } }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: orders-config, namespace: shop }
data: {}
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: orders-account, namespace: shop }
automountServiceAccountToken: false
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: orders, namespace: shop }
spec:
  replicas: 3
  serviceName: orders
  selector: { matchLabels: { app: orders } }
  template:
    metadata: { labels: { app: orders }, annotations: { shop/purpose: orders of the shop } }
    spec:
      serviceAccountName: orders-account
      priorityClassName: database
      securityContext: { runAsNonRoot: true, runAsUser: 10001, seccompProfile: { type: RuntimeDefault } }
      topologySpreadConstraints:
        - { maxSkew: 1, topologyKey: topology.kubernetes.io/zone, whenUnsatisfiable: ScheduleAnyway, labelSelector: { matchLabels: { app: orders } } }
        - { maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: DoNotSchedule, labelSelector: { matchLabels: { app: orders } } }
      containers:
        - name: tidesql
          image: registry.example/tidesql@sha256:${"3f".repeat(32)}
          command: [/opt/tidesql/node/node, /opt/tidesql/manager/manager.js]
          env: [{ name: TZ, value: UTC }]
          ports: [{ name: mysql, containerPort: 3306 }]
          securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: [ALL] } }
          resources: { requests: { cpu: "2", memory: 4Gi }, limits: { memory: 4Gi } }
          readinessProbe: { httpGet: { path: /readyz, port: 8080 } }
          livenessProbe: { httpGet: { path: /healthz, port: 8080 } }
          volumeMounts:
            - { name: data, mountPath: /var/lib/tidesql }
            - { name: config, mountPath: /etc/tidesql/config, readOnly: true }
            - { name: tls, mountPath: /etc/tidesql/tls, readOnly: true }
      volumes:
        - { name: config, configMap: { name: orders-config } }
        - { name: tls, secret: { secretName: orders-tls } }
  volumeClaimTemplates:
    - metadata: { name: data }
      spec: { accessModes: [ReadWriteOnce], storageClassName: gp3, resources: { requests: { storage: 100Gi } } }
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: { name: orders-budget, namespace: shop }
spec: { maxUnavailable: 1, selector: { matchLabels: { app: orders } } }
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: orders-peers, namespace: shop }
spec:
  podSelector: { matchLabels: { app: orders } }
  policyTypes: [Ingress]
  ingress: [{ from: [{ podSelector: { matchLabels: { app: api } } }], ports: [{ port: 3306 }] }]
---
apiVersion: v1
kind: Service
metadata: { name: orders-primary, namespace: shop }
spec: { type: ClusterIP, selector: { app: orders, tidesql.io/role: primary }, ports: [{ name: mysql, port: 3306 }] }
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: { name: gp3 }
provisioner: ebs.csi.aws.com
parameters: { type: gp3, encrypted: "true" }
`),
  withSecrets(
    resource("kubernetes:core/v1:Secret", "orders-tls", {
      metadata: { name: "orders-tls", namespace: "shop" },
      stringData: {
        "tls.crt": "-----BEGIN CERTIFICATE-----",
        "tls.key": "key of the server",
        "ca.crt": "-----BEGIN CERTIFICATE-----",
      },
    }),
    "stringData",
  ),
].map(object => (object.name === "orders-config" ? { ...object, inputs: withData(object.inputs) } : object));

function withData(inputs: unknown): unknown {
  return { ...(inputs as object), data: { "engine.cnf": configuration } };
}

/** Sets an option of the server, or removes it. */
export function option(name: string, value: string | undefined): Change {
  return edit("orders-config", dataPath("engine.cnf"), text => {
    const others = text.split("\n").filter(line => !line.startsWith(`${name}=`));
    return value === undefined ? others.join("\n") : [...others, `${name}=${value}`, ""].join("\n");
  });
}

/** Starts the server itself in place of the manager. */
export const withoutManager: Change = program =>
  program.map(object =>
    object.name === "orders"
      ? {
          ...object,
          inputs: JSON.parse(
            JSON.stringify(object.inputs).replace(
              '["/opt/tidesql/node/node","/opt/tidesql/manager/manager.js"]',
              '["/usr/local/mariadb/bin/mariadbd"]',
            ),
          ) as unknown,
        }
      : object,
  );

const vpc = resource("aws:ec2/vpc:Vpc", "network", { cidrBlock: "10.0.0.0/16" });
const subnets = ["a", "b", "c"].map(zone =>
  resource("aws:ec2/subnet:Subnet", `private-${zone}`, { vpcId: "vpc-1", availabilityZone: `us-east-1${zone}` }, [vpc]),
);
const key = resource("aws:kms/key:Key", "secrets", { enableKeyRotation: true });
const template = resource("aws:ec2/launchTemplate:LaunchTemplate", "nodes", {
  name: "nodes",
  metadataOptions: { httpTokens: "required", httpPutResponseHopLimit: 1 },
  blockDeviceMappings: [{ deviceName: "/dev/xvda", ebs: { encrypted: "true", volumeType: "gp3" } }],
  userData: Buffer.from(
    "Content-Type: application/node.eks.aws\n\napiVersion: node.eks.aws/v1alpha1\nkind: NodeConfig\nspec: { instance: { localStorage: { strategy: RAID0 } } }\n",
  ).toString("base64"),
});
const eksCluster = resource(
  "aws:eks/cluster:Cluster",
  "platform",
  {
    name: "platform",
    version: "1.36",
    deletionProtection: true,
    accessConfig: { authenticationMode: "API" },
    upgradePolicy: { supportType: "STANDARD" },
    encryptionConfig: { provider: { keyArn: "arn:aws:kms:us-east-1:1:key/1" }, resources: ["secrets"] },
    enabledClusterLogTypes: ["api", "audit", "authenticator"],
    vpcConfig: {
      endpointPrivateAccess: true,
      endpointPublicAccess: false,
      subnetIds: ["subnet-a", "subnet-b", "subnet-c"],
    },
  },
  [...subnets, key],
);

/** The platform under it: network, cluster, registry. */
export const goodCluster: readonly RawResource[] = [
  vpc,
  ...subnets,
  key,
  template,
  eksCluster,
  resource("aws:ec2/flowLog:FlowLog", "flow-logs", { vpcId: "vpc-1", trafficType: "ALL" }, [vpc]),
  resource("aws:ec2/natGateway:NatGateway", "nat", { subnetId: "subnet-a" }),
  resource(
    "aws:ec2/vpcEndpoint:VpcEndpoint",
    "s3-endpoint",
    { vpcId: "vpc-1", serviceName: "com.amazonaws.us-east-1.s3", vpcEndpointType: "Gateway" },
    [vpc],
  ),
  resource(
    "aws:eks/nodeGroup:NodeGroup",
    "database-nodes",
    {
      clusterName: "platform",
      instanceTypes: ["m8gd.large"],
      launchTemplate: { name: "nodes", version: "1" },
      subnetIds: ["subnet-a", "subnet-b", "subnet-c"],
    },
    [eksCluster, template, ...subnets],
  ),
  resource("aws:eks/addon:Addon", "vpc-cni", {
    clusterName: "platform",
    addonName: "vpc-cni",
    configurationValues: '{"enableNetworkPolicy":"true"}',
  }),
  resource("aws:ec2/securityGroup:SecurityGroup", "nodes-group", {
    ingress: [{ fromPort: 3306, toPort: 3306, protocol: "tcp", cidrBlocks: ["10.0.0.0/16"] }],
  }),
  resource("aws:ecr/repository:Repository", "images", {
    imageTagMutability: "IMMUTABLE",
    imageScanningConfiguration: { scanOnPush: true },
  }),
  resource("aws:lb/listener:Listener", "listener", {
    protocol: "TLS",
    port: 3306,
    sslPolicy: "ELBSecurityPolicy-TLS13-1-2-2021-06",
    certificateArn: "arn:aws:acm:us-east-1:1:certificate/1",
    defaultActions: [{ type: "forward" }],
  }),
  resource("docker:index/image:Image", "engine-image", {
    imageName: "registry.example/tidesql:4.5.7",
    build: { args: { WITH_S3: "1", MARIADB_VERSION: "mariadb-11.8.6", TIDESDB_VERSION: "v9.3.14" } },
  }),
];

const bucket = resource("aws:s3/bucket:Bucket", "data", { bucket: "shop-tidesql" });
const user = resource("aws:iam/user:User", "engine", { name: "engine" });

/** The statement with which a user's key is worth nothing outside the VPC. */
export const outsideVpcDenied = {
  Effect: "Deny",
  Action: "s3:*",
  Resource: "*",
  Condition: { StringNotEquals: { "aws:SourceVpce": ["vpce-1"] } },
};

/** What the engine's user may do. */
export const engineStatements = [
  { Effect: "Allow", Action: ["s3:ListBucket", "s3:GetBucketLocation"], Resource: "arn:aws:s3:::shop-tidesql" },
  {
    Effect: "Allow",
    Action: ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
    Resource: "arn:aws:s3:::shop-tidesql/orders/*",
  },
  outsideVpcDenied,
];

/** The bucket, and the user whose key the engine has. */
export const goodBucket: readonly RawResource[] = [
  bucket,
  user,
  ...Object.entries({
    "bucketVersioning:BucketVersioning": { versioningConfiguration: { status: "Enabled" } },
    "bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": {
      rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }],
    },
    "bucketPublicAccessBlock:BucketPublicAccessBlock": {
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    },
    "bucketLogging:BucketLogging": { targetBucket: "logs", targetPrefix: "shop/" },
    "bucketOwnershipControls:BucketOwnershipControls": { rule: { objectOwnership: "BucketOwnerEnforced" } },
    "bucketLifecycleConfiguration:BucketLifecycleConfiguration": {
      rules: [
        {
          id: "old-versions",
          status: "Enabled",
          noncurrentVersionExpiration: { noncurrentDays: 7 },
          abortIncompleteMultipartUpload: { daysAfterInitiation: 1 },
          expiration: { expiredObjectDeleteMarker: true },
        },
      ],
    },
    "bucketPolicy:BucketPolicy": {
      policy: JSON.stringify({
        Statement: [
          {
            Effect: "Deny",
            Principal: "*",
            Action: "s3:*",
            Resource: "*",
            Condition: { Bool: { "aws:SecureTransport": "false" } },
          },
          {
            Effect: "Deny",
            Principal: "*",
            Action: "s3:*",
            Resource: "*",
            Condition: { NumericLessThan: { "s3:TlsVersion": "1.2" } },
          },
        ],
      }),
    },
  }).map(([kind, inputs]) =>
    resource(`aws:s3/${kind}`, kind.split(":")[1]!, { bucket: "shop-tidesql", ...inputs }, [bucket]),
  ),
  resource("aws:iam/accessKey:AccessKey", "engine-key", { user: "engine" }, [user]),
  resource(
    "aws:iam/userPolicy:UserPolicy",
    "engine-policy",
    { user: "engine", policy: JSON.stringify({ Statement: engineStatements }) },
    [user],
  ),
];

/** A program with nothing wrong in it. */
export const goodProgram: readonly RawResource[] = [...goodCluster, ...goodBucket, ...goodDatabase];
