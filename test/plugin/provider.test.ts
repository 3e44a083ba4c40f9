import * as assert from "node:assert/strict";
import { ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { createInterface } from "node:readline";
import { credentials } from "@grpc/grpc-js";
import * as pulumi from "@pulumi/pulumi";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import { GetSchemaRequest, GetSchemaResponse } from "@pulumi/pulumi/proto/provider_pb";
import { describe, it } from "mocha";
import { planProgram } from "../../cli/planner/planProgram";
import { TideSql } from "../../index";
import { ComponentProvider } from "../../plugin/provider";

const root = path.join(__dirname, "../..");
const load = createRequire(__filename);

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

describe("the plugin for other languages", function () {
  this.timeout(60_000);

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

  it("is what Pulumi starts in this folder, and hands out the schema", async () => {
    const runPlugin = load.resolve("@pulumi/pulumi/cmd/run-plugin");
    const plugin = spawn(process.execPath, [runPlugin, root, "127.0.0.1:1"], {
      cwd: __dirname,
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      const client = new ResourceProviderClient(`127.0.0.1:${await firstLine(plugin)}`, credentials.createInsecure());
      const schema = await new Promise<string>((resolve, reject) => {
        client.getSchema(new GetSchemaRequest(), (error, response: GetSchemaResponse | undefined) => {
          if (error) reject(error);
          else resolve(response?.getSchema() ?? "");
        });
      });
      client.close();
      assert.equal(schema, readFileSync(path.join(root, "schema.json"), "utf8"));
    } finally {
      plugin.kill();
    }
  });
});

/** The port, which a plugin says first. */
async function firstLine({ stdout }: ChildProcess): Promise<string> {
  assert.ok(stdout);
  const [line] = (await once(createInterface(stdout), "line")) as [string];
  return line;
}
