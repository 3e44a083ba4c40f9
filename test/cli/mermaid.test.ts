import * as assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import * as tls from "@pulumi/tls";
import { before, describe, it } from "mocha";
import { mermaidOf } from "../../cli/mermaid";
import { planProgram } from "../../cli/planner/planProgram";

class Shop extends pulumi.ComponentResource {
  constructor() {
    super("shop:index:Shop", "shop");
    const id = new random.RandomId("id", { byteLength: 8 }, { parent: this });
    const key = new tls.PrivateKey("key", { algorithm: "ECDSA" }, { parent: this, dependsOn: id });
    new tls.PrivateKey("other", { algorithm: "ECDSA" }, { parent: this });
    new random.RandomPet("pet", { prefix: key.publicKeyPem, keepers: { id: id.hex } });
  }
}

describe("a plan as a diagram", () => {
  let lines: string[];
  before(async () => {
    const plan = await planProgram(() => void new Shop(), { project: "shop", stack: "dev" });
    lines = mermaidOf(plan).split("\n");
  });

  it("has a frame for each component, and one for what is in none", () => {
    assert.deepEqual(
      lines.filter(line => line.startsWith("  subgraph")),
      [`  subgraph f0["Shop shop"]`, `  subgraph f1["stack"]`],
    );
  });

  it("has a box for each service in it, with what is made there and how many", () => {
    assert.ok(lines.includes(`    b0_0["<b>random</b><br/>RandomId"]`));
    assert.ok(lines.includes(`    b0_1["<b>tls</b><br/>2 PrivateKey"]`));
  });

  it("has an arrow to what waits, and none that follows from others", () => {
    assert.deepEqual(
      lines.filter(line => line.includes("-->")),
      ["  b0_0 --> b0_1", "  b0_1 --> b1_0"],
    );
  });
});
