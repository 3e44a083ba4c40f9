import * as assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "mocha";
import { CompareExit, comparison, runCompare } from "../../cli/compare";
import { type PlanDocument, planDifference } from "../../cli/planDifference";
import { planAsJson } from "../../cli/planJson";
import { planStack } from "../../cli/planner/planStack";
import { verdictOn } from "../../cli/verdict";

const directory = path.join(__dirname, "../..");

async function planned(config: Record<string, string> = {}): Promise<PlanDocument> {
  const plan = await planStack({ directory, stack: "prod", config });
  return JSON.parse(planAsJson(plan, verdictOn(plan, { directory }))) as PlanDocument;
}

describe("tidesql compare", () => {
  let usual: PlanDocument;
  let folder: string;
  before(async () => {
    usual = await planned();
    folder = mkdtempSync(path.join(tmpdir(), "tidesql-compare-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  it("finds no difference between two plans of one program, although each makes its own passwords and certificates", async () => {
    const again = await planned();
    assert.notDeepEqual(again.resources, usual.resources);
    assert.deepEqual(planDifference(usual, again), { added: [], removed: [], changed: [], cost: [] });
    assert.match(comparison(usual, again), /No resource differs\./);
  });

  it("says what more expensive nodes add to the bill", async () => {
    const larger = await planned({ instanceType: "m5.xlarge" });
    const text = comparison(usual, larger);
    assert.match(text, /\| monthly cost \|[^|]*\|[^|]*\| \+\$210\.24 \|/);
    assert.match(text, /\| m5\.large nodes \| \$210\.24 \| \$0\.00 \| −\$210\.24 \|/);
    assert.match(text, /\| m5\.xlarge nodes \| \$0\.00 \| \$420\.48 \| \+\$420\.48 \|/);
    assert.match(text, /Changed: \d+[^]*- aws ec2 LaunchTemplate tidesql-cluster-database: instanceType\n/);
  });

  it("says how many replicas less there are, what that saves, and which policy it breaks", async () => {
    const text = comparison(usual, await planned({ replicas: "0" }));
    assert.match(text, /\| mandatory violations \| 0 \| [1-9]/);
    assert.match(text, /- mandatory `replicas-minimum`: tidesql-stateful-set/);
    assert.match(text, /\| and by use, about \|[^|]*\|[^|]*\| −\$/);
  });

  it("names what is gone and what is new", async () => {
    const image = `registry.example/tidesql@sha256:${"0".repeat(64)}`;
    const prebuilt = await planned({ image });
    assert.match(comparison(usual, prebuilt), /Removed: 3[^]*aws ecr Repository[^]*docker RegistryImage/);
    assert.match(comparison(usual, prebuilt), /\| minutes to create \| 30\.0 \| 13\.4 \| −16\.6 \|/);
    assert.match(comparison(prebuilt, usual), /Added: 3/);
  });

  it("names thirty of many resources", () => {
    const many = Array.from({ length: 40 }, (_, index) => ({
      urn: `${index}`,
      type: "a:b:C",
      name: `${index}`,
      inputs: {},
    }));
    const text = comparison({ ...usual, resources: [] }, { ...usual, resources: many });
    assert.match(text, /Added: 40/);
    assert.equal(text.match(/^- a b C/gm)?.length, 30);
    assert.match(text, /- and 10 more/);
  });

  async function run(...argv: string[]) {
    let out = "";
    let error = "";
    const exit = await runCompare(argv, {
      out: { write: text => (out += text) },
      error: { write: text => (error += text) },
    });
    return { exit, out, error };
  }

  it("reads two files", async () => {
    const file = path.join(folder, "plan.json");
    writeFileSync(file, JSON.stringify(usual));
    const { exit, out } = await run(file, file);
    assert.equal(exit, CompareExit.compared);
    assert.match(out, /### Plan of the stack prod/);
  });

  it("refuses anything else, saying what is wrong", async () => {
    const other = path.join(folder, "other.json");
    writeFileSync(other, "{}");
    for (const [argv, message] of [
      [[], /takes two files/],
      [[other, other], /is not a plan: make it with "tidesql plan --json"/],
      [["/nowhere.json", other], /nowhere\.json cannot be read/],
      [["--fast"], /There is no option --fast\./],
    ] as const) {
      const { exit, error } = await run(...argv);
      assert.equal(exit, CompareExit.wrongUsage);
      assert.match(error, message);
    }
  });

  it("explains itself", async () => assert.match((await run("--help")).out, /Usage: tidesql compare/));
});
