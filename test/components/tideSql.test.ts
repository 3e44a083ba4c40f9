import * as assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { describe, it } from "mocha";
import { NatGateways } from "../../components/network";
import { TideSql, TideSqlArgs, TideSqlOptions } from "../../components/tideSql";
import { managerBundle, secretValues } from "./databaseFixtures";
import { at, record, Recording, refusals } from "./mocks";

const digest = `sha256:${"0".repeat(64)}`;
const image = { existing: `registry.example/tidesql@${digest}` };
const store = {
  endpoint: "10.0.0.5:9000",
  bucket: "orders-data",
  region: "us-east-1",
  accessKeyId: secretValues.accessKeyId,
  secretAccessKey: secretValues.secretAccessKey,
};
/** All that has to be said on AWS. */
const least: TideSqlArgs = { region: "us-east-1", image, cluster: { publicAccessCidrs: [] } };
/** All that has to be said where everything is there already. */
const nothingMade: TideSqlArgs = { cluster: { existing: {} }, objectStore: { existing: store }, image };

function recordTideSql(args: TideSqlArgs, opts: TideSqlOptions = {}, preview = false): Promise<Recording<TideSql>> {
  return record(() => new TideSql("orders", args, { managerBundle, ...opts }), { preview });
}

describe("TideSql", () => {
  it("makes the whole deployment from a region alone", async () => {
    const made = await recordTideSql(least);
    for (const [type, count] of Object.entries({
      "tidesql:index:Network": 1,
      "tidesql:index:Cluster": 1,
      "tidesql:index:ObjectStore": 1,
      "tidesql:index:Image": 1,
      "tidesql:index:Database": 1,
      "aws:ec2/vpc:Vpc": 1,
      "aws:eks/cluster:Cluster": 1,
      "aws:s3/bucket:Bucket": 1,
      "kubernetes:apps/v1:StatefulSet": 1,
    })) {
      assert.equal(made.all(type).length, count, type);
    }
    // One group of nodes in each zone for the database, one for the rest.
    assert.equal(made.all("aws:eks/nodeGroup:NodeGroup").length, 4);
  });

  it("looks nothing up while planning, so that a preview needs no credentials", async () => {
    assert.deepEqual((await recordTideSql(least, {}, true)).invokes, []);
  });

  it("protects all that holds data or cannot be made again, by one switch that a part may override", async () => {
    const protectedTypes = async (args: Partial<TideSqlArgs>) =>
      (await recordTideSql({ ...least, ...args })).resources
        .filter(({ protect }) => protect)
        .map(({ name }) => name)
        .sort();
    const store = ["bucket", "encryption", "lifecycle", "ownership", "policy", "public-access", "versioning"];
    const all = ["ca-key", "cluster-cluster", "id", ...store.map(part => `store-${part}`)].map(
      name => `orders-${name}`,
    );
    assert.deepEqual(await protectedTypes({}), all.sort());
    assert.deepEqual(await protectedTypes({ deletionProtection: false }), []);
    const clusterOnly = { deletionProtection: false, cluster: { deletionProtection: true } };
    assert.deepEqual(await protectedTypes(clusterOnly), ["orders-cluster-cluster"]);
  });

  describe("says before anything is made that it cannot be reached", () => {
    async function warnings(args: Partial<TideSqlArgs>): Promise<string[]> {
      const shown: string[] = [];
      const { warn } = pulumi.log;
      const log = pulumi.log as { warn: typeof warn };
      log.warn = message => Promise.resolve(void shown.push(message));
      try {
        await recordTideSql({ ...least, cluster: undefined, ...args });
      } finally {
        log.warn = warn;
      }
      return shown.filter(message => message.includes("publicAccessCidrs"));
    }

    it("with a network of its own and no address that may reach it, with the line to add", async () => {
      const [message = "", ...others] = await warnings({});
      assert.match(message, /TideSql "orders".*cluster: \{ publicAccessCidrs: \["203\.0\.113\.7\/32"\] \}/s);
      assert.deepEqual(others, []);
    });

    it("and not where somebody has decided, or the network is there", async () => {
      const existing = { vpcId: "vpc-0a1b", privateSubnetIds: ["subnet-a", "subnet-b", "subnet-c"] };
      for (const args of [
        { cluster: { publicAccessCidrs: ["203.0.113.0/24"] } },
        { cluster: { publicAccessCidrs: [] } },
        { cluster: { kubeconfig: "{}" } },
        { network: { existing } },
        nothingMade,
      ]) {
        assert.deepEqual(await warnings(args), [], JSON.stringify(args));
      }
    });
  });

  it("binds the role and the key to the VPC's endpoint", async () => {
    const byRole = await recordTideSql(least);
    const role = byRole.one("aws:iam/rolePolicy:RolePolicy", "orders-store-pods-policy");
    assert.match(JSON.stringify(role.inputs), /aws:SourceVpce/i);
    const byKey = await recordTideSql({ ...least, objectStore: { credentials: "key" } });
    assert.match(JSON.stringify(byKey.one("aws:iam/userPolicy:UserPolicy").inputs), /aws:SourceVpce/i);
  });

  it("places and sizes the pods by the nodes that it makes", async () => {
    const made = await recordTideSql({ ...least, instanceType: "i4i.xlarge" });
    const pod = at(made.one("kubernetes:apps/v1:StatefulSet").inputs, "spec.template.spec");
    assert.deepEqual(at(pod, "nodeSelector"), { "tidesql.io/pool": "database" });
    assert.equal((at(pod, "tolerations") as unknown[]).length, 1);
    const groups = made.all("aws:eks/nodeGroup:NodeGroup").filter(group => group.name.includes("database"));
    for (const group of groups) assert.deepEqual(group.inputs.labels, { "tidesql.io/pool": "database" });
    // Drives of the machine: no claim, the data is on the node.
    assert.equal(at(made.one("kubernetes:apps/v1:StatefulSet").inputs, "spec.volumeClaimTemplates"), undefined);
    const memory = (type: TideSqlArgs["instanceType"]) => recordTideSql({ ...least, instanceType: type });
    const limits = async (type: string) =>
      JSON.stringify(
        at((await memory(type)).one("kubernetes:apps/v1:StatefulSet").inputs, "spec.template.spec.containers"),
      );
    assert.notEqual(await limits("m5.large"), await limits("m5.xlarge"));
  });

  it("makes nothing of AWS where everything is there already", async () => {
    const made = await recordTideSql(nothingMade);
    assert.deepEqual(
      made.resources.filter(resource => resource.type.startsWith("aws:")),
      [],
    );
    assert.equal(made.all("kubernetes:apps/v1:StatefulSet").length, 1);
  });

  it("hands each part's own arguments on", async () => {
    const made = await recordTideSql({
      ...least,
      network: { natGateways: NatGateways.None, cidr: "10.20.0.0/16" },
      image: { existing: `123456789012.dkr.ecr.us-east-1.amazonaws.com/tidesql@sha256:${"0".repeat(64)}` },
      nodeImage: "123456789012.dkr.ecr.us-east-1.amazonaws.com/node:22.23.3",
      cluster: { publicAccessCidrs: ["203.0.113.0/24"], nodesPerZone: 2 },
      objectStore: { bucketName: "orders-data" },
      replicas: 4,
    });
    assert.equal(made.one("aws:ec2/vpc:Vpc").inputs.cidrBlock, "10.20.0.0/16");
    assert.equal(made.all("aws:ec2/natGateway:NatGateway").length, 0);
    assert.deepEqual(at(made.one("aws:eks/cluster:Cluster").inputs, "vpcConfig.publicAccessCidrs"), ["203.0.113.0/24"]);
    assert.equal(made.one("aws:s3/bucket:Bucket").inputs.bucket, "orders-data");
    assert.equal(at(made.one("kubernetes:apps/v1:StatefulSet").inputs, "spec.replicas"), 5);
  });

  it("takes a transform for a child of each part", async () => {
    const made = await recordTideSql(least, {
      transform: { network: { vpc: args => ({ args: { ...args, instanceTenancy: "dedicated" } }) } },
    });
    assert.equal(made.one("aws:ec2/vpc:Vpc").inputs.instanceTenancy, "dedicated");
  });

  it("keeps secrets of its arguments secret", async () => {
    const users = [{ name: "app", password: secretValues.password, grants: [] }];
    const made = await recordTideSql({ ...nothingMade, users });
    for (const resource of made.resources) {
      for (const [key, value] of Object.entries(resource.inputs)) {
        const holds = Object.values(secretValues).some(secret => JSON.stringify(value ?? "").includes(secret));
        const marked = resource.secrets.some(
          path => path === key || path.startsWith(`${key}.`) || path.startsWith(`${key}[`),
        );
        assert.ok(!holds || marked, `${resource.type} ${resource.name}.${key}`);
      }
    }
  });

  it("refuses what is wrong in any part before anything is registered, by the path as it was written", async () => {
    const problems = await refusals(
      () =>
        new TideSql("orders", {
          region: "us-east-1",
          instanceType: "m5.huge",
          network: { cidr: "10.0.0.0/8" },
          objectStore: { bucketName: "Orders" },
          image: { existing: "registry.example/tidesql:latest" },
        }),
    );
    assert.deepEqual(problems.map(({ propertyPath }) => propertyPath).sort(), [
      "image.existing",
      "instanceType",
      "network.cidr",
      "objectStore.bucketName",
    ]);
  });

  it("takes every durability with the image that it builds", async () => {
    for (const durability of ["commit", "interval"] as const) {
      const made = await recordTideSql({ region: "us-east-1", durability, cluster: { publicAccessCidrs: [] } });
      assert.equal(made.all("docker:index/registryImage:RegistryImage").length, 1);
    }
  });

  it("says which region is missing, and how to do without", async () => {
    const [problem] = await refusals(() => new TideSql("orders", { image }));
    assert.equal(problem?.propertyPath, "region");
    assert.match(problem.reason, /cluster\.existing/);
  });

  it("refuses both an existing VPC and subnets to make", async () => {
    const existing = { vpcId: "vpc-1", privateSubnetIds: ["subnet-1", "subnet-2"] };
    const problems = await refusals(
      () => new TideSql("orders", { ...least, network: { existing, cidr: "10.0.0.0/16" } }),
    );
    assert.ok(
      problems.some(({ propertyPath }) => propertyPath.startsWith("network")),
      JSON.stringify(problems),
    );
  });
});
