import assert from "node:assert/strict";
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { judgePlan } from "../../cli/judgePlan";
import { planProgram } from "../../cli/planner/planProgram";
import { Database, type DatabaseArgs } from "../../components/database";
import { StoreCredentials } from "../../components/objectStore";
import { TideSql, type TideSqlArgs } from "../../components/tideSql";
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

  it("have nothing to say of one whose pods have a role: there is no key to protect", async () => {
    const { accessKeyId: _, secretAccessKey: __, ...location } = args.objectStore;
    const roleArn = "arn:aws:iam::123456789012:role/orders";
    for (const credentials of [StoreCredentials.PodIdentity, StoreCredentials.Irsa]) {
      const objectStore = { ...location, credentials, roleArn };
      const { findings, passed } = await verdictOn({ objectStore });
      assert.deepEqual(findings, [], credentials);
      assert.ok(passed > 100);
    }
  });

  /** Choices that the component allows and production should not make: that the policies notice them shows that they look at it. */
  const choices: [what: string, changes: Partial<DatabaseArgs>, policies: string[]][] = [
    ["no replica", { replicas: 0 }, ["replicas-minimum"]],
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

describe("the policies on this project's own TideSql with a role", () => {
  const oidcProviderArn = "arn:aws:iam::123456789012:oidc-provider/oidc.eks.us-east-1.amazonaws.com/id/0123ABCD";
  const clusters: [what: string, cluster: TideSqlArgs["cluster"]][] = [
    ["Pod Identity on a cluster that is made", { publicAccessCidrs: [] }],
    ["Pod Identity on an existing cluster", { existing: { clusterName: "platform" } }],
    ["IRSA", { existing: { oidcProviderArn } }],
  ];
  for (const [what, cluster] of clusters) {
    it(`have nothing to say of ${what}`, async () => {
      const image = { existing: `registry.example/tidesql@sha256:${"3f".repeat(32)}` };
      const network = cluster?.existing ? undefined : {};
      const objectStore = { bucketName: "shop-tidesql" };
      const whole: TideSqlArgs = { region: "us-east-1", image, network, cluster, objectStore };
      const plan = await planProgram(() => void new TideSql("orders", whole), { project: "shop", stack: "prod" });
      const { findings, passed } = judgePlan(plan, { today });
      // The VPC's endpoint is in the role's policy, and is not known before it is made.
      const known = findings.filter(({ status }) => status !== "notYetKnown");
      assert.deepEqual(known, []);
      assert.ok(passed > 100);
    });
  }
});
