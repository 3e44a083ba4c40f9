import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { bucketArn, bucketPolicy, engineUserPolicy } from "./core/bucketPolicies";
import { regionalEndpoint } from "./core/objectStoreLocation";
import {
  AccessKeySlot,
  ExistingObjectStoreArgs,
  ObjectStoreArgs,
  ObjectStoreOptions,
  ObjectStoreTransforms,
  StoreCredentials,
  validateObjectStoreArgs,
  withDefaults,
} from "./objectStore/arguments";
import { makePodRole } from "./objectStore/podRole";
import { checkedOptions } from "./options";
import { refuseInvalid } from "./refuse";
import { transformed } from "./transform";

export {
  AccessKeySlot,
  ExistingObjectStoreArgs,
  ObjectStoreArgs,
  ObjectStoreFolderArgs,
  ObjectStoreOptions,
  ObjectStorePodsArgs,
  ObjectStoreTransforms,
  StoreCredentials,
  validateObjectStoreArgs,
} from "./objectStore/arguments";

/** A week to notice that something was deleted or overwritten that should not have been. Days. */
const defaultNoncurrentVersionDays = 7;
/** An upload that has not ended after this long never will: the engine begins a new one. Days. */
const brokenUploadDays = 1;

/** Where the data is and what may use it, as the Database component takes it. */
interface Location {
  endpoint: pulumi.Input<string>;
  bucket: pulumi.Input<string>;
  region: pulumi.Input<string>;
  useTls: pulumi.Input<boolean>;
  pathStyle: pulumi.Input<boolean>;
  accessKeyId?: pulumi.Input<string>;
  secretAccessKey?: pulumi.Input<string>;
  roleArn?: pulumi.Input<string>;
  caCertificate?: pulumi.Input<string>;
}

/**
 * The bucket that holds the only durable copy of the data, and the one key or role that may use it. The bucket is private, encrypted (SSE-S3), versioned, reached over TLS only, and protected
 * from deletion; its lifecycle removes earlier versions and broken uploads, never current objects. The key's user may list, read, write and delete objects of this bucket, and nothing
 * else; with `vpcEndpointId` only from the nodes' VPC.
 *
 * With `credentials: "podIdentity"` or `"irsa"` it is a role of the database's pods instead, whose credentials last for hours, and which opens the database's folder alone.
 *
 * With `existing` nothing is made but a role where one is asked for, and any S3-compatible store with conditional writes will do.
 *
 * Cost (us-east-1): $0.023 per GB and month, earlier versions included; $0.005 per 1,000 writes and $0.0004 per 1,000 reads. Through the VPC's gateway endpoint nothing is paid for transfer.
 *
 * @example
 * const store = new ObjectStore("orders", { region: "us-east-1", vpcEndpointId: network.s3EndpointId });
 */
export class ObjectStore extends pulumi.ComponentResource {
  /** Host, and port when it is not the scheme's default. */
  public readonly endpoint: pulumi.Output<string>;
  /** Name of the bucket. */
  public readonly bucket: pulumi.Output<string>;
  /** What requests are signed for. */
  public readonly region: pulumi.Output<string>;
  /** Whether the store is reached over TLS. */
  public readonly useTls: pulumi.Output<boolean>;
  /** Bucket in the path instead of the host's name. */
  public readonly pathStyle: pulumi.Output<boolean>;
  /** The key's id. A secret where an existing store's was given. None with a role. */
  public readonly accessKeyId: pulumi.Output<string | undefined>;
  /** A secret. None with a role. */
  public readonly secretAccessKey: pulumi.Output<string | undefined>;
  /** ARN of the pods' role, known once the pods may use it. None with a key. */
  public readonly roleArn: pulumi.Output<string | undefined>;
  /** The store's own authority, PEM; none where its certificate is from a public one. */
  public readonly caCertificate: pulumi.Output<string | undefined>;

  /** @throws pulumi.InputPropertiesError before anything is registered */
  constructor(name: string, args: ObjectStoreArgs, opts: ObjectStoreOptions = {}) {
    refuseInvalid(`ObjectStore "${name}"`, validateObjectStoreArgs(name, args));
    const { transform, ...componentOptions } = checkedOptions(`ObjectStore "${name}"`, opts);
    const guarded = withSecrets(args);
    super("tidesql:index:ObjectStore", name, registeredArguments(guarded), componentOptions);

    const location = guarded.existing
      ? existingLocation(this, name, guarded, guarded.existing, transform ?? {})
      : makeBucketAndAccess(this, name, args, transform ?? {});

    this.endpoint = pulumi.output(location.endpoint);
    this.bucket = pulumi.output(location.bucket);
    this.region = pulumi.output(location.region);
    this.useTls = pulumi.output(location.useTls);
    this.pathStyle = pulumi.output(location.pathStyle);
    this.accessKeyId = pulumi.output(location.accessKeyId);
    this.secretAccessKey =
      location.secretAccessKey === undefined ? pulumi.output(undefined) : pulumi.secret(location.secretAccessKey);
    this.roleArn = pulumi.output(location.roleArn);
    this.caCertificate = pulumi.output(location.caCertificate);
    this.registerOutputs({
      endpoint: this.endpoint,
      bucket: this.bucket,
      region: this.region,
      useTls: this.useTls,
      pathStyle: this.pathStyle,
      accessKeyId: this.accessKeyId,
      secretAccessKey: this.secretAccessKey,
      roleArn: this.roleArn,
      caCertificate: this.caCertificate,
    });
  }
}

/** A component's arguments go into the state. */
function withSecrets(args: ObjectStoreArgs): ObjectStoreArgs {
  const { existing } = args;
  return existing
    ? {
        ...args,
        existing: {
          ...existing,
          ...(existing.accessKeyId !== undefined && { accessKeyId: pulumi.secret(existing.accessKeyId) }),
          ...(existing.secretAccessKey !== undefined && { secretAccessKey: pulumi.secret(existing.secretAccessKey) }),
        },
      }
    : args;
}

/**
 * What goes into the state as the component's arguments. The cluster's name is left out: a component is registered once its arguments are known, and its children after it, so that the bucket would wait for the
 * control plane.
 */
function registeredArguments(args: ObjectStoreArgs): ObjectStoreArgs {
  if (!args.pods) return args;
  const { clusterName: _, ...pods } = args.pods;
  return { ...args, pods };
}

function existingLocation(
  parent: ObjectStore,
  name: string,
  args: ObjectStoreArgs,
  existing: ExistingObjectStoreArgs,
  transform: ObjectStoreTransforms,
): Location {
  const location = { ...existing, ...withDefaults(existing) };
  const { credentials = StoreCredentials.Key, pods, tags } = args;
  if (credentials === StoreCredentials.Key) return location;
  const { region, bucket } = existing;
  const roleArn = makePodRole(parent, name, { region, bucket, credentials, pods: pods!, tags }, transform);
  return { ...location, roleArn };
}

function makeBucketAndAccess(
  parent: ObjectStore,
  name: string,
  args: ObjectStoreArgs,
  transform: ObjectStoreTransforms,
): Location {
  const { credentials = StoreCredentials.Key, pods, vpcEndpointId, tags } = args;
  const region = args.region!;
  const bucket = makeBucket(parent, name, args, transform);
  const location = {
    endpoint: regionalEndpoint(region),
    bucket: bucket.bucket,
    region,
    useTls: true,
    pathStyle: false,
  };
  if (credentials === StoreCredentials.Key) {
    const key = makeUser(parent, name, args, bucket, transform);
    return { ...location, accessKeyId: key.id, secretAccessKey: key.secret };
  }
  const pod = { region, bucket: bucket.bucket, credentials, pods: pods!, vpcEndpointId, tags };
  return { ...location, roleArn: makePodRole(parent, name, pod, transform) };
}

function makeBucket(
  parent: ObjectStore,
  name: string,
  { region, bucketName, forceDestroy = false, deletionProtection = true, ...args }: ObjectStoreArgs,
  transform: ObjectStoreTransforms,
): aws.s3.Bucket {
  const bucket = new aws.s3.Bucket(
    ...transformed(
      transform.bucket,
      `${name}-bucket`,
      { bucket: bucketName, region, forceDestroy, tags: args.tags },
      { parent, protect: deletionProtection },
    ),
  );
  const ofBucket = { bucket: bucket.bucket, region };
  // A destroy takes what it may before it stops at the bucket: it is to find the bucket as private, encrypted and versioned as before. Once the bucket may go, they go with it and not ahead of it.
  const guard = { parent, protect: deletionProtection, deletedWith: bucket };

  new aws.s3.BucketOwnershipControls(
    ...transformed(
      transform.ownership,
      `${name}-ownership`,
      { ...ofBucket, rule: { objectOwnership: "BucketOwnerEnforced" } },
      guard,
    ),
  );
  const publicAccessBlock = new aws.s3.BucketPublicAccessBlock(
    ...transformed(
      transform.publicAccessBlock,
      `${name}-public-access`,
      {
        ...ofBucket,
        blockPublicAcls: true,
        blockPublicPolicy: true,
        ignorePublicAcls: true,
        restrictPublicBuckets: true,
      },
      guard,
    ),
  );
  new aws.s3.BucketServerSideEncryptionConfiguration(
    ...transformed(
      transform.encryption,
      `${name}-encryption`,
      { ...ofBucket, rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }] },
      guard,
    ),
  );
  const versioning = new aws.s3.BucketVersioning(
    ...transformed(
      transform.versioning,
      `${name}-versioning`,
      { ...ofBucket, versioningConfiguration: { status: "Enabled" } },
      guard,
    ),
  );
  new aws.s3.BucketLifecycleConfiguration(
    ...transformed(
      transform.lifecycle,
      `${name}-lifecycle`,
      { ...ofBucket, rules: lifecycleRules(args.noncurrentVersionDays ?? defaultNoncurrentVersionDays) },
      { ...guard, dependsOn: [versioning] },
    ),
  );
  // S3 answers 409 to two changes of who may reach a bucket at once.
  new aws.s3.BucketPolicy(
    ...transformed(
      transform.bucketPolicy,
      `${name}-policy`,
      { ...ofBucket, policy: bucket.bucket.apply(bucketName => bucketPolicy(bucketArn(region!, bucketName))) },
      { ...guard, dependsOn: [publicAccessBlock] },
    ),
  );
  if (args.accessLogBucket !== undefined) {
    new aws.s3.BucketLogging(
      ...transformed(
        transform.accessLog,
        `${name}-access-log`,
        {
          ...ofBucket,
          targetBucket: args.accessLogBucket,
          targetPrefix: pulumi.interpolate`${bucket.bucket}/`,
        },
        { parent },
      ),
    );
  }
  return bucket;
}

/** Never an expiry of current objects: a table that nobody changed for a while consists of old ones. */
function lifecycleRules(noncurrentVersionDays: number) {
  return [
    {
      id: "earlier-versions",
      status: "Enabled",
      filter: {},
      noncurrentVersionExpiration: { noncurrentDays: noncurrentVersionDays },
      expiration: { expiredObjectDeleteMarker: true },
    },
    {
      id: "broken-uploads",
      status: "Enabled",
      filter: {},
      abortIncompleteMultipartUpload: { daysAfterInitiation: brokenUploadDays },
    },
  ];
}

/** The user, and the key that is in use. A key exists only once the policy that confines it does. */
function makeUser(
  parent: ObjectStore,
  name: string,
  { region, vpcEndpointId, accessKeys = [AccessKeySlot.A], tags }: ObjectStoreArgs,
  bucket: aws.s3.Bucket,
  transform: ObjectStoreTransforms,
): aws.iam.AccessKey {
  const user = new aws.iam.User(...transformed(transform.user, `${name}-engine`, { tags }, { parent }));
  const userPolicy = new aws.iam.UserPolicy(
    ...transformed(
      transform.userPolicy,
      `${name}-engine-policy`,
      {
        user: user.name,
        policy: pulumi
          .all([bucket.bucket, vpcEndpointId])
          .apply(([bucketName, endpointId]) => engineUserPolicy(bucketArn(region!, bucketName), endpointId)),
      },
      { parent },
    ),
  );
  const [inUse] = accessKeys.map(
    slot =>
      new aws.iam.AccessKey(
        ...transformed(
          transform.accessKey,
          `${name}-key-${slot}`,
          { user: user.name },
          { parent, dependsOn: [userPolicy] },
        ),
      ),
  );
  return inUse!;
}
