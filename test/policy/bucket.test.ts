import { notYetKnown } from "../../policy/model/resource";
import { describePolicy } from "./describePolicy";
import { engineStatements, goodBucket, outsideVpcDenied } from "./goodProgram";
import { changed, plus, resource, set, without } from "./program";

const good = [goodBucket];
const bucketNotKnown = (aspect: string) =>
  changed(goodBucket, plus(resource("aws:s3/bucket:Bucket", "other", {})), set(aspect, "bucket", notYetKnown)).map(
    candidate => (candidate.name === aspect ? { ...candidate, dependencies: [] } : candidate),
  );
/** A bucket with everything in arguments of its own, as programs before version 7 of the provider have it. */
const oldStyle = (inputs: Record<string, unknown>) => [
  resource("aws:s3/bucketV2:BucketV2", "old", { bucket: "old-tidesql", ...inputs }),
];
const policy = (...statements: unknown[]) => JSON.stringify({ Version: "2012-10-17", Statement: statements });
const userMay = (...statements: unknown[]) =>
  changed(goodBucket, set("engine-policy", "policy", policy(...statements)));
const lifecycle = (...rules: unknown[]) => changed(goodBucket, set("BucketLifecycleConfiguration", "rules", rules));

describe("bucket", () => {
  describePolicy("bucket-encryption", {
    passes: good,
    fails: {
      program: changed(goodBucket, without("BucketServerSideEncryptionConfiguration")),
      resource: "data",
      says: /No encryption/,
    },
    unknown: bucketNotKnown("BucketServerSideEncryptionConfiguration"),
    handWritten: {
      program: [
        ...oldStyle({}),
        resource("aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2", "e", {
          bucket: "old-tidesql",
          rules: [{ bucketKeyEnabled: true }],
        }),
      ],
      resource: "old",
      says: /No encryption/,
    },
  });

  describePolicy("bucket-public-access-block", {
    passes: good,
    fails: {
      program: changed(goodBucket, without("BucketPublicAccessBlock")),
      resource: "data",
      says: /Nothing blocks/,
    },
    unknown: bucketNotKnown("BucketPublicAccessBlock"),
    handWritten: {
      program: [
        ...oldStyle({}),
        resource("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "b", { bucket: "another" }),
      ],
      resource: "old",
      says: /Nothing blocks/,
    },
  });

  describePolicy("bucket-public-access-switches", {
    passes: good,
    fails: {
      program: changed(goodBucket, set("BucketPublicAccessBlock", "ignorePublicAcls", false)),
      resource: "BucketPublicAccessBlock",
      says: /ignorePublicAcls is not on/,
    },
    unknown: changed(goodBucket, set("BucketPublicAccessBlock", "blockPublicAcls", notYetKnown)),
    handWritten: {
      program: [
        resource("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "b", { bucket: "x", blockPublicAcls: true }),
      ],
      resource: "b",
      says: /restrictPublicBuckets/,
    },
  });

  describePolicy("bucket-ownership", {
    passes: good,
    fails: {
      program: changed(goodBucket, set("BucketOwnershipControls", "rule.objectOwnership", "ObjectWriter")),
      resource: "data",
      says: /not enforced/,
    },
    unknown: changed(goodBucket, set("BucketOwnershipControls", "rule", notYetKnown)),
    handWritten: { program: oldStyle({ acl: "private" }), resource: "old", says: /not enforced/ },
  });

  describePolicy("bucket-versioning", {
    passes: [goodBucket, oldStyle({ versioning: { enabled: true } })],
    fails: {
      program: changed(goodBucket, set("BucketVersioning", "versioningConfiguration.status", "Suspended")),
      resource: "data",
      says: /not enabled/,
    },
    unknown: changed(goodBucket, set("BucketVersioning", "versioningConfiguration.status", notYetKnown)),
    handWritten: { program: oldStyle({ versioning: { enabled: false } }), resource: "old", says: /not enabled/ },
  });

  describePolicy("bucket-no-expiry", {
    passes: [goodBucket, lifecycle({ status: "Disabled", expiration: { days: 1 } })],
    fails: {
      program: lifecycle({ status: "Enabled", expiration: { days: 30 } }),
      resource: "data",
      says: /Current objects are deleted \(days: 30; BucketLifecycleConfiguration, rules\[0\]\.expiration\.days\)/,
    },
    unknown: lifecycle({ status: "Enabled", expiration: notYetKnown }),
    handWritten: {
      program: oldStyle({ lifecycleRules: [{ enabled: true, transitions: [{ days: 30, storageClass: "GLACIER" }] }] }),
      resource: "old",
      says: /archived/,
    },
  });

  describePolicy("bucket-lifecycle", {
    passes: good,
    fails: {
      program: changed(goodBucket, without("BucketLifecycleConfiguration")),
      resource: "data",
      says: /Old versions/,
    },
    unknown: changed(goodBucket, set("BucketLifecycleConfiguration", "rules", notYetKnown)),
    handWritten: {
      program: oldStyle({ lifecycleRules: [{ enabled: true, abortIncompleteMultipartUploadDays: 1 }] }),
      resource: "old",
      says: /Old versions/,
    },
  });

  describePolicy("bucket-version-retention", {
    passes: [...good, lifecycle({ status: "Disabled", noncurrentVersionExpiration: { noncurrentDays: 1 } })],
    fails: {
      program: lifecycle({ status: "Enabled", noncurrentVersionExpiration: { noncurrentDays: 1 } }),
      resource: "data",
      says: /kept for 1 d only/,
    },
    unknown: changed(goodBucket, set("BucketLifecycleConfiguration", "rules", notYetKnown)),
    handWritten: {
      program: oldStyle({ lifecycleRules: [{ enabled: true, noncurrentVersionExpiration: { days: 2 } }] }),
      resource: "old",
      says: /kept for 2 d only/,
    },
    configured: { configuration: { "bucket-version-retention": { minDays: 1 } }, violations: 0 },
  });

  describePolicy("bucket-force-destroy", {
    passes: good,
    fails: {
      program: changed(goodBucket, set("data", "forceDestroy", true)),
      resource: "data",
      says: /forceDestroy is on/,
    },
    unknown: changed(goodBucket, set("data", "forceDestroy", notYetKnown)),
    handWritten: { program: oldStyle({ forceDestroy: "true" }), resource: "old", says: /forceDestroy/ },
  });

  describePolicy("bucket-least-privilege", {
    passes: good,
    fails: {
      program: userMay({
        Effect: "Allow",
        Action: ["s3:GetObject", "s3:DeleteObjectVersion"],
        Resource: "arn:aws:s3:::shop-tidesql/*",
      }),
      resource: "engine-policy",
      says: /allows s3:DeleteObjectVersion/,
    },
    unknown: changed(goodBucket, set("engine-policy", "policy", notYetKnown)),
    handWritten: {
      program: [
        resource("aws:iam/userPolicyAttachment:UserPolicyAttachment", "full", {
          user: "engine",
          policyArn: "arn:aws:iam::aws:policy/AmazonS3FullAccess",
        }),
        resource("aws:iam/policy:Policy", "wide", {
          policy: { Statement: { Effect: "Allow", Action: "S3:*", Resource: "*" } },
        }),
      ],
      resource: "full",
      says: /AmazonS3FullAccess is attached/,
    },
  });

  describePolicy("bucket-list", {
    passes: good,
    fails: { program: userMay(engineStatements[1], outsideVpcDenied), resource: "engine", says: /not list the bucket/ },
    unknown: changed(goodBucket, set("engine-policy", "policy", notYetKnown)),
    handWritten: {
      program: [
        ...changed(goodBucket, without("engine-policy")),
        resource("aws:iam/policy:Policy", "readers", {
          policy: { Statement: [{ Effect: "Allow", Action: "s3:Get*", Resource: "arn:aws:s3:::shop-tidesql/*" }] },
        }),
        resource(
          "aws:iam/userPolicyAttachment:UserPolicyAttachment",
          "engine-reads",
          { user: "engine", policyArn: "arn:aws:iam::1:policy/readers" },
          [resource("aws:iam/policy:Policy", "readers", {})],
        ),
      ],
      resource: "engine",
      says: /not list the bucket/,
    },
  });

  describePolicy("bucket-vpc-endpoint", {
    passes: [goodBucket, changed(goodBucket, without("engine-key", "engine-policy"))],
    fails: { program: userMay(...engineStatements.slice(0, 2)), resource: "engine", says: /works from anywhere/ },
    unknown: changed(goodBucket, set("engine-policy", "policy", notYetKnown)),
    handWritten: {
      program: [
        ...changed(goodBucket, without("engine-policy")),
        resource("aws:iam/userPolicy:UserPolicy", "p", {
          user: "engine",
          policy: {
            Statement: [
              { Effect: "Allow", Action: "s3:*Object", Resource: "arn:aws:s3:::shop-*" },
              {
                Effect: "Deny",
                Action: "s3:*",
                Resource: "*",
                Condition: { StringEquals: { "aws:SourceVpce": "vpce-1" } },
              },
            ],
          },
        }),
      ],
      resource: "engine",
      says: /works from anywhere/,
    },
  });
});
