import assert from "node:assert/strict";
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { programOf } from "../../cli/judgePlan";
import { planProgram } from "../../cli/planner/planProgram";
import { Database } from "../../components/database";
import { judge } from "../../policy/judge";
import { notYetKnown, type RawResource } from "../../policy/model/resource";
import { goodProgram } from "../policy/goodProgram";
import { guide } from "../policy/guide/program";
import { resource } from "../policy/program";

/** Rounds of each measurement; odd, so that the median is one of them. */
const rounds = 7;
const today = "2026-11-22";

/** Processor time of a judgement, the median of several. Milliseconds. */
function judging(program: readonly RawResource[]): number {
  const times = Array.from({ length: rounds }, () => {
    const before = process.cpuUsage();
    judge(program, { today });
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  });
  return median(times);
}

function median(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)]!;
}

/** Processor time of a fixed amount of work, the median of several: a slow or busy machine makes it longer, as it does the judging. Milliseconds. */
function yardstick(): number {
  const times = Array.from({ length: 15 }, () => {
    const before = process.cpuUsage();
    for (let turn = 0; turn < 10; turn++) JSON.parse(JSON.stringify(goodProgram));
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  });
  return median(times);
}

function databases(count: number): Promise<RawResource[]> {
  const program = () => {
    const provider = new kubernetes.Provider("cluster", { kubeconfig: pulumi.secret("{}") });
    for (let index = 0; index < count; index++) {
      new Database(
        `orders${index}`,
        {
          image: `registry.example/tidesql@sha256:${"3f".repeat(32)}`,
          objectStore: {
            endpoint: "s3.us-east-1.amazonaws.com",
            bucket: "shop-data",
            region: "us-east-1",
            accessKeyId: pulumi.secret("an-access-key-id"),
            secretAccessKey: pulumi.secret("key-of-the-object-store"),
          },
        },
        { provider },
      );
    }
  };
  return planProgram(program, { project: "shop", stack: "prod" }).then(programOf);
}

/** Resources that take the policies longer than honest ones. */
const hostile: RawResource[] = [
  resource("kubernetes:core/v1:ConfigMap", "yaml", { data: { "a.yaml": "password: x\n".repeat(1000) } }),
  resource("kubernetes:core/v1:ConfigMap", "megabyte", { data: { "a.cnf": "a".repeat(1_000_000) } }),
  resource("kubernetes:core/v1:ConfigMap", "base64", {
    binaryData: { a: Buffer.from("x=y\n".repeat(5000)).toString("base64") },
  }),
  resource("kubernetes:core/v1:Secret", "nested", {
    data: JSON.parse(`${'{"a":'.repeat(500)}1${"}".repeat(500)}`) as unknown,
  }),
  resource("aws:iam/policy:Policy", "statements", {
    policy: JSON.stringify({
      Statement: Array.from({ length: 500 }, () => ({ Effect: "Allow", Action: "s3:Get", Resource: "a" })),
    }),
  }),
];

describe("the policies", function () {
  this.timeout(300_000);
  let programs: Record<string, RawResource[]>;

  before(async () => {
    const guidePlan = await planProgram(guide, {
      project: "guide",
      stack: "prod",
      config: { "aws:region": "us-east-1" },
    });
    programs = {
      "a good program": [...goodProgram],
      "the guide's": programOf(guidePlan),
      "one database, its manager's bundle included": await databases(1),
    };
    for (const program of Object.values(programs)) judge(program, { today });
  });

  it("take no longer than writing and reading the good program as JSON ten times, for a resource at the median, hostile ones among them", () => {
    const unit = yardstick();
    const alone = [...Object.values(programs).flat(), ...hostile].map(candidate => judging([candidate]));
    const slowest = Math.max(...alone);
    console.log(
      `    ${alone.length} resources, each alone: median ${median(alone).toFixed(3)} ms, slowest ${slowest.toFixed(1)} ms; yardstick ${unit.toFixed(3)} ms`,
    );
    assert.ok(median(alone) <= unit);
  });

  it("take no longer than writing and reading the good program as JSON ten times, for a resource in a program at the median", () => {
    const unit = yardstick();
    const each = Object.entries(programs).map(([name, program]) => {
      const milliseconds = judging(program) / program.length;
      console.log(`    ${name}: ${program.length} resources, ${milliseconds.toFixed(3)} ms each`);
      return milliseconds;
    });
    console.log(`    yardstick ${unit.toFixed(3)} ms`);
    assert.ok(median(each) <= unit);
  });

  it("take no longer for each resource when there are more", async () => {
    const [few, many] = [await databases(4), await databases(40)];
    const each = [few, many].map(program => judging(program) / program.length);
    console.log(
      `    ${few.length} resources: ${each[0]!.toFixed(3)} ms each; ${many.length}: ${each[1]!.toFixed(3)} ms each`,
    );
    assert.ok(each[1]! <= 2 * each[0]!);
  });

  it("take no longer for each AWS resource whose name is not known yet when there are more", () => {
    const [few, many] = [unnamedBuckets(500), unnamedBuckets(2000)];
    const each = [few, many].map(program => judging(program) / program.length);
    console.log(
      `    ${few.length} resources: ${each[0]!.toFixed(3)} ms each; ${many.length}: ${each[1]!.toFixed(3)} ms each`,
    );
    assert.ok(each[1]! <= 2 * each[0]!);
  });
});

/** Buckets, their aspects and their users, as a preview sees them before AWS has named anything. */
function unnamedBuckets(count: number): RawResource[] {
  const program: RawResource[] = [];
  for (let index = 0; program.length < count; index++) {
    const bucket = resource("aws:s3/bucket:Bucket", `tidesdb-${index}`, {});
    const user = resource("aws:iam/user:User", `user-${index}`, {});
    const aspects = ["Versioning", "PublicAccessBlock", "OwnershipControls", "LifecycleConfiguration", "Policy"].map(
      kind => resource(`aws:s3/bucket${kind}:Bucket${kind}`, `${kind}-${index}`, { bucket: notYetKnown }, [bucket]),
    );
    const key = resource("aws:iam/accessKey:AccessKey", `key-${index}`, { user: notYetKnown }, [user]);
    program.push(bucket, ...aspects, user, key);
  }
  return program.slice(0, count);
}
