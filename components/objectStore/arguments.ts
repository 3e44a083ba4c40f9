import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { validateAwsTags } from "../core/awsTags";
import { validateAwsRegion } from "../core/awsRegion";
import { InputProblem, under } from "../core/inputProblem";
import {
  validateBucketLocation,
  validateBucketName,
  validateEndpoint,
  validateKeyPart,
  validatePrefix,
  validateStoreRegion,
} from "../core/objectStoreLocation";
import { judgeArguments } from "../schema/malformed";
import { longestInIam, validateDatabaseName, validateNamespaceName, validateResourceName } from "../core/names";
import { validateOidcProvider } from "../core/podRole";
import { Transform } from "../transform";
import { StoreCredentials } from "./credentials";

export { StoreCredentials } from "./credentials";

/** IAM gives a user two access keys: one in use, and one to change to. */
export const AccessKeySlot = {
  /** The first key. */
  A: "a",
  /** The second one, to change to. */
  B: "b",
} as const;
export type AccessKeySlot = (typeof AccessKeySlot)[keyof typeof AccessKeySlot];

/** Arguments of {@link ObjectStore}. */
export interface ObjectStoreArgs {
  /** AWS region of the bucket that is made, like `us-east-1`. Required unless there is an `existing` store. */
  region?: string;
  /** Name of the bucket that is made: unique in the world. Default: the component's name with a random suffix. Without a ".", since certificates hold for one label. */
  bucketName?: string;
  /** The S3 gateway endpoint of the nodes' VPC, `vpce-...`: the key is useless elsewhere. Default: the key works from anywhere. */
  vpcEndpointId?: pulumi.Input<string>;
  /**
   * The user's access keys; the database uses the first. To rotate, run `pulumi up` with `["a", "b"]`, then with `["b", "a"]` (the pods change one by one), then with `["b"]`, which
   * deletes the old key. Default `["a"]`.
   */
  accessKeys?: AccessKeySlot[];
  /** How long a file that was overwritten or deleted can be brought back. Days, 1 to 365. Default 7. Files that compaction replaces are paid for that long. */
  noncurrentVersionDays?: number;
  /** Protects the bucket from deletion, and what keeps it private, encrypted and versioned. Default true; set it to false, run `pulumi up`, and only then `pulumi destroy` (docs/takedown.md). */
  deletionProtection?: boolean;
  /** Deletes the bucket with everything that is in it, earlier versions included. Default false: a bucket that holds data is not deleted. */
  forceDestroy?: boolean;
  /**
   * Name of a bucket in the same region that gets a record of every request, for audits; its policy has to let `logging.s3.amazonaws.com` write. Default: none. A database makes some
   * five requests a second.
   */
  accessLogBucket?: pulumi.Input<string>;
  /** Tags of every AWS resource. At most 40; no name begins with `aws:`. Default: none. */
  tags?: Record<string, string>;
  /**
   * What opens the bucket for a database's pods. With a role there is no IAM user and no key. Default `key`; in TideSql: `podIdentity` where the cluster is made or
   * `cluster.existing.clusterName` names it, `irsa` where `cluster.existing.oidcProviderArn` is given.
   */
  credentials?: StoreCredentials;
  /** Whose role it is. Required with a role; TideSql fills it in. */
  pods?: ObjectStorePodsArgs;
  /** An existing bucket, in any S3-compatible store with conditional writes. Nothing is created but a role, where `credentials` asks for one. */
  existing?: ExistingObjectStoreArgs;
}

/** The pods that get a role: those of one database. */
export interface ObjectStorePodsArgs {
  /** Name of the Database component: its pods' service account has the same. */
  database: string;
  /** Default: the database's name. */
  namespace?: pulumi.Input<string>;
  /** The database's folder in the bucket, which is all that the role opens; ends with `/`. Default: the database's name. */
  prefix?: pulumi.Input<string>;
  /** Another database's folder, which the database begins as a copy of (its argument `restore`): the role may read it. Default: none. */
  restoreFrom?: ObjectStoreFolderArgs;
  /** With `podIdentity`: name of the EKS cluster, which has the add-on `eks-pod-identity-agent`. Cluster's output `clusterName`. */
  clusterName?: pulumi.Input<string>;
  /** With `irsa`: ARN of the cluster's OIDC provider in IAM. */
  oidcProviderArn?: pulumi.Input<string>;
}

/** A database's folder. */
export interface ObjectStoreFolderArgs {
  /** Ends with `/`. */
  prefix: pulumi.Input<string>;
  /** Name of the bucket that it is in. Default: the database's own. */
  bucket?: pulumi.Input<string>;
}

/** Where a store is, and the key for it. */
export interface ExistingObjectStoreArgs {
  /** Host, and port when it is not the scheme's default: `10.0.0.5:9000`. No scheme, no path. On AWS the regional one, `s3.us-east-1.amazonaws.com`. */
  endpoint: string;
  /** Name of the bucket. */
  bucket: pulumi.Input<string>;
  /** Region that requests are signed for. Stores outside AWS mostly take `us-east-1`. */
  region: string;
  /** Needs the actions of the generated user: list, get, put and delete objects, and abort uploads in parts. Required unless `credentials` is a role. */
  accessKeyId?: pulumi.Input<string>;
  /** Its secret part. */
  secretAccessKey?: pulumi.Input<string>;
  /** Default true. */
  useTls?: boolean;
  /** Bucket in the path instead of the host's name. Default: true outside AWS. */
  pathStyle?: boolean;
  /** The store's own authority, PEM. Default: the image's public ones. */
  caCertificate?: pulumi.Input<string>;
}

/** One optional transform for each child of an ObjectStore. */
export interface ObjectStoreTransforms {
  /** Where the data is. */
  bucket?: Transform<aws.s3.BucketArgs>;
  /** Makes access lists void. */
  ownership?: Transform<aws.s3.BucketOwnershipControlsArgs>;
  /** Keeps the bucket private. */
  publicAccessBlock?: Transform<aws.s3.BucketPublicAccessBlockArgs>;
  /** How objects are encrypted. */
  encryption?: Transform<aws.s3.BucketServerSideEncryptionConfigurationArgs>;
  /** Keeps what is overwritten or deleted. */
  versioning?: Transform<aws.s3.BucketVersioningArgs>;
  /** Removes earlier versions and broken uploads. */
  lifecycle?: Transform<aws.s3.BucketLifecycleConfigurationArgs>;
  /** Demands TLS, and the VPC's endpoint. */
  bucketPolicy?: Transform<aws.s3.BucketPolicyArgs>;
  /** Records requests, where asked for. */
  accessLog?: Transform<aws.s3.BucketLoggingArgs>;
  /** Whose key the managers have, where there is one. */
  user?: Transform<aws.iam.UserArgs>;
  /** What that key opens. */
  userPolicy?: Transform<aws.iam.UserPolicyArgs>;
  /** Each of its keys. */
  accessKey?: Transform<aws.iam.AccessKeyArgs>;
  /** The pods' role. */
  podRole?: Transform<aws.iam.RoleArgs>;
  /** What the pods may do. */
  podRolePolicy?: Transform<aws.iam.RolePolicyArgs>;
  /** Gives the role to the pods' service account, with `podIdentity`. */
  podIdentityAssociation?: Transform<aws.eks.PodIdentityAssociationArgs>;
}

/** Options of {@link ObjectStore}. */
export interface ObjectStoreOptions extends pulumi.ComponentResourceOptions {
  /** Changes a child before it is registered. */
  transform?: ObjectStoreTransforms;
}

/** The IAM user is `<name>-engine`, the role `<name>-pods`. */
const longestNameForUser = longestInIam - "-engine".length;
/** Pulumi appends "-" and 7 characters to a name that is not given, and S3 takes 63. */
const longestNameForBucket = 55;

/** Everything that is wrong with an ObjectStore's name and arguments, as far as it is known before anything is made. */
export function validateObjectStoreArgs(name: string, args: ObjectStoreArgs): InputProblem[] {
  return judgeArguments("ObjectStore", args, () => [
    ...validateAwsTags(args.tags),
    ...(args.existing === undefined ? madeProblems(name, args) : existingProblems(args, args.existing)),
    ...roleProblems(args),
  ]);
}

/** What is wrong with the role that is asked for, or with what is said of one that is not. */
function roleProblems({
  credentials = StoreCredentials.Key,
  pods,
  accessKeys,
  existing,
}: ObjectStoreArgs): InputProblem[] {
  if (credentials === StoreCredentials.Key) {
    if (pods === undefined) return [];
    return [
      { propertyPath: "pods", reason: 'is for a role: set credentials to "podIdentity" or "irsa", or leave it out' },
    ];
  }
  const problems: InputProblem[] = [];
  if (accessKeys !== undefined)
    problems.push({
      propertyPath: "accessKeys",
      reason: `means nothing with credentials "${credentials}", which has no key: leave it out`,
    });
  if (existing !== undefined && !isOfAws(existing.endpoint))
    problems.push({
      propertyPath: "credentials",
      reason: `is "${credentials}", but a role of AWS opens no other store: give a key in existing, and leave it out`,
    });
  if (pods === undefined) {
    problems.push({
      propertyPath: "pods",
      reason: `is missing, and credentials "${credentials}" needs it: say whose role it is, { database: "orders", ${credentials === StoreCredentials.PodIdentity ? "clusterName" : "oidcProviderArn"}: ... }`,
    });
    return problems;
  }
  return [...problems, ...under("pods", podsProblems(credentials, pods))];
}

function podsProblems(credentials: StoreCredentials, pods: ObjectStorePodsArgs): InputProblem[] {
  const { database, namespace, prefix, oidcProviderArn } = pods;
  const problems = validateDatabaseName(database).map(({ reason }) => ({ propertyPath: "database", reason }));
  if (typeof namespace === "string") problems.push(...validateNamespaceName(namespace, false));
  if (typeof prefix === "string") problems.push(...validatePrefix(prefix));
  if (typeof oidcProviderArn === "string") problems.push(...validateOidcProvider("oidcProviderArn", oidcProviderArn));
  const [needed, other] =
    credentials === StoreCredentials.PodIdentity
      ? (["clusterName", "oidcProviderArn"] as const)
      : (["oidcProviderArn", "clusterName"] as const);
  if (pods[needed] === undefined) {
    const what = needed === "clusterName" ? "the EKS cluster's name" : "the ARN of the cluster's OIDC provider in IAM";
    problems.push({
      propertyPath: needed,
      reason: `is missing, and credentials "${credentials}" needs it: give ${what}`,
    });
  }
  if (pods[other] !== undefined) {
    const otherWay =
      credentials === StoreCredentials.PodIdentity ? StoreCredentials.Irsa : StoreCredentials.PodIdentity;
    problems.push({ propertyPath: other, reason: `is for credentials "${otherWay}": leave it out, or choose that` });
  }
  return problems;
}

/** Whether an endpoint is S3's own. */
export function isOfAws(endpoint: string): boolean {
  return /(^|\.)amazonaws\.com(\.cn)?$/i.test(endpoint);
}

function madeProblems(name: string, args: ObjectStoreArgs): InputProblem[] {
  const { region, bucketName, noncurrentVersionDays: days } = args;
  const problems = validateResourceName(name, longestNameForUser, "IAM users");
  if (region === undefined) {
    problems.push({
      propertyPath: "region",
      reason: 'is missing: write the bucket\'s region, like "us-east-1", or describe an existing store in "existing"',
    });
  } else {
    problems.push(...validateAwsRegion(region));
  }
  if (bucketName !== undefined) problems.push(...madeBucketNameProblems(bucketName));
  else if (!/^[a-z0-9][a-z0-9-]*$/.test(name) || name.length > longestNameForBucket) {
    problems.push({
      propertyPath: "bucketName",
      reason: `is missing, and "${name}" cannot begin a bucket's name: name the bucket, or the component with lower-case letters, digits and "-" (at most ${longestNameForBucket})`,
    });
  }
  if (days !== undefined && !(Number.isInteger(days) && days >= 1 && days <= 365)) {
    problems.push({ propertyPath: "noncurrentVersionDays", reason: `is ${days}: write a whole number from 1 to 365` });
  }
  if (typeof args.vpcEndpointId === "string" && !/^vpce-[0-9a-f]+$/.test(args.vpcEndpointId)) {
    problems.push({
      propertyPath: "vpcEndpointId",
      reason: 'is not an id of an endpoint: write one like "vpce-0123456789abcdef0"',
    });
  }
  if (typeof args.accessLogBucket === "string") {
    const target = validateBucketName(args.accessLogBucket);
    problems.push(...target.map(({ reason }) => ({ propertyPath: "accessLogBucket", reason })));
    if (args.accessLogBucket === bucketName) {
      problems.push({
        propertyPath: "accessLogBucket",
        reason: "is the bucket itself, so that each record would make another: name a second one",
      });
    }
  }
  return [...problems, ...accessKeyProblems(args.accessKeys)];
}

function madeBucketNameProblems(bucketName: string): InputProblem[] {
  const reasons = validateBucketName(bucketName).map(({ reason }) => reason);
  if (reasons.length === 0 && bucketName.includes(".")) {
    reasons.push(`"${bucketName}" has a ".", so that S3's certificate does not hold for it: use "-"`);
  }
  return reasons.map(reason => ({ propertyPath: "bucketName", reason }));
}

function accessKeyProblems(slots: AccessKeySlot[] | undefined): InputProblem[] {
  if (slots === undefined) return [];
  const isValid = slots.length >= 1 && new Set(slots).size === slots.length;
  return isValid
    ? []
    : [
        {
          propertyPath: "accessKeys",
          reason: 'is not a list of "a", "b" or both, the one in use first: IAM gives a user two keys',
        },
      ];
}

/** Arguments that say how to make a bucket, which an existing one has behind it. */
const onlyForMade = [
  "bucketName",
  "vpcEndpointId",
  "accessKeys",
  "noncurrentVersionDays",
  "deletionProtection",
  "forceDestroy",
  "accessLogBucket",
] as const;

function existingProblems(args: ObjectStoreArgs, existing: ExistingObjectStoreArgs): InputProblem[] {
  const conflicts = onlyForMade
    .filter(key => args[key] !== undefined)
    .map(key => ({
      propertyPath: key,
      reason: 'is for a bucket that is made, but "existing" describes one: leave one of them out',
    }));
  const { endpoint, bucket, region } = existing;
  const location =
    typeof bucket === "string"
      ? validateBucketLocation({ ...withDefaults(existing), bucket })
      : [...validateEndpoint(endpoint), ...validateStoreRegion(region)];
  const isRole = (args.credentials ?? StoreCredentials.Key) !== StoreCredentials.Key;
  const keys = (["accessKeyId", "secretAccessKey"] as const).flatMap(key =>
    isRole ? keyBesideRoleProblems(key, existing[key]) : keyProblems(key, existing[key]),
  );
  return [...conflicts, ...under("existing", [...location, ...keys])];
}

function keyBesideRoleProblems(propertyPath: string, value: unknown): InputProblem[] {
  return value === undefined
    ? []
    : [
        {
          propertyPath,
          reason: 'is a part of a key, but credentials is a role: leave it out, or set credentials to "key"',
        },
      ];
}

function keyProblems(propertyPath: string, value: pulumi.Input<string> | undefined): InputProblem[] {
  const command = `Set it with\n      pulumi config set --secret ${propertyPath} <value>\n    and give config.requireSecret("${propertyPath}")`;
  if (value === undefined) {
    const otherWay = 'For a bucket of AWS, credentials "podIdentity" or "irsa" needs none';
    return [{ propertyPath, reason: `is missing. ${command}. ${otherWay}` }];
  }
  if (value === "") return [{ propertyPath, reason: `is empty. ${command}` }];
  return typeof value === "string" ? validateKeyPart(propertyPath, value) : [];
}

/** An existing store's location with what was left out filled in. */
export function withDefaults(existing: ExistingObjectStoreArgs) {
  const { endpoint, region, useTls = true } = existing;
  const { pathStyle = !isOfAws(endpoint) } = existing;
  return { endpoint, region, useTls, pathStyle };
}
