import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { validateClusterArgs } from "../../components/cluster";
import { validateDatabaseArgs } from "../../components/database";
import { NatGateways } from "../../components/network";
import { TideSqlArgs, validateTideSqlArgs } from "../../components/tideSql";
import { databaseArgs } from "./databaseFixtures";

const region = "us-east-1";
const registry = "123456789012.dkr.ecr.us-east-1.amazonaws.com";
const digest = `@sha256:${"0".repeat(64)}`;

/** Each problem as one line. */
function problems(args: Partial<TideSqlArgs>, name = "orders"): string[] {
  return validateTideSqlArgs(name, { region, ...args }).map(({ propertyPath, reason }) => `${propertyPath}: ${reason}`);
}

describe("a plan that cannot run is refused", () => {
  it("more pods than nodes that each take one", () => {
    const [problem, ...others] = problems({ replicas: 5 });
    assert.match(
      problem!,
      /^replicas: is 5, which makes 6 pods .* 3 nodes .* set cluster\.nodesPerZone to 2, or write at most 2$/,
    );
    assert.deepEqual(others, []);
    assert.deepEqual(problems({ replicas: 5, cluster: { nodesPerZone: 2 } }), []);
    assert.deepEqual(
      problems({ replicas: 3, network: { zones: ["us-east-1a", "us-east-1b", "us-east-1c", "us-east-1d"] } }),
      [],
    );
    assert.match(problems({ replicas: 2, network: { zones: ["us-east-1a", "us-east-1b"] } })[0]!, /^replicas: /);
  });

  it("more pods than fit where several may share a node", () => {
    const spread = { hosts: "preferred" } as const;
    assert.match(problems({ replicas: 3, spread })[0]!, /1 of that size fit one/);
    const sizing = { memoryBytes: 3 * 2 ** 30, cpuCores: 0.5, blockCacheBytes: 2 ** 30 };
    assert.deepEqual(problems({ replicas: 5, spread, sizing }), []);
    assert.match(problems({ replicas: 6, spread, sizing })[0]!, /2 of that size fit one/);
  });

  it("a number of replicas that nobody means, at once", () => {
    assert.match(problems({ replicas: 1_000_000_000 })[0]!, /^replicas: .*0 to 100/);
    assert.equal(
      validateDatabaseArgs("orders", databaseArgs({ replicas: 1_000_000_000 }))[0]?.propertyPath,
      "replicas",
    );
  });

  it("an image for other processors than the nodes'", () => {
    assert.match(
      problems({ instanceType: "m8g.large", image: { architecture: "amd64" } })[0]!,
      /^image\.architecture: is "amd64", but m8g\.large has arm64 processors/,
    );
    assert.deepEqual(problems({ instanceType: "m8g.large", image: { architecture: "arm64" } }), []);
    assert.deepEqual(problems({ instanceType: "m8g.large" }), []);
  });

  it("a name that is too long for IAM, once and by how much", () => {
    const name = "a".repeat(30);
    assert.deepEqual(problems({}, "a".repeat(29)), []);
    const [problem, ...others] = problems({}, name);
    assert.match(problem!, /^name: .*IAM roles.*shorten it by 1$/);
    assert.deepEqual(others, []);
    const existing = { cluster: { existing: {} }, image: { existing: `${registry}/tidesql${digest}` } };
    assert.deepEqual(problems(existing, name), []);
    assert.match(problems(existing, "a".repeat(44))[0]!, /^name: .*IAM users/);
    assert.deepEqual(validateDatabaseArgs("a".repeat(52), databaseArgs()), []);
  });

  it("images from the internet where there is no way to it", () => {
    const network = { natGateways: NatGateways.None };
    assert.match(
      problems({ network })[0]!,
      /^nodeImage: is "docker\.io\/library\/node:.*copy it into ECR in us-east-1/,
    );
    const nodeImage = `${registry}/node${digest}`;
    assert.deepEqual(problems({ network, nodeImage }), []);
    const image = { existing: "docker.io/tidesdb/tidesql:4.5.7" };
    assert.match(problems({ network, nodeImage, image })[0]!, /^image\.existing: /);
    assert.match(
      problems({
        network,
        nodeImage,
        image: { existing: `${registry.replace("us-east-1", "us-west-2")}/t${digest}` },
      })[0]!,
      /^image\.existing/,
    );
  });

  it("a machine of unknown memory, until the pod's memory and cores are given", () => {
    assert.match(
      problems({ instanceType: "x8g.large" })[0]!,
      /^instanceType: .*sizing\.memoryBytes and sizing\.cpuCores/,
    );
    const sizing = { memoryBytes: 24 * 2 ** 30, cpuCores: 1.5 };
    assert.deepEqual(problems({ instanceType: "x8g.large", sizing }), []);
    assert.deepEqual(problems({ instanceType: "m5.metal", sizing }), []);
    assert.match(problems({ instanceType: "i7ie.large", sizing })[0]!, /^storage\.sizeGiB: /);
    assert.deepEqual(problems({ instanceType: "i7ie.large", sizing, storage: { sizeGiB: 500 } }), []);
    assert.deepEqual(
      validateClusterArgs("orders", { region, vpcId: "vpc-1", subnetIds: ["a", "b"], instanceType: "x2idn.16xlarge" }),
      [],
    );
  });
});
