import { Level } from "../check";
import { databaseBucketCheck } from "../databaseBucketCheck";
import { type RequestContext } from "../iam/condition";
import { type Request } from "../iam/evaluate";
import { firstUndenied, ordinaryCallerContext } from "../iam/bucketRequests";
import { arnOf, policyStatementsOf } from "../model/bucket";

/** A request over plain HTTP; it has no version of TLS. */
const plainHttp: RequestContext = { ...ordinaryCallerContext, "aws:securetransport": ["false"], "s3:tlsversion": [] };
/** Requests over versions of TLS that are out of use (RFC 8996). */
const oldTls: readonly RequestContext[] = ["1.0", "1.1"].map(version => ({
  ...ordinaryCallerContext,
  "aws:securetransport": ["true"],
  "s3:tlsversion": [version],
}));

/** The request in words, for a message. */
function described({ caller, action, resource }: Request): string {
  return `${action} on ${resource} by ${caller.arn ?? "anybody"}`;
}

/** The bucket's policy holds whatever its clients are set to. */
export const bucketTransportCheck = databaseBucketCheck({
  id: "tls-bucket-policy",
  description: "The bucket's policy denies plain HTTP and TLS before 1.2, to everyone and for everything in it.",
  why: "The policy holds for every client of the bucket, whatever that client is set to.",
  fix: 'a Deny with Principal "*", Action "s3:*", both the bucket and <bucket>/* as Resource, and Condition { Bool: { "aws:SecureTransport": "false" } }; one more with { NumericLessThan: { "s3:TlsVersion": "1.2" } }',
  level: Level.mandatory,
  *evaluateBucket(bucket, _given, stack) {
    const statements = policyStatementsOf(bucket, stack);
    for (const [what, contexts, condition] of [
      ["plain HTTP", [plainHttp], '{ Bool: { "aws:SecureTransport": "false" } }'],
      ["TLS before 1.2", oldTls, '{ NumericLessThan: { "s3:TlsVersion": "1.2" } }'],
    ] as const) {
      const open = firstUndenied(statements, () => arnOf(bucket), contexts);
      if (!open) continue;
      const some = statements.some(({ allows }) => !allows);
      const message = `No bucket policy denies ${what}${some ? `: it lets ${described(open)} through` : ""}.`;
      const wayOut = `a Deny with Principal "*", Action "s3:*", Resource [<bucket>, <bucket>/*] and Condition ${condition}`;
      yield { path: "", message, wayOut };
    }
  },
});
