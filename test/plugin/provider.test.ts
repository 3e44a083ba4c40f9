import * as assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { type ServiceError, status } from "@grpc/grpc-js";
import * as pulumi from "@pulumi/pulumi";
import { after, before, describe, it } from "mocha";
import { planProgram } from "../../cli/planner/planProgram";
import { TideSql } from "../../index";
import { ComponentProvider } from "../../plugin/provider";
import { PluginProcess } from "./pluginProcess";

const root = path.join(__dirname, "../..");
const { runtime } = pulumi;

const arguments_ = {
  region: "us-east-1",
  image: { existing: `registry.example/tidesql@sha256:${"0".repeat(64)}` },
  databases: ["orders"],
  users: [{ name: "app", grants: [{ database: "orders", privileges: ["SELECT"] }] }],
};

const settings = { project: "shop", stack: "dev" };

/** What Pulumi does for a program in another language. */
function construct(type: string, inputs: pulumi.Inputs, name = "orders") {
  return planProgram(async () => {
    const { state } = await new ComponentProvider().construct(name, type, inputs, {});
    return state;
  }, settings);
}

describe("the plugin for other languages", () => {
  it("makes what a program of this language makes, and gives all outputs", async () => {
    const made = await construct("tidesql:index:TideSql", arguments_);
    const expected = await planProgram(() => {
      new TideSql("orders", arguments_);
    }, settings);
    const identities = (plan: typeof made) => plan.resources.map(({ urn }) => urn).sort();
    assert.deepEqual(identities(made), identities(expected));
    assert.ok(made.resources.length > 90);
    for (const output of ["primaryEndpoint", "passwords", "kubeconfig", "caCertificate"]) {
      assert.ok(output in made.outputs, output);
    }
  });

  it("makes each component alone", async () => {
    const plan = await construct("tidesql:index:Network", { region: "us-east-1" });
    assert.equal(plan.resources[1]?.type, "tidesql:index:Network");
  });

  it("takes arguments by the schema's names, which differ here and there, and leaves the keys of tags alone", async () => {
    const inputs = {
      ...arguments_,
      storage: { sizeGib: 40 },
      cluster: { rootVolumeGib: 55 },
      tags: { diskGib: "many" },
    };
    const { resources } = await construct("tidesql:index:TideSql", inputs);
    const inputsOf = (type: string) => JSON.stringify(resources.filter(resource => resource.type === type));
    assert.match(inputsOf("kubernetes:apps/v1:StatefulSet"), /"storage":"40Gi"/);
    assert.match(inputsOf("aws:ec2/launchTemplate:LaunchTemplate"), /"volumeSize":55/);
    assert.match(inputsOf("aws:ec2/vpc:Vpc"), /"diskGib":"many"/);
  });

  it("refuses bad arguments with their paths", async () => {
    await assert.rejects(construct("tidesql:index:TideSql", { ...arguments_, replicas: -1 }), /replicas/);
  });

  it("refuses a promise where a plain value decides what is made", async () => {
    const users = [{ name: pulumi.output("app"), grants: [] }];
    const tags = { team: pulumi.secret("a") };
    const inputs = { ...arguments_, replicas: pulumi.output(2), users, tags };
    await assert.rejects(construct("tidesql:index:TideSql", inputs), (error: Error) => {
      for (const at of ["replicas", "users[0].name", "tags.team"]) {
        assert.ok(error.message.includes(`${at}: is an output of a resource or a secret`), at);
      }
      return true;
    });
  });

  it("takes a promise where the argument allows it", async () => {
    const objectStore = {
      endpoint: "10.0.0.5:9000",
      bucket: pulumi.output("orders"),
      region: "us-east-1",
      pathStyle: true,
      accessKeyId: pulumi.secret("minioadmin"),
      secretAccessKey: pulumi.secret("sesame-sesame"),
    };
    const image = pulumi.output(arguments_.image.existing);
    const plan = await construct("tidesql:index:Database", { image, objectStore });
    assert.ok(plan.resources.some(({ type }) => type === "kubernetes:apps/v1:StatefulSet"));
  });

  it("refuses a component that there is not, and names those that there are", async () => {
    await assert.rejects(
      construct("tidesql:index:Moon", {}),
      /no component "tidesql:index:Moon".*tidesql:index:TideSql/,
    );
  });

  describe("as a process", () => {
    let plugin: PluginProcess;

    before("is started as Pulumi starts it: by its folder", async () => {
      plugin = await PluginProcess.start(root);
    });
    after(() => plugin.stop());

    it("hands out the schema", async () => {
      assert.equal(await plugin.schema(), readFileSync(path.join(root, "schema.json"), "utf8"));
    });

    it("makes a component from what came over the wire, and keeps its secrets", async () => {
      const state = await plugin.construct("tidesql:index:Database", {
        image: arguments_.image.existing,
        replicas: 1,
        objectStore: {
          endpoint: "s3.us-east-1.amazonaws.com",
          bucket: "orders",
          region: "us-east-1",
          accessKeyId: secretOnTheWire("minioadmin"),
          secretAccessKey: secretOnTheWire("sesame-sesame"),
        },
      });
      assert.match(JSON.stringify(state.primaryEndpoint), /orders-primary\.orders\.svc\.cluster\.local/);
      assert.deepEqual(Object.keys(state).sort(), [
        ...[
          "caCertificate",
          "connectionSecretNames",
          "connections",
          "databaseId",
          "namespace",
          "objectStoreSecretName",
          "passwords",
        ],
        ...[
          "port",
          "primaryEndpoint",
          "replicaEndpoint",
          "replicaPort",
          "statefulSetName",
          "tlsSecretName",
          "usersSecretName",
        ],
      ]);
      assert.ok(JSON.stringify(state.passwords).includes(runtime.specialSecretSig), "passwords leave as a secret");
      const made = [...plugin.engine.monitor.resources.values()];
      const statefulSet = made.find(({ type }) => type === "kubernetes:apps/v1:StatefulSet");
      assert.match(JSON.stringify(statefulSet?.inputs), /"replicas":2/);
      // A Secret of the planner prints as a mask: nothing in clear is left anywhere.
      assert.doesNotMatch(JSON.stringify(made), /sesame/);
      const keys = made.find(({ name }) => name === "orders-object-store");
      assert.match(JSON.stringify(keys?.inputs), /\[secret\]/);
    });

    it("refuses bad arguments with the path of each, as Pulumi shows them at the resource", async () => {
      const refusal = await plugin
        .construct("tidesql:index:Network", {
          region: "us-east-1",
          cidr: "moon",
          zones: ["mars-1a", "mars-1b"],
        })
        .then(
          () => assert.fail("was not refused"),
          (error: ServiceError) => error,
        );
      assert.equal(refusal.code, status.INVALID_ARGUMENT);
      assert.match(refusal.details, /cidr: .*zones\[0\]: /s);
      assert.ok(refusal.metadata.get("grpc-status-details-bin").length > 0);
    });
  });
});

/** A secret output as programs of all languages send it to a component. */
function secretOnTheWire(value: string) {
  return { [runtime.specialSigKey]: runtime.specialOutputValueSig, value, secret: true };
}
