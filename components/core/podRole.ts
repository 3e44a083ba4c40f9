import { entriesAreNotReplaced, nothingFromElsewhere, objectActions } from "./bucketPolicies";
import { InputProblem } from "./inputProblem";
import { policyDocument, PolicyStatement } from "./policyDocument";
import { printable } from "./printable";

/** The audience that the kubelet writes into tokens for AWS's STS, and that a role's trust policy asks for. */
export const stsAudience = "sts.amazonaws.com";

const providerArn = /^arn:aws(?:-[a-z-]+)?:iam::\d{12}:oidc-provider\/([A-Za-z0-9._~:/-]+)$/;

/** What is wrong with the ARN of an OIDC provider. */
export function validateOidcProvider(propertyPath: string, arn: string): InputProblem[] {
  if (providerArn.test(arn)) return [];
  const reason = `"${printable(arn)}" is not the ARN of an OIDC provider in IAM: write one like "arn:aws:iam::123456789012:oidc-provider/oidc.eks.us-east-1.amazonaws.com/id/0123456789ABCDEF"`;
  return [{ propertyPath, reason }];
}

/** What is wrong with the ARN of a role. */
export function validateRoleArn(propertyPath: string, arn: string): InputProblem[] {
  if (/^arn:aws(?:-[a-z-]+)?:iam::\d{12}:role\/[\w+=,.@/-]+$/.test(arn)) return [];
  const reason = `"${printable(arn)}" is not a role: write one like "arn:aws:iam::123456789012:role/orders"`;
  return [{ propertyPath, reason }];
}

/** Lets the pods of one service account take a role with the token that the cluster has signed for them, and nobody else of that cluster. */
export function webIdentityTrust(oidcProviderArn: string, namespace: string, serviceAccount: string): string {
  const [, issuer = ""] = providerArn.exec(oidcProviderArn) ?? [];
  return policyDocument([
    {
      Sid: "ServiceAccount",
      Effect: "Allow",
      Principal: { Federated: oidcProviderArn },
      Action: "sts:AssumeRoleWithWebIdentity",
      Condition: {
        StringEquals: {
          [`${issuer}:aud`]: stsAudience,
          [`${issuer}:sub`]: `system:serviceaccount:${namespace}:${serviceAccount}`,
        },
      },
    },
  ]);
}

/** A folder of a bucket. */
export interface BucketFolder {
  /** Of the bucket. */
  arn: string;
  /** Ends with "/". */
  prefix: string;
}

/**
 * What the pods of a database may do with its bucket, below its folder alone.
 * - What is in `log/` can be created and not replaced: S3 demands the condition with which the manager sends it. That seals are never deleted cannot be said here: their keys are like those of entries, which
 *   are deleted one day.
 * - ListBucket is allowed where a request names no folder, too: only then does S3 answer 404 for an object that is not there, which is how the log's end is found. A listing of another folder is refused.
 * @param arn of the bucket
 * @param prefix of the database's folder, with its "/"
 * @param restoreFrom another database's folder, which this one begins as a copy of: it may be read
 * @param vpcEndpointId of the S3 gateway endpoint: everything that does not come through it is denied, so that credentials that got out are of no use
 */
export function podRolePolicy(
  arn: string,
  prefix: string,
  { restoreFrom, vpcEndpointId }: { restoreFrom?: BucketFolder; vpcEndpointId?: string } = {},
): string {
  const folder = `${arn}/${prefix}`;
  const statements: PolicyStatement[] = [
    listing("Folder", { arn, prefix }),
    { Sid: "Objects", Effect: "Allow", Action: objectActions, Resource: `${folder}*` },
    entriesAreNotReplaced(`${folder}log/*`),
    { Sid: "TheOwnerStays", Effect: "Deny", Action: "s3:DeleteObject", Resource: `${folder}owner.json` },
  ];
  if (restoreFrom !== undefined) {
    statements.push(listing("RestoredFolder", restoreFrom), {
      Sid: "RestoredObjects",
      Effect: "Allow",
      Action: "s3:GetObject",
      Resource: `${restoreFrom.arn}/${restoreFrom.prefix}*`,
    });
  }
  if (vpcEndpointId !== undefined) statements.push(nothingFromElsewhere(vpcEndpointId));
  return policyDocument(statements);
}

function listing(Sid: string, { arn, prefix }: BucketFolder): PolicyStatement {
  const Condition = { StringLikeIfExists: { "s3:prefix": `${prefix}*` } };
  return { Sid, Effect: "Allow", Action: "s3:ListBucket", Resource: arn, Condition };
}
