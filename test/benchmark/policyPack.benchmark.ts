import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { programOf } from "../../cli/judgePlan";
import { planStack } from "../../cli/planner/planStack";
import { type RawResource } from "../../policy/model/resource";
import { Analyzer } from "../policy/analyzer";
import { projectFolder } from "./childProcess";

/** Rounds over the program; the first ones are slower, as in a preview, which has one. */
const rounds = 5;

/** The pack in a process of its own, started as Pulumi starts it. */
class RunningPack {
  private constructor(
    private readonly child: ChildProcess,
    readonly analyzer: Analyzer,
  ) {}

  static async start(folder: string): Promise<RunningPack> {
    const launcher = join(dirname(require.resolve("@pulumi/pulumi/package.json")), "cmd/run-policy-pack");
    const usage = join(__dirname, "answerUsage.mjs");
    const child = spawn(process.execPath, ["--import", usage, launcher, "127.0.0.1:0", "."], {
      cwd: folder,
      stdio: ["ignore", "pipe", "inherit", "ipc"],
    });
    const [port] = (await once(createInterface(child.stdout!), "line")) as [string];
    return new RunningPack(child, new Analyzer(Number(port)));
  }

  /** Processor time since its start. Milliseconds. */
  async cpuMilliseconds(): Promise<number> {
    const answered = once(this.child, "message") as Promise<[NodeJS.CpuUsage]>;
    this.child.send("usage");
    const [{ user, system }] = await answered;
    return (user + system) / 1000;
  }

  stop(): void {
    this.analyzer.close();
    this.child.kill();
  }
}

describe("the policy pack, over Pulumi's protocol", function () {
  this.timeout(300_000);
  let pack: RunningPack;
  let program: RawResource[];

  before(async () => {
    program = programOf(await planStack({ directory: projectFolder, stack: "prod" }));
    pack = await RunningPack.start(process.env.POLICY_PACK ?? join(projectFolder, "policy"));
  });
  after(() => pack.stop());

  it("takes at most 6 s of processor time to start", async () => {
    const milliseconds = await pack.cpuMilliseconds();
    console.log(`    ${(milliseconds / 1000).toFixed(1)} s`);
    assert.ok(milliseconds <= 6000);
  });

  it("takes at most 8 ms of processor time for a resource of production at the median, repairs and the whole program included", async () => {
    const each: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const before = await pack.cpuMilliseconds();
      await pack.analyzer.deploy(program);
      each.push(((await pack.cpuMilliseconds()) - before) / program.length);
    }
    console.log(`    ${program.length} resources: ${each.map(time => time.toFixed(1)).join(", ")} ms each`);
    assert.ok([...each].sort((one, other) => one - other)[rounds >> 1]! <= 8);
  });
});
