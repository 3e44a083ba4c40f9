import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { judgePlan } from "../../cli/judgePlan";
import { planStack } from "../../cli/planner/planStack";
import { type PackConfiguration } from "../../policy/configuration";
import { type Verdict } from "../../policy/judge";
import { today } from "./describePolicy";

const directory = join(__dirname, "../..");

/** The stack's own exemptions, each of which has a reason and an end. */
function ownConfiguration(stack: string): PackConfiguration {
  const file = join(directory, `Pulumi.${stack}.policies.json`);
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as PackConfiguration) : {};
}

describe("this project's production stack", () => {
  let verdict: Verdict;

  before("is planned", async () => {
    const plan = await planStack({ directory, stack: "prod" });
    verdict = judgePlan(plan, { today, configuration: ownConfiguration("prod") });
  });

  it("breaks no policy, mandatory or advisory, without a written reason", () => {
    const broken = verdict.findings.filter(({ status }) => status === "violation");
    assert.deepEqual(
      broken.map(({ policy, resourceName, message }) => `${policy} ${resourceName}: ${message}`),
      [],
    );
    assert.ok(verdict.passed > 400, `only ${verdict.passed} judgements were made`);
  });

  it("leaves to the update only what depends on ids that AWS gives", () => {
    const open = verdict.findings.filter(({ status }) => status === "notYetKnown");
    const places = new Set(open.map(({ path }) => path));
    const expected = ["policy", "stringData", "spec.template.spec.containers[0].image"];
    const others = [...places].filter(path => !expected.includes(path) && !path.includes("annotations"));
    assert.deepEqual(others, []);
  });

  it("is really looked at: without replicas it would be refused", async () => {
    const plan = await planStack({ directory, stack: "prod", config: { replicas: "0" } });
    const { findings } = judgePlan(plan, { today, configuration: ownConfiguration("prod") });
    assert.ok(findings.some(({ policy, status }) => policy === "replicas-minimum" && status === "violation"));
  });
});
