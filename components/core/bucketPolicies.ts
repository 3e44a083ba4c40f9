import { partitionOf } from "./awsRegion";
import { policyDocument, PolicyStatement } from "./policyDocument";

/** What a manager asks of objects (`s3Bucket.ts`, `multipart.ts`): GET, PUT with and without conditions, uploads in parts, DELETE. Never DeleteObjectVersion: earlier versions outlive a mistake, and a stolen key. */
export const objectActions = ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"];

/** Clients older than this are refused; the manager's Node speaks 1.3. */
const oldestTls = "1.2";

/** ARN of a bucket. Made from its name, which is known while planning, so that a plan shows the policies. */
export function bucketArn(region: string, bucket: string): string {
  return `arn:${partitionOf(region)}:s3:::${bucket}`;
}

/**
 * Policy of the user whose key the database's pods hold.
 * @param arn of the bucket
 * @param vpcEndpointId of the S3 gateway endpoint, `vpce-...`: everything that does not come through it is denied, so that a key that got out is of no use. In the user's own
 *   policy, since a bucket-wide denial would lock out everyone who administers, replicates or backs up the bucket.
 */
export function engineUserPolicy(arn: string, vpcEndpointId?: string): string {
  const statements: PolicyStatement[] = [
    // Without it a missing object answers 403 instead of 404, by which the end of the log is found.
    { Sid: "Bucket", Effect: "Allow", Action: "s3:ListBucket", Resource: arn },
    { Sid: "Objects", Effect: "Allow", Action: objectActions, Resource: `${arn}/*` },
    entriesAreNotReplaced(`${arn}/*/log/*`),
  ];
  if (vpcEndpointId !== undefined) statements.push(nothingFromElsewhere(vpcEndpointId));
  return policyDocument(statements);
}

/** Denies to replace an entry of a log: S3 demands the condition with which the manager creates it. @param entries the keys of a log */
export function entriesAreNotReplaced(entries: string): PolicyStatement {
  return {
    Sid: "EntriesAreNotReplaced",
    Effect: "Deny",
    Action: "s3:PutObject",
    Resource: entries,
    Condition: { Null: { "s3:if-none-match": "true" } },
  };
}

/** Denies everything that does not come through a gateway endpoint: credentials that got out are of no use. */
export function nothingFromElsewhere(vpcEndpointId: string): PolicyStatement {
  return {
    Sid: "NothingFromElsewhere",
    Effect: "Deny",
    Action: "*",
    Resource: "*",
    Condition: { StringNotEquals: { "aws:SourceVpce": [vpcEndpointId] } },
  };
}

/** Policy of the bucket: over TLS only, and not over an old one. It allows nothing to anybody. */
export function bucketPolicy(arn: string): string {
  const everything = [arn, `${arn}/*`];
  return policyDocument([
    {
      Sid: "TlsOnly",
      Effect: "Deny",
      Principal: "*",
      Action: "s3:*",
      Resource: everything,
      Condition: { Bool: { "aws:SecureTransport": "false" } },
    },
    {
      Sid: "NoOldTls",
      Effect: "Deny",
      Principal: "*",
      Action: "s3:*",
      Resource: everything,
      Condition: { NumericLessThan: { "s3:TlsVersion": oldestTls } },
    },
  ]);
}
