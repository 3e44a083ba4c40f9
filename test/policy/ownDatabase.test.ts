import assert from "node:assert/strict";
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { judgePlan } from "../../cli/judgePlan";
import { planProgram } from "../../cli/planner/planProgram";
import { Database, type DatabaseArgs, Durability } from "../../components/database";
import { type Verdict } from "../../policy/judge";
import { today } from "./describePolicy";

const args: DatabaseArgs = {
  image: `registry.example/tidesql@sha256:${"3f".repeat(32)}`,
  objectStore: {
    endpoint: "s3.us-east-1.amazonaws.com",
    bucket: "shop-tidesql",
    region: "us-east-1",
    accessKeyId: pulumi.secret("an-access-key-id"),
    secretAccessKey: pulumi.secret("key-of-the-object-store"),
  },
  databases: ["shop"],
  users: [{ name: "app", grants: [{ database: "shop", privileges: ["SELECT", "INSERT"] }] }],
};

/** What the policies say of a Database with these arguments. */
async function verdictOn(changes: Partial<DatabaseArgs>): Promise<Verdict> {
  const program = () => {
    const provider = new kubernetes.Provider("cluster", { kubeconfig: pulumi.secret("{}") });
    new Database("orders", { ...args, ...changes }, { provider });
  };
  return judgePlan(await planProgram(program, { project: "shop", stack: "prod" }), { today });
}

describe("the policies on this project's own Database", () => {
  it("have nothing to say of it as it is by default", async () => {
    const { findings, passed } = await verdictOn({});
    assert.deepEqual(findings, []);
    assert.ok(passed > 100);
  });

  /** Choices that the component allows and production should not make: that the policies notice them shows that they look at it. */
  const choices: [what: string, changes: Partial<DatabaseArgs>, policies: string[]][] = [
    ["no replica", { replicas: 0 }, ["replicas-minimum"]],
    [
      "a WAL that is shipped by volume",
      { durability: Durability.Threshold },
      ["correctness-wal-shipping", "correctness-write-buffer"],
    ],
    ["plain connections", { tls: { required: false } }, ["tls-clients"]],
    ["an object store without TLS", { objectStore: { ...args.objectStore, useTls: false } }, ["tls-object-store"]],
    [
      "a password that everyone knows",
      { users: [{ ...args.users![0]!, password: "M0nitor!Pass9" }] },
      ["secrets-example-values"],
    ],
  ];
  for (const [what, changes, policies] of choices) {
    it(`see ${what}`, async () => {
      const { findings } = await verdictOn(changes);
      assert.deepEqual([...new Set(findings.map(({ policy }) => policy))], policies);
    });
  }
});
