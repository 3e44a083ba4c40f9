import * as assert from "node:assert/strict";
import * as path from "node:path";
import { before, describe, it } from "mocha";
import { Plan } from "../../cli/planner/plan";
import { planStack } from "../../cli/planner/planStack";
import { Secret, unknown } from "../../cli/planner/values";

const directory = path.join(__dirname, "../..");
const keys = { accessKeyId: "minioadmin", secretAccessKey: "sesame-sesame" };

describe("the stacks of this repository", () => {
  describe("prod", () => {
    let plan: Plan;
    before(async () => {
      plan = await planStack({ directory, stack: "prod" });
    });

    it("is the guide's production cluster: three nodes of its type, a bucket of its name, its database and user", () => {
      const inputs = (type: string) =>
        plan.resources.filter(resource => resource.type === type).map(resource => resource.inputs);
      assert.equal(inputs("tidesql:index:TideSql").length, 1);
      assert.equal(inputs("aws:s3/bucket:Bucket")[0]?.bucket, "tidesdb-production");
      const pool = inputs("aws:eks/nodeGroup:NodeGroup").filter(group =>
        JSON.stringify(group.labels).includes("database"),
      );
      assert.equal(pool.length, 3);
      assert.match(JSON.stringify([pool, inputs("aws:ec2/launchTemplate:LaunchTemplate")]), /m5\.large/);
      const configuration = JSON.stringify(inputs("kubernetes:core/v1:ConfigMap"));
      assert.match(configuration, /app_prod/);
      assert.match(configuration, /app_user/);
    });

    it("tells how to connect, and the password as a secret only", () => {
      for (const output of [
        "primaryEndpoint",
        "replicaEndpoint",
        "port",
        "caCertificate",
        "connections",
        "connectionSecretNames",
        "passwords",
        "kubeconfig",
        "bucket",
        "image",
      ]) {
        assert.ok(output in plan.outputs, output);
      }
    });
  });

  it("local needs no AWS", async () => {
    const plan = await planStack({ directory, stack: "local", config: keys });
    assert.ok(plan.resources.some(resource => resource.type === "kubernetes:apps/v1:StatefulSet"));
    assert.deepEqual(
      plan.resources.filter(resource => resource.type.startsWith("aws:")),
      [],
    );
  });

  it("let the provider change ConfigMaps and Secrets in place, which it would delete first by itself", async () => {
    for (const [stack, config] of Object.entries({ prod: {}, local: keys })) {
      const { resources } = await planStack({ directory, stack, config });
      const [provider, ...others] = resources.filter(({ type }) => type === "pulumi:providers:kubernetes");
      assert.deepEqual(others, []);
      const { enableConfigMapMutable, enableSecretMutable } = provider?.inputs ?? {};
      assert.deepEqual([enableConfigMapMutable, enableSecretMutable].map(String), ["true", "true"], stack);
    }
  });

  it("local is planned without a key, and says which command sets it", async () => {
    const plan = await planStack({ directory, stack: "local" });
    assert.ok(plan.resources.some(resource => resource.type === "kubernetes:apps/v1:StatefulSet"));
    const warnings = plan.diagnostics.map(({ message }) => message).join("\n");
    assert.match(warnings, /pulumi config set --secret tidesql:accessKeyId/);
    assert.match(warnings, /pulumi config set --secret tidesql:secretAccessKey/);
  });

  const slips: [what: string, config: Record<string, string>, message: RegExp][] = [
    ["a key that nothing reads", { replcas: "2" }, /tidesql:replcas is not a setting.*did you mean "replicas"\?/],
    ["a short key's slip", { volumeGB: "5" }, /tidesql:volumeGB.*"volumeGiB"/],
    [
      "a password for a user that there is not",
      { "passwords.ap": "Chosen-By-Hand-1" },
      /tidesql:passwords\.ap .*did you mean "app"\?/,
    ],
    ["an argument's slip inside a value", { tls: '{"reqired": true}' }, /tls\.reqired: .*did you mean "required"\?/],
    [
      "a text for a number inside a value",
      { sizing: '{"flushThreads": "2"}' },
      /sizing\.flushThreads: .*without quotes/,
    ],
    ["a list of nothing but names", { users: '["app"]' }, /users\[0\]: is the text "app"/],
    ["text where a list belongs", { databases: "app" }, /tidesql:databases is not a list/],
    ["passwords that are one text", { passwords: "sesame" }, /tidesql:passwords is not an object/],
    ["a bad boolean", { createNamespace: "yes" }, /tidesql:createNamespace "yes" is neither true nor false/],
  ];
  for (const [what, config, message] of slips) {
    it(`refuses ${what}`, async () => {
      await assert.rejects(planStack({ directory, stack: "local", config: { ...keys, ...config } }), error => {
        assert.match((error as Error).message, message);
        assert.doesNotMatch((error as Error).message, /sesame|TypeError/);
        return true;
      });
    });
  }

  it("takes every argument of the database under its own name", async () => {
    const config = {
      ...keys,
      terminationGracePeriodSeconds: "300",
      nodeSelector: '{"pool": "db"}',
      createNamespace: "false",
    };
    const plan = await planStack({ directory, stack: "local", config });
    const set = plan.resources.find(resource => resource.type === "kubernetes:apps/v1:StatefulSet");
    assert.match(JSON.stringify(set?.inputs), /"terminationGracePeriodSeconds":300/);
    assert.match(JSON.stringify(set?.inputs), /"pool":"db"/);
    assert.equal(plan.resources.filter(resource => resource.type === "kubernetes:core/v1:Namespace").length, 0);
  });

  it("takes an engine setting that looks like a number, as `pulumi config set --path` stores it", async () => {
    const config = { ...keys, engineSettings: '{"wait_timeout": 1234, "long_query_time": 2.5}' };
    const plan = await planStack({ directory, stack: "local", config });
    const [engine] = plan.resources
      .filter(({ type }) => type === "kubernetes:core/v1:ConfigMap")
      .flatMap(({ inputs }) => (inputs.data as Record<string, string>)["engine.cnf"] ?? []);
    assert.match(engine ?? "", /^wait_timeout *= *1234$/m);
    assert.match(engine ?? "", /^long_query_time *= *2\.5$/m);
  });

  describe("what the stack's file holds encrypted", () => {
    const locked = new Secret(unknown);
    const unreadable: Record<string, Record<string, string | Secret>> = {
      "the store's authority": { caCertificate: locked },
      "the server's authority": { "tls.existingSecretName": "server-certificate", "tls.caCertificate": locked },
      "the store's keys": { accessKeyId: locked, secretAccessKey: locked },
      "an endpoint": { endpoint: locked },
      "a bucket and its region": { bucketName: locked, region: locked },
      "a prefix": { prefix: locked },
      "an image": { image: locked },
      "a namespace": { namespace: locked },
      "a password": { "passwords.app": locked },
    };
    for (const [what, config] of Object.entries(unreadable)) {
      it(`is unknown in a plan, and passes each check of its format: ${what}`, async () => {
        const plan = await planStack({ directory, stack: "local", config: { ...keys, ...config } });
        assert.ok(plan.resources.some(resource => resource.type === "kubernetes:apps/v1:StatefulSet"));
      });
    }

    it("does not make a secret of what the pods are told of the store, nor an unknown", async () => {
      const config = { ...keys, caCertificate: locked };
      const { resources } = await planStack({ directory, stack: "local", config });
      const maps = resources.filter(({ type }) => type === "kubernetes:core/v1:ConfigMap");
      assert.ok(maps.length > 0);
      assert.ok(maps.every(({ inputs }) => !(inputs.data instanceof Secret)));
      assert.ok(!maps.some(({ inputs }) => JSON.stringify(inputs.data).includes("[unknown]")));
      assert.ok(maps.some(({ inputs }) => "engine.cnf" in (inputs.data as object)));
    });

    it("is checked where it is known", async () => {
      const wrong: Record<string, [string, RegExp]> = {
        caCertificate: [
          "sesame",
          /^ProgramError: Database "tidesql" has invalid arguments:\n {2}objectStore\.caCertificate: is not a certificate/,
        ],
        secretAccessKey: ["sesame street", /objectStore\.secretAccessKey: /],
        endpoint: ["https://sesame", /objectStore\.endpoint: /],
      };
      for (const [key, [value, message]] of Object.entries(wrong)) {
        const config = { ...keys, [key]: new Secret(value) };
        await assert.rejects(planStack({ directory, stack: "local", config }), message);
      }
    });

    for (const key of ["replicas", "useTls", "durability", "engineSettings", "topology"]) {
      it(`is asked for by name where a plan needs it: ${key}`, async () => {
        const config = { ...keys, [key]: locked };
        await assert.rejects(
          planStack({ directory, stack: "local", config }),
          new RegExp(`tidesql:${key} is encrypted in the stack's file.*--secret-file tidesql:${key}=PATH`),
        );
      });
    }
  });

  it("takes passwords from the stack's secrets", async () => {
    const config = { ...keys, "passwords.app": "Chosen-By-Hand-1" };
    const plan = await planStack({ directory, stack: "local", config });
    assert.equal(
      plan.resources.filter(resource => resource.type === "random:index/randomPassword:RandomPassword").length,
      0,
    );
  });

  it("refuses a topology that there is not, and names those that there are", async () => {
    await assert.rejects(planStack({ directory, stack: "local", config: { topology: "moon" } }), /aws, kubernetes/);
  });

  it("refuses text where a number belongs, by the key", async () => {
    const config = { ...keys, replicas: "many" };
    await assert.rejects(planStack({ directory, stack: "local", config }), /tidesql:replicas "many" is not a number/);
  });
});
