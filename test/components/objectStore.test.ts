import * as assert from "node:assert/strict";
import { describe, it } from "mocha";
import * as pulumi from "@pulumi/pulumi";
import { AccessKeySlot, ObjectStore, ObjectStoreArgs, ObjectStoreOptions } from "../../components/objectStore";
import { at, isSecret, items, record, Recording, refusals, text, valueOf } from "./mocks";

const region = "us-east-1";

function recordStore(args: ObjectStoreArgs, opts?: ObjectStoreOptions): Promise<Recording<ObjectStore>> {
  return record(() => new ObjectStore("orders", args, opts));
}

const existing = {
  endpoint: "10.0.0.5:9000",
  bucket: "orders-data",
  region,
  accessKeyId: "minioadmin",
  secretAccessKey: "sesame-sesame",
};

describe("an object store that is made", () => {
  it("has a bucket that is private, encrypted, versioned and owned, by resources of their own", async () => {
    const made = await recordStore({ region, bucketName: "orders-data" });
    assert.deepEqual(made.one("aws:s3/bucket:Bucket").inputs, { bucket: "orders-data", region, forceDestroy: false });
    const of = (kind: string): unknown => {
      const { bucket, region: where, ...rest } = made.one(`aws:s3/${kind}`).inputs;
      assert.deepEqual([bucket, where], ["orders-data", region], kind);
      return rest;
    };
    assert.deepEqual(of("bucketPublicAccessBlock:BucketPublicAccessBlock"), {
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    });
    assert.deepEqual(of("bucketOwnershipControls:BucketOwnershipControls"), {
      rule: { objectOwnership: "BucketOwnerEnforced" },
    });
    assert.deepEqual(of("bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"), {
      rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }],
    });
    assert.deepEqual(of("bucketVersioning:BucketVersioning"), { versioningConfiguration: { status: "Enabled" } });
  });

  it("never expires or moves current objects, and clears up the rest", async () => {
    const made = await recordStore({ region, noncurrentVersionDays: 30 });
    const lifecycle = made.one("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration");
    for (const rule of items(lifecycle.inputs, "rules")) {
      for (const expiry of ["expiration.days", "expiration.date", "transitions"])
        assert.equal(at(rule, expiry), undefined);
    }
    const rules = JSON.stringify(lifecycle.inputs.rules);
    assert.match(rules, /"noncurrentVersionExpiration":{"noncurrentDays":30}/);
    assert.match(rules, /"expiredObjectDeleteMarker":true/);
    assert.match(rules, /"daysAfterInitiation":1/);
    assert.ok(made.waitsFor(lifecycle, "aws:s3/bucketVersioning:BucketVersioning"));
  });

  it("is protected from deletion unless that is switched off, and never emptied unless that is switched on", async () => {
    assert.equal((await recordStore({ region })).one("aws:s3/bucket:Bucket").protect, true);
    const open = await recordStore({ region, deletionProtection: false, forceDestroy: true });
    assert.equal(open.one("aws:s3/bucket:Bucket").protect, false);
    assert.equal(open.one("aws:s3/bucket:Bucket").inputs.forceDestroy, true);
  });

  it("protects what keeps the bucket private and recoverable with it, and lets it go with the bucket only", async () => {
    const guards = ["OwnershipControls", "PublicAccessBlock", "ServerSideEncryptionConfiguration", "Versioning"];
    guards.push("LifecycleConfiguration", "Policy");
    for (const deletionProtection of [undefined, false]) {
      const made = await recordStore({ region, deletionProtection });
      const bucket = made.one("aws:s3/bucket:Bucket");
      for (const guard of guards) {
        const { protect, deletedWith } = made.one(`aws:s3/bucket${guard}:Bucket${guard}`);
        assert.deepEqual({ protect, deletedWith }, { protect: bucket.protect, deletedWith: bucket.urn }, guard);
      }
    }
  });

  it("records every request in another bucket, where that is asked for", async () => {
    const made = await recordStore({ region, bucketName: "orders-data", accessLogBucket: "audit" });
    const { inputs } = made.one("aws:s3/bucketLogging:BucketLogging");
    assert.deepEqual(
      [inputs.bucket, inputs.targetBucket, inputs.targetPrefix],
      ["orders-data", "audit", "orders-data/"],
    );
    assert.deepEqual((await recordStore({ region })).all("aws:s3/bucketLogging:BucketLogging"), []);
  });

  it("gives its user the bucket's actions only, from the VPC only", async () => {
    const made = await recordStore({ region, bucketName: "orders-data", vpcEndpointId: "vpce-0a1b" });
    const policy = JSON.parse(text(made.one("aws:iam/userPolicy:UserPolicy").inputs, "policy")) as {
      Statement: { Effect: string; Resource: string; Condition?: unknown }[];
    };
    assert.deepEqual(
      policy.Statement.map(({ Effect, Resource }) => [Effect, Resource]),
      [
        ["Allow", "arn:aws:s3:::orders-data"],
        ["Allow", "arn:aws:s3:::orders-data/*"],
        ["Deny", "arn:aws:s3:::orders-data/*/log/*"],
        ["Deny", "*"],
      ],
    );
    assert.deepEqual(policy.Statement.at(-1)!.Condition, { StringNotEquals: { "aws:SourceVpce": ["vpce-0a1b"] } });
    assert.deepEqual(made.all("aws:iam/userPolicyAttachment:UserPolicyAttachment"), []);
  });

  it("makes a key only once the policy that confines it is there", async () => {
    const made = await recordStore({ region });
    assert.ok(made.waitsFor(made.one("aws:iam/accessKey:AccessKey"), "aws:iam/userPolicy:UserPolicy"));
  });

  it("rotates keys: both exist, the first is in use", async () => {
    const before = await recordStore({ region });
    assert.deepEqual(
      before.all("aws:iam/accessKey:AccessKey").map(key => key.name),
      ["orders-key-a"],
    );
    const during = await recordStore({ region, accessKeys: [AccessKeySlot.B, AccessKeySlot.A] });
    assert.deepEqual(
      during
        .all("aws:iam/accessKey:AccessKey")
        .map(key => key.name)
        .sort(),
      ["orders-key-a", "orders-key-b"],
    );
    assert.equal(await valueOf(during.result.accessKeyId), "AKIAORDERS-KEY-B");
    assert.equal(await valueOf(during.result.secretAccessKey), "secret-of-orders-key-b");
  });

  it("tells where it is and what opens it, the secret as a secret", async () => {
    const { result, componentOutputs } = await recordStore({ region: "eu-west-1", bucketName: "orders-data" });
    assert.equal(await valueOf(result.endpoint), "s3.eu-west-1.amazonaws.com");
    assert.equal(await valueOf(result.bucket), "orders-data");
    assert.equal(await valueOf(result.useTls), true);
    assert.equal(await valueOf(result.pathStyle), false);
    assert.equal(await isSecret(result.secretAccessKey), true);
    const [outputs] = [...componentOutputs.values()];
    assert.deepEqual(Object.keys(outputs!).sort(), [
      "accessKeyId",
      "bucket",
      "endpoint",
      "pathStyle",
      "region",
      "secretAccessKey",
      "useTls",
    ]);
  });

  it("plans without a look-up, with everything that AWS computes unknown", async () => {
    const plan = await record(() => new ObjectStore("orders", { region }), { preview: true });
    assert.deepEqual(plan.invokes, []);
    assert.equal(plan.all("aws:iam/accessKey:AccessKey").length, 1);
    assert.equal(await valueOf(plan.result.secretAccessKey), undefined);
  });

  it("shows its policies in a plan, where the bucket's name is given", async () => {
    const args = { region: "cn-north-1", bucketName: "orders-data", vpcEndpointId: "vpce-0a1b" };
    const plan = await record(() => new ObjectStore("orders", args), { preview: true });
    for (const kind of ["aws:s3/bucketPolicy:BucketPolicy", "aws:iam/userPolicy:UserPolicy"]) {
      assert.match(text(plan.one(kind).inputs, "policy"), /"arn:aws-cn:s3:::orders-data\/\*"/, kind);
    }
  });

  it("lets a transform change a child, and keeps it out of Pulumi's own options", async () => {
    const made = await recordStore(
      { region },
      { transform: { bucket: args => ({ args: { ...args, tags: { team: "orders" } } }) } },
    );
    assert.deepEqual(made.one("aws:s3/bucket:Bucket").inputs.tags, { team: "orders" });
  });

  it("parents everything to itself, with names of its own", async () => {
    const made = await recordStore({ region });
    const component = made.one("tidesql:index:ObjectStore");
    for (const resource of made.resources.filter(({ custom }) => custom)) {
      assert.equal(resource.parent, component.urn, resource.name);
      assert.ok(resource.name.startsWith("orders-"), resource.name);
    }
  });
});

describe("an object store that exists", () => {
  it("makes nothing and hands on where it is", async () => {
    const used = await recordStore({ existing: { ...existing, useTls: false, caCertificate: "PEM" } });
    assert.deepEqual(
      used.resources.map(({ type }) => type),
      ["tidesql:index:ObjectStore"],
    );
    assert.equal(await valueOf(used.result.endpoint), "10.0.0.5:9000");
    assert.equal(await valueOf(used.result.useTls), false);
    assert.equal(await valueOf(used.result.caCertificate), "PEM");
  });

  it("is addressed by path outside AWS, by host on AWS, unless it says otherwise", async () => {
    const pathStyle = async (args: object): Promise<boolean | undefined> => {
      const used = await recordStore({ existing: { ...existing, ...args } });
      return valueOf(used.result.pathStyle);
    };
    assert.equal(await pathStyle({}), true);
    assert.equal(await pathStyle({ endpoint: "s3.us-east-1.amazonaws.com" }), false);
    assert.equal(await pathStyle({ endpoint: "minio.internal", pathStyle: false }), false);
  });

  it("keeps a key that was given plain out of the state, both parts", async () => {
    const used = await recordStore({ existing });
    const component = used.one("tidesql:index:ObjectStore");
    assert.deepEqual(component.secrets, ["existing.accessKeyId", "existing.secretAccessKey"]);
    assert.equal(await isSecret(used.result.accessKeyId), true);
    assert.equal(await isSecret(used.result.secretAccessKey), true);
  });
});

describe("bad input to an object store", () => {
  const refusedPaths = async (args: ObjectStoreArgs, name = "orders"): Promise<string[]> =>
    (await refusals(() => new ObjectStore(name, args))).map(({ propertyPath }) => propertyPath);

  it("is refused before anything is registered, by the property's path", async () => {
    assert.deepEqual(await refusedPaths({}), ["region"]);
    assert.deepEqual(await refusedPaths({ region: "mars" }), ["region"]);
    assert.deepEqual(await refusedPaths({ region, bucketName: "Orders_Data" }), ["bucketName"]);
    assert.deepEqual(await refusedPaths({ region, bucketName: "orders.data" }), ["bucketName"]);
    assert.deepEqual(await refusedPaths({ region }, "Orders"), ["bucketName"]);
    assert.deepEqual(await refusedPaths({ region, noncurrentVersionDays: 0 }), ["noncurrentVersionDays"]);
    assert.deepEqual(await refusedPaths({ region, noncurrentVersionDays: 1.5 }), ["noncurrentVersionDays"]);
    assert.deepEqual(await refusedPaths({ region, vpcEndpointId: "vpc-1" }), ["vpcEndpointId"]);
    assert.deepEqual(await refusedPaths({ region, accessLogBucket: "Audit" }), ["accessLogBucket"]);
    const looped = { region, bucketName: "orders-data", accessLogBucket: "orders-data" };
    assert.deepEqual(await refusedPaths(looped), ["accessLogBucket"]);
    assert.deepEqual(await refusedPaths({ region, accessKeys: [] }), ["accessKeys"]);
    assert.deepEqual(await refusedPaths({ region, accessKeys: ["a", "a"] }), ["accessKeys"]);
    assert.deepEqual(await refusedPaths({ region, accessKeys: ["c"] as unknown as AccessKeySlot[] }), [
      "accessKeys[0]",
    ]);
  });

  it("is refused in an existing store's location", async () => {
    const path = (args: object): Promise<string[]> => refusedPaths({ existing: { ...existing, ...args } });
    assert.deepEqual(await path({ endpoint: "http://10.0.0.5:9000" }), ["existing.endpoint"]);
    assert.deepEqual(await path({ endpoint: "minio/bucket" }), ["existing.endpoint"]);
    assert.deepEqual(await path({ bucket: "A" }), ["existing.bucket"]);
    assert.deepEqual(await path({ endpoint: "s3.eu-west-1.amazonaws.com" }), ["existing.region"]);
    assert.deepEqual(await path({ endpoint: "x y", bucket: pulumi.output("orders") }), ["existing.endpoint"]);
  });

  it("is refused when a secret is missing, with the command that sets it", async () => {
    const missing = { ...existing, secretAccessKey: undefined as unknown as string };
    const [problem] = await refusals(() => new ObjectStore("orders", { existing: missing }));
    assert.equal(problem!.propertyPath, "existing.secretAccessKey");
    assert.match(problem!.reason, /pulumi config set --secret secretAccessKey <value>/);
  });

  it("is refused without showing a secret", async () => {
    const [problem] = await refusals(
      () => new ObjectStore("orders", { existing: { ...existing, secretAccessKey: "se same" } }),
    );
    assert.equal(problem!.propertyPath, "existing.secretAccessKey");
    assert.ok(!problem!.reason.includes("same"));
  });

  it("is refused when it describes a store and says how to make one", async () => {
    assert.deepEqual(await refusedPaths({ existing, bucketName: "orders", forceDestroy: true }), [
      "bucketName",
      "forceDestroy",
    ]);
  });
});
