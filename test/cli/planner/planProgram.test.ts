import assert from "node:assert/strict";
import * as aws from "@pulumi/aws";
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { Plan, PlannedResource } from "../../../cli/planner/plan";
import { planProgram, ProgramError, type ProgramSettings } from "../../../cli/planner/planProgram";
import { ResourceReference, Secret, unknown, type PlannedRecord } from "../../../cli/planner/values";

function planOf(program: () => unknown, settings: Partial<ProgramSettings> = {}): Promise<Plan> {
  return planProgram(program, { project: "shop", stack: "test", ...settings });
}

function named(plan: Plan, name: string): PlannedResource {
  const found = plan.resources.find(resource => resource.name === name);
  assert.ok(found, `${name} is not planned`);
  return found;
}

function namesOf(plan: Plan, urns: readonly string[]): string[] {
  return urns.map(urn => plan.resources.find(resource => resource.urn === urn)?.name ?? urn).sort();
}

/** The program's own message, without what else an error carries. */
async function refusalOf(program: () => unknown, settings?: Partial<ProgramSettings>): Promise<ProgramError> {
  try {
    await planOf(program, settings);
  } catch (error) {
    assert.ok(error instanceof ProgramError, String(error));
    return error;
  }
  throw new assert.AssertionError({ message: "the program was not refused" });
}

const namespace = (name: string, opts?: pulumi.CustomResourceOptions) =>
  new kubernetes.core.v1.Namespace(name, { metadata: { name } }, opts);

class Group extends pulumi.ComponentResource {
  constructor(name: string, args: pulumi.Inputs = {}, opts: pulumi.ComponentResourceOptions = {}) {
    super("shop:index:Group", name, args, opts);
  }
}

describe("planning a program", () => {
  describe("dependencies", () => {
    it("come from inputs, with the input that they come through", async () => {
      const plan = await planOf(() => {
        const vpc = new aws.ec2.Vpc("vpc", { cidrBlock: "10.0.0.0/16" });
        new aws.ec2.Subnet("subnet", { vpcId: vpc.id, cidrBlock: "10.0.0.0/24" });
      });
      const subnet = named(plan, "subnet");
      assert.deepEqual(namesOf(plan, subnet.dependencies), ["vpc"]);
      assert.deepEqual(namesOf(plan, subnet.propertyDependencies.vpcId ?? []), ["vpc"]);
      assert.deepEqual(subnet.propertyDependencies.cidrBlock, []);
    });

    it("come from dependsOn, where a component stands for the resources in it", async () => {
      const plan = await planOf(() => {
        const outer = new Group("outer");
        const inner = new Group("inner", {}, { parent: outer });
        namespace("direct", { parent: outer });
        namespace("nested", { parent: inner });
        namespace("after", { dependsOn: [outer] });
      });
      assert.deepEqual(namesOf(plan, named(plan, "after").dependencies), ["direct", "nested"]);
    });

    it("reach a component through what it is given", async () => {
      const plan = await planOf(() => {
        const first = namespace("first");
        new Group("group", { where: first.id });
      });
      assert.deepEqual(namesOf(plan, named(plan, "group").dependencies), ["first"]);
    });

    it("order the resources: each comes after what it waits for", async () => {
      const plan = await planOf(() => {
        const last = pulumi.output("x").apply(x => x);
        const first = namespace("first");
        namespace("third", { dependsOn: [namespace("second", { dependsOn: [first] })] });
        return { last };
      });
      const order = plan.resources.map(({ name }) => name);
      assert.deepEqual(order, ["shop-test", "first", "second", "third"]);
    });
  });

  describe("identity", () => {
    it("is the URN that pulumi gives: the types of the components above are part of it", async () => {
      const plan = await planOf(() => {
        const outer = new Group("outer");
        namespace("inside", { parent: outer });
        namespace("below", { parent: namespace("custom") });
      });
      assert.equal(named(plan, "shop-test").urn, "urn:pulumi:test::shop::pulumi:pulumi:Stack::shop-test");
      assert.equal(
        named(plan, "inside").urn,
        "urn:pulumi:test::shop::shop:index:Group$kubernetes:core/v1:Namespace::inside",
      );
      assert.equal(
        named(plan, "below").urn,
        "urn:pulumi:test::shop::kubernetes:core/v1:Namespace$kubernetes:core/v1:Namespace::below",
      );
    });

    it("is unique: the second resource of one name is refused, with its URN", async () => {
      const { message } = await refusalOf(() => {
        namespace("same");
        namespace("same");
      });
      assert.match(message, /urn:pulumi:test::shop::kubernetes:core\/v1:Namespace::same/);
    });
  });

  it("shows the options that change what an update does", async () => {
    const plan = await planOf(() => {
      const kept = namespace("kept", { protect: true, retainOnDelete: true });
      namespace("other", {
        aliases: [{ name: "former" }, "urn:pulumi:test::shop::a:b:C::older"],
        ignoreChanges: ["metadata"],
        deleteBeforeReplace: true,
        deletedWith: kept,
        customTimeouts: { create: "30m" },
        import: "existing",
      });
    });
    const { options } = named(plan, "kept");
    assert.deepEqual([options.protect, options.retainOnDelete], [true, true]);
    const other = named(plan, "other").options;
    assert.equal(other.protect, false);
    assert.ok(other.aliases.includes("urn:pulumi:test::shop::a:b:C::older"));
    assert.ok(other.aliases.some(alias => typeof alias !== "string" && alias.name === "former"));
    assert.deepEqual(other.ignoreChanges, ["metadata"]);
    assert.equal(other.deleteBeforeReplace, true);
    assert.equal(other.deletedWith, named(plan, "kept").urn);
    assert.equal(other.customTimeouts.create, "30m");
    assert.equal(other.import, "existing");
  });

  it("names the provider that a resource goes through, and none for the default one", async () => {
    const plan = await planOf(() => {
      const provider = new kubernetes.Provider("elsewhere", { namespace: "shop" });
      namespace("there", { provider });
      namespace("inherited", { parent: new Group("group", {}, { providers: [provider] }) });
      namespace("here");
    });
    const elsewhere = named(plan, "elsewhere").urn;
    assert.equal(named(plan, "there").provider, elsewhere);
    assert.equal(named(plan, "inherited").provider, elsewhere);
    assert.deepEqual(named(plan, "group").providers, { kubernetes: elsewhere });
    assert.equal(named(plan, "here").provider, undefined);
  });

  describe("values", () => {
    it("are unknown where only the cloud decides them, and the program runs in preview", async () => {
      let seen: unknown = "nothing";
      const plan = await planOf(() => {
        assert.equal(pulumi.runtime.isDryRun(), true);
        const vpc = new aws.ec2.Vpc("vpc", { cidrBlock: "10.0.0.0/16" });
        vpc.arn.apply(arn => (seen = arn));
        return { arn: vpc.arn, text: pulumi.interpolate`arn ${vpc.arn}`, block: vpc.cidrBlock };
      });
      assert.equal(seen, "nothing", "an apply ran on an unknown value");
      assert.equal(plan.outputs.arn, unknown);
      assert.equal(plan.outputs.text, unknown);
      assert.equal(plan.outputs.block, "10.0.0.0/16");
    });

    it("of Kubernetes objects are what the program gave", async () => {
      const plan = await planOf(() => {
        const first = namespace("first");
        return { name: first.metadata.name, uid: first.metadata.uid };
      });
      assert.equal(plan.outputs.name, "first");
    });

    it("of components are what they registered", async () => {
      class Endpoint extends pulumi.ComponentResource {
        constructor() {
          super("shop:index:Endpoint", "endpoint");
          this.registerOutputs({ port: 3306, password: pulumi.secret("hunter2-hunter2") });
        }
      }
      const plan = await planOf(() => void new Endpoint());
      const { outputs } = named(plan, "endpoint");
      assert.equal(outputs.port, 3306);
      assert.ok(outputs.password instanceof Secret);
    });

    it("that refer to a resource stay references", async () => {
      const plan = await planOf(() => {
        const first = namespace("first");
        new Group("group", { target: first });
      });
      const { target } = named(plan, "group").inputs;
      assert.ok(target instanceof ResourceReference);
      assert.equal(target.urn, named(plan, "first").urn);
    });
  });

  describe("secrets", () => {
    it("stay secrets in inputs, in outputs, in what is made of them and in the stack's outputs", async () => {
      const plan = await planOf(() => {
        const password = pulumi.secret("correct horse battery");
        const object = new kubernetes.core.v1.Secret("object", { stringData: { password, user: "app" } });
        return { derived: pulumi.interpolate`user:${password}`, whole: object.stringData, plain: "app" };
      });
      assert.ok(named(plan, "object").inputs.stringData instanceof Secret);
      assert.ok(plan.outputs.derived instanceof Secret);
      assert.equal(plan.outputs.derived.reveal(), "user:correct horse battery");
      assert.ok(plan.outputs.whole instanceof Secret);
      assert.equal(plan.outputs.plain, "app");
    });

    it("are secrets before they are known", async () => {
      const plan = await planOf(() => {
        const key = new aws.iam.AccessKey("key", { user: "engine" });
        return { secret: key.secret, id: key.id };
      });
      const secret = plan.outputs.secret;
      assert.ok(secret instanceof Secret);
      assert.equal(secret.reveal(), unknown);
      assert.equal(plan.outputs.id, unknown);
    });

    it("cannot be printed by accident", async () => {
      const plan = await planOf(() => ({ password: pulumi.secret("correct horse battery") }));
      const { inspect } = await import("node:util");
      const texts = [
        JSON.stringify(plan),
        inspect(plan, { depth: null }),
        (plan.outputs.password as Secret).toString(),
      ];
      for (const text of texts) {
        assert.doesNotMatch(text, /correct horse/);
        assert.match(text, /\[secret\]/);
      }
    });

    it("of the configuration reach the program as secrets", async () => {
      const config: PlannedRecord = { "shop:token": new Secret("tok-0123456789"), "shop:size": "3" };
      const plan = await planOf(
        () => {
          const settings = new pulumi.Config();
          return { token: settings.requireSecret("token"), size: settings.requireNumber("size") };
        },
        { config },
      );
      assert.ok(plan.outputs.token instanceof Secret);
      assert.equal(plan.outputs.token.reveal(), "tok-0123456789");
      assert.equal(plan.outputs.size, 3);
    });

    it("that are encrypted in the configuration are there, pass checks of a password, and stay unknown secrets", async () => {
      const config: PlannedRecord = { "shop:keys": { app: new Secret(unknown), note: "plain" } };
      const plan = await planOf(
        () => {
          const keys = new pulumi.Config().requireSecretObject<{ app: string; note: string }>("keys");
          const plain = JSON.parse(pulumi.runtime.getConfig("shop:keys")!) as { app: string };
          assert.match(plain.app, /(?=.*[a-z])(?=.*[A-Z])(?=.*\d)(?=.*[^\w]).{8}/);
          const encoded = keys.apply(({ app }) => Buffer.from(app).toString("base64"));
          new kubernetes.core.v1.Secret("object", { data: { app: encoded } });
          return { note: keys.note, app: pulumi.interpolate`key=${keys.app}` };
        },
        { config },
      );
      const app = plan.outputs.app;
      assert.ok(app instanceof Secret);
      assert.equal(app.reveal(), unknown);
      const data = named(plan, "object").inputs.data;
      assert.ok(data instanceof Secret);
      assert.equal(data.reveal(), unknown);
      assert.equal(plan.outputs.note instanceof Secret && plan.outputs.note.reveal(), "plain");
    });

    it("that are encrypted in the configuration are unknown to a program that reads them as secrets", async () => {
      const locked = new Secret(unknown);
      const config: PlannedRecord = { "shop:pem": locked, "shop:size": locked, "shop:known": new Secret("12") };
      const judged: string[] = [];
      const plan = await planOf(
        () => {
          const settings = new pulumi.Config();
          const judge = (text: string) => (judged.push(text), text.length);
          return {
            pem: settings.requireSecret("pem", { pattern: /^-----BEGIN/ }).apply(judge),
            size: settings.getSecretNumber("size"),
            known: settings.requireSecret("known").apply(judge),
          };
        },
        { config },
      );
      assert.deepEqual(judged, ["12"]);
      for (const name of ["pem", "size"]) {
        const output = plan.outputs[name];
        assert.ok(output instanceof Secret && output.reveal() === unknown, name);
      }
      await planOf(() => ({ pem: new pulumi.Config().requireSecret("pem") }), { config: { "shop:pem": "plain" } });
    });

    it("that stand in a plain input are warned of, by place and not by value", async () => {
      let password = "";
      const plan = await planOf(() => {
        const made = new random.RandomPassword("made", { length: 20 });
        const careless = pulumi.unsecret(made.result).apply(result => `password=${(password = result)}`);
        new kubernetes.core.v1.ConfigMap("leak", { data: { "my.cnf": careless } });
      });
      const [warning, ...others] = plan.diagnostics;
      assert.deepEqual(others, []);
      assert.match(warning?.message ?? "", /data\["my.cnf"\] of leak/);
      assert.ok(!warning!.message.includes(password));
    });
  });

  describe("what a plan cannot know is refused, naming it", () => {
    const cases: [string, () => unknown, RegExp][] = [
      ["a look-up", () => aws.getRegionOutput(), /aws:index\/getRegion:getRegion/],
      [
        "a look-up whose failure the program swallows",
        () => aws.getCallerIdentity().catch(() => null),
        /getCallerIdentity/,
      ],
      ["an existing resource", () => aws.ec2.Vpc.get("shared", "vpc-1"), /aws:ec2\/vpc:Vpc "shared"/],
      [
        "a method of a component that runs elsewhere",
        () => pulumi.runtime.call("eks:index:Cluster/getKubeconfig", {}),
        /eks:index:Cluster\/getKubeconfig/,
      ],
    ];
    for (const [what, program, message] of cases) {
      it(what, async () => assert.match((await refusalOf(() => void program())).message, message));
    }
  });

  it("takes another stack's outputs as unknown, and says so", async () => {
    const plan = await planOf(() => {
      const network = new pulumi.StackReference("org/net/prod");
      const bucket = new aws.s3.Bucket("data", {
        bucket: network.requireOutput("bucketName") as pulumi.Output<string>,
      });
      return { bucket: bucket.bucket };
    });
    assert.equal(named(plan, "data").inputs.bucket, unknown);
    assert.deepEqual(
      plan.resources.map(({ type }) => type),
      ["pulumi:pulumi:Stack", "aws:s3/bucket:Bucket"],
    );
    assert.match(plan.diagnostics[0]?.message ?? "", /org\/net\/prod are not known in a plan/);
  });

  it("takes a component that runs elsewhere as one resource, and says that its children are missing", async () => {
    const plan = await planOf(() => {
      class Remote extends pulumi.ComponentResource {
        declare readonly endpoint: pulumi.Output<string>;
        constructor() {
          super("other:index:Remote", "remote", { size: 3, endpoint: undefined }, {}, true);
        }
      }
      return { endpoint: new Remote().endpoint };
    });
    assert.equal(named(plan, "remote").remote, true);
    assert.equal(plan.outputs.endpoint, unknown);
    assert.match(plan.diagnostics[0]?.message ?? "", /remote \(other:index:Remote\).*not part of this plan/);
  });

  describe("failures of the program", () => {
    const failing = "the reason why";
    const throwIt = (): never => {
      throw new Error(failing);
    };
    const cases: [string, () => unknown][] = [
      ["thrown at once", throwIt],
      ["thrown later", async () => (await Promise.resolve(), throwIt())],
      ["thrown in an apply that nobody waits for", () => void pulumi.output(1).apply(throwIt)],
      [
        "thrown in an apply that a resource waits for",
        () => void new kubernetes.core.v1.Namespace("late", { metadata: { name: pulumi.output(1).apply(throwIt) } }),
      ],
      ["thrown in an output of the stack", () => ({ value: pulumi.output(1).apply(throwIt) })],
    ];
    for (const [when, program] of cases) {
      it(`are told by their message: ${when}`, async () => {
        const { message } = await refusalOf(program);
        assert.match(message, /the reason why\n {4}at throwIt \(.*planProgram\.test\.ts:\d+:\d+\)$/);
      });
    }

    it("never tell a secret, in whatever form it is in the message", async () => {
      const secret = "S3cret-Value-1";
      const config: PlannedRecord = { "shop:token": new Secret(secret) };
      const program = () => {
        throw new Error(`cannot use ${secret} nor ${Buffer.from(secret).toString("base64")}`);
      };
      const { message } = await refusalOf(program, { config });
      assert.match(message, /^cannot use \[secret\] nor \[secret\]\n {4}at /);
    });

    it("leave the next plan alone", async () => {
      await refusalOf(throwIt);
      const plan = await planOf(() => void namespace("next"));
      assert.equal(plan.resources.length, 2);
    });

    it("that are mistakes come with their place", async () => {
      const { message } = await refusalOf(() => (undefined as unknown as { name: string }).name);
      assert.match(message, /^TypeError: .*\n +at .*planProgram\.test\.ts/);
    });
  });

  it("keeps what the program prints and logs among the diagnostics, and off the console", async () => {
    const written: string[] = [];
    const write = process.stdout.write.bind(process.stdout);
    process.stdout.write = (text: string | Uint8Array) => (written.push(String(text)), true);
    try {
      const plan = await planOf(async () => {
        console.log("printed %d", 1);
        await pulumi.log.warn("logged");
      });
      assert.deepEqual(plan.diagnostics, [
        { severity: "info", message: "printed 1" },
        { severity: "warning", message: "logged" },
      ]);
    } finally {
      process.stdout.write = write;
    }
    assert.deepEqual(written, []);
  });

  it("plans one program after another when several are asked for at once", async () => {
    const plans = await Promise.all(["a", "b", "c"].map(name => planOf(() => void namespace(name), { stack: name })));
    assert.deepEqual(
      plans.map(plan => plan.resources.map(({ name }) => name)),
      [
        ["shop-a", "a"],
        ["shop-b", "b"],
        ["shop-c", "c"],
      ],
    );
  });

  it("uses what an earlier plan made, and makes anew what has other inputs", async () => {
    const made = {};
    const passwords = async (length: number) => {
      const plan = await planOf(() => ({ value: new random.RandomPassword("password", { length }).result }), { made });
      return (plan.outputs.value as Secret).reveal();
    };
    const first = await passwords(20);
    assert.equal(await passwords(20), first);
    const longer = await passwords(30);
    assert.equal((longer as string).length, 30);
    assert.notEqual(longer, first);
  });
});
