import * as assert from "node:assert/strict";
import { describe, it } from "mocha";
import { bucketPolicy, engineUserPolicy } from "../../components/core/bucketPolicies";
import { PolicyStatement } from "../../components/core/policyDocument";

const arn = "arn:aws:s3:::orders";

function statements(document: string): PolicyStatement[] {
  return (JSON.parse(document) as { Statement: PolicyStatement[] }).Statement;
}

/** Every action that a policy allows, with what it allows it on. */
function allowed(document: string): [action: string, resource: string][] {
  return statements(document)
    .filter(statement => statement.Effect === "Allow")
    .flatMap(({ Action, Resource }) =>
      [Action]
        .flat()
        .flatMap(action => [Resource ?? ""].flat().map((resource): [string, string] => [action, resource])),
    );
}

describe("the policy of the user whose key the managers have", () => {
  it("allows exactly what the manager does, on one bucket", () => {
    assert.deepEqual(allowed(engineUserPolicy(arn)).sort(), [
      ["s3:AbortMultipartUpload", "arn:aws:s3:::orders/*"],
      ["s3:DeleteObject", "arn:aws:s3:::orders/*"],
      ["s3:GetObject", "arn:aws:s3:::orders/*"],
      ["s3:ListBucket", "arn:aws:s3:::orders"],
      ["s3:PutObject", "arn:aws:s3:::orders/*"],
    ]);
  });

  it("denies to replace an entry of any log in the bucket", () => {
    const [denied] = statements(engineUserPolicy(arn)).filter(({ Effect }) => Effect === "Deny");
    assert.equal(denied?.Action, "s3:PutObject");
    assert.equal(denied?.Resource, "arn:aws:s3:::orders/*/log/*");
    assert.deepEqual(denied?.Condition, { Null: { "s3:if-none-match": "true" } });
  });

  it("denies everything that does not come through the VPC's endpoint", () => {
    const denied = statements(engineUserPolicy(arn, "vpce-1")).filter(({ Action }) => Action === "*");
    assert.equal(denied.length, 1);
    assert.equal(denied[0]!.Action, "*");
    assert.equal(denied[0]!.Resource, "*");
    assert.deepEqual(denied[0]!.Condition, { StringNotEquals: { "aws:SourceVpce": ["vpce-1"] } });
    assert.deepEqual(allowed(engineUserPolicy(arn, "vpce-1")), allowed(engineUserPolicy(arn)));
  });
});

describe("the bucket's policy", () => {
  const all = statements(bucketPolicy(arn));

  it("allows nothing to anybody", () => {
    assert.ok(all.every(({ Effect }) => Effect === "Deny"));
  });

  it("denies plain connections and old TLS, for the bucket and its objects", () => {
    assert.deepEqual(
      all.map(({ Condition }) => Condition),
      [{ Bool: { "aws:SecureTransport": "false" } }, { NumericLessThan: { "s3:TlsVersion": "1.2" } }],
    );
    for (const { Resource } of all) assert.deepEqual(Resource, [arn, `${arn}/*`]);
  });
});
