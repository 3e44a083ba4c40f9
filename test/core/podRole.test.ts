import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { podRolePolicy, validateOidcProvider, validateRoleArn, webIdentityTrust } from "../../components/core/podRole";
import { covers, decide } from "../../policy/iam/evaluate";
import { statementsOf } from "../../policy/iam/statement";
import { Field } from "../../policy/model/field";

const arn = "arn:aws:s3:::data";
const created = { "s3:if-none-match": ["*"] };

function statements(policy: string) {
  const inputs = { policy };
  return statementsOf(
    Field.of({ type: "aws:iam/rolePolicy:RolePolicy", name: "r", urn: "u", inputs, dependencies: [] } as never).at(
      "policy",
    ),
  );
}

describe("the policy of the pods' role", () => {
  const policy = statements(podRolePolicy(arn, "orders/", { vpcEndpointId: "vpce-1" }));
  const inVpc = { "aws:sourcevpce": ["vpce-1"] };
  const may = (action: string, key: string, context: Record<string, string[]> = {}) =>
    decide(policy, {
      caller: { arn: "arn:aws:sts::111111111111:assumed-role/pods/orders-0" },
      action: `s3:${action}`,
      resource: key === "" ? arn : `${arn}/${key}`,
      context: { ...inVpc, ...context },
    }) === "allowed";

  it("allows each request of the store, in the database's folder", () => {
    assert.ok(may("PutObject", "orders/log/0000000001/000000000000001", created));
    for (const key of ["owner.json", "data/0000000001/0000000001.000000000001", "checkpoint/000000000000001"])
      assert.ok(may("PutObject", `orders/${key}`), key);
    for (const key of ["owner.json", "log/1/1", "data/1/1.1", "checkpoint/1"]) {
      assert.ok(may("GetObject", `orders/${key}`), key);
      assert.equal(may("DeleteObject", `orders/${key}`), key !== "owner.json", key);
    }
    assert.ok(may("AbortMultipartUpload", "orders/data/1/1.1"));
    assert.ok(may("ListBucket", "", { "s3:prefix": ["orders/checkpoint/"] }));
  });

  it("lets S3 answer 404 for an object that is not there: that asks for ListBucket without a prefix", () => {
    assert.ok(may("ListBucket", ""));
  });

  it("lets nothing in the log be replaced", () => {
    assert.ok(!may("PutObject", "orders/log/0000000001/000000000000001"));
  });

  it("allows nothing of another database, of the bucket itself, of earlier versions, and from elsewhere", () => {
    for (const key of ["billing/owner.json", "orders2/owner.json", "ordersX", "owner.json"]) {
      for (const action of ["GetObject", "PutObject", "DeleteObject"]) assert.ok(!may(action, key, created), key);
    }
    assert.ok(!may("ListBucket", "", { "s3:prefix": ["billing/"] }));
    for (const action of ["DeleteBucket", "PutBucketPolicy", "PutLifecycleConfiguration", "PutBucketVersioning"])
      assert.ok(!may(action, ""), action);
    for (const action of ["DeleteObjectVersion", "GetObjectVersion", "PutObjectAcl", "BypassGovernanceRetention"])
      assert.ok(!may(action, "orders/data/1/1.1"), action);
    assert.ok(!may("GetObject", "orders/owner.json", { "aws:sourcevpce": ["vpce-2"] }));
  });

  it("allows reading the database that this one is a copy of, and nothing else of it", () => {
    const source = "arn:aws:s3:::old";
    const copying = statements(podRolePolicy(arn, "orders/", { restoreFrom: { arn: source, prefix: "shop/" } }));
    const mayThere = (action: string, key: string, context = {}) =>
      decide(copying, { caller: {}, action: `s3:${action}`, resource: key ? `${source}/${key}` : source, context }) ===
      "allowed";
    assert.ok(mayThere("GetObject", "shop/owner.json") && mayThere("ListBucket", "", { "s3:prefix": ["shop/log/"] }));
    for (const action of ["PutObject", "DeleteObject"])
      assert.ok(!mayThere(action, "shop/owner.json", created), action);
    assert.ok(!mayThere("GetObject", "billing/owner.json"));
  });

  it("is bound to no endpoint where none is given", () => {
    assert.ok(!podRolePolicy(arn, "orders/").includes("SourceVpce"));
  });
});

describe("the trust of a role by a cluster's OIDC provider", () => {
  const provider = "arn:aws:iam::123456789012:oidc-provider/oidc.eks.us-east-1.amazonaws.com/id/0123ABCD";
  const issuer = "oidc.eks.us-east-1.amazonaws.com/id/0123ABCD";

  it("is for one service account of one namespace, with a token for STS", () => {
    const [statement] = statements(webIdentityTrust(provider, "shop", "orders"));
    const takes = (subject: string, audience = "sts.amazonaws.com") =>
      covers(
        {
          ...statement!,
          principal: undefined,
          resource: { field: Field.of({ inputs: { r: "*" } } as never).at("r"), isInverted: false },
        },
        {
          caller: {},
          action: "sts:AssumeRoleWithWebIdentity",
          resource: "*",
          context: { [`${issuer.toLowerCase()}:sub`]: [subject], [`${issuer.toLowerCase()}:aud`]: [audience] },
        },
      );
    assert.ok(takes("system:serviceaccount:shop:orders"));
    assert.ok(!takes("system:serviceaccount:shop:billing"));
    assert.ok(!takes("system:serviceaccount:other:orders"));
    assert.ok(!takes("system:serviceaccount:shop:orders", "kubernetes"));
  });

  it("is refused for what is no provider and no role", () => {
    assert.deepEqual(validateOidcProvider("p", provider), []);
    assert.match(validateOidcProvider("p", issuer)[0]!.reason, /is not the ARN of an OIDC provider/);
    assert.deepEqual(validateRoleArn("r", "arn:aws-cn:iam::123456789012:role/team/orders"), []);
    assert.match(validateRoleArn("r", "arn:aws:iam::123456789012:user/orders")[0]!.reason, /is not a role/);
  });
});
