import assert from "node:assert/strict";
import { join } from "node:path";
import { criticalPath, describe as describeResource } from "../../cli/planner/graph";
import type { Plan } from "../../cli/planner/plan";
import { planStack } from "../../cli/planner/planStack";
import { monthlyCost } from "../../components/core/planning/cost";
import { unavoidableMinutes } from "../../components/core/planning/creationTimes";
import { aurora, hoursPerMonth } from "../../components/core/planning/prices";
import { measure, medians, projectFolder } from "./childProcess";
import { guideCost } from "./guide";

/** Rounds of each measurement; odd, so that the median is one of them. */
const rounds = 7;

const start = join(projectFolder, "cli/start.mjs");
const planProd = [start, "plan", "--directory", projectFolder, "--stack", "prod"];

function report(what: string, value: number, limit: number, unit = ""): void {
  console.log(`    ${what}: ${value.toFixed(2)}${unit} (at most ${limit}${unit})`);
  assert.ok(value <= limit, `${what} is ${value.toFixed(3)}${unit}, more than ${limit}${unit}`);
}

describe("planning the production stack", () => {
  it("takes at most twice the time and half as much memory again as importing the same SDKs", async () => {
    const { output } = await measure(["--import", join(__dirname, "reportSdks.mjs"), ...planProd]);
    const sdks = output.split("\n").at(-1)!.split(" ");
    console.log(`    SDKs: ${sdks.join(", ")}`);
    const { plan, imports } = await medians(
      { plan: planProd, imports: [join(__dirname, "importSdks.mjs"), ...sdks] },
      rounds,
    );
    for (const [name, { wallMilliseconds, cpuMilliseconds, peakMebibytes }] of Object.entries({ plan, imports })) {
      const figures = [`${wallMilliseconds.toFixed(0)} ms`, `${cpuMilliseconds.toFixed(0)} ms of processor time`];
      console.log(`    ${name}: ${figures.join(", ")}, ${peakMebibytes.toFixed(0)} MiB`);
    }
    report("time, against the imports", plan.wallMilliseconds / imports.wallMilliseconds, 2);
    report("processor time, against the imports", plan.cpuMilliseconds / imports.cpuMilliseconds, 2);
    report("memory, against the imports", plan.peakMebibytes / imports.peakMebibytes, 1.5);
  });
});

describe("planning many databases", () => {
  it("costs no more for each when there are more", async () => {
    const program = [join(__dirname, "program.mjs"), "./databases.ts"];
    const counts = [1, 10, 100] as const;
    const candidates = Object.fromEntries(counts.map(count => [String(count), [...program, String(count)]]));
    const measured = await medians(candidates, 3);
    const [one, ten, hundred] = counts.map(count => measured[String(count)]!);
    for (const [index, { cpuMilliseconds, peakMebibytes, output }] of [one!, ten!, hundred!].entries()) {
      console.log(
        `    ${counts[index]} databases: ${output} resources, ${cpuMilliseconds.toFixed(0)} ms of processor time, ${peakMebibytes.toFixed(0)} MiB`,
      );
    }
    // What a process takes anyway is in all three: the difference is what the databases take.
    const each = (more: typeof one, fewer: typeof one, by: number) => ({
      milliseconds: (more!.cpuMilliseconds - fewer!.cpuMilliseconds) / by,
      mebibytes: (more!.peakMebibytes - fewer!.peakMebibytes) / by,
    });
    const few = each(ten, one, 9);
    const many = each(hundred, ten, 90);
    console.log(
      `    each of ten: ${few.milliseconds.toFixed(1)} ms, each of a hundred: ${many.milliseconds.toFixed(1)} ms`,
    );
    console.log(
      `    each of ten: ${few.mebibytes.toFixed(1)} MiB, each of a hundred: ${many.mebibytes.toFixed(1)} MiB`,
    );
    report("processor time of each, of a hundred against of ten", many.milliseconds / few.milliseconds, 1.1);
  });
});

describe("what the production stack takes", () => {
  let plan: Plan;

  before(async () => {
    plan = await planStack({ directory: projectFolder, stack: "prod" });
  });

  it("is created in little more than what cannot be avoided on EKS, once its image is built", async () => {
    const image = `registry.example.com/tidesql@sha256:${"0".repeat(64)}`;
    const built = await planStack({ directory: projectFolder, stack: "prod", config: { "tidesql:image": image } });
    const { minutes, steps } = criticalPath(built);
    for (const step of steps.filter(({ minutes: own }) => own !== undefined)) {
      console.log(`    ${step.minutes!.toFixed(1)} min  ${step.resource.name}`);
    }
    const building = criticalPath(plan).minutes;
    console.log(`    ${minutes.toFixed(1)} minutes, of which ${unavoidableMinutes.toFixed(1)} cannot be avoided`);
    console.log(`    ${building.toFixed(1)} minutes the first time, while the image is built from source`);
    report("longest chain, against the chain that cannot be avoided", minutes / unavoidableMinutes, 1.05);
  });

  it("costs by its computers, not by what is around them", () => {
    const ours = monthlyCost(plan.resources.map(describeResource));
    const guide = guideCost();
    const instances = 3 * aurora.hourlyByClass["db.r6g.large"] * hoursPerMonth;
    const auroraDollars = instances + 100 * aurora.storagePerGigabyte;
    for (const { what, quantity, unit = "", dollarsEach = 0 } of ours.lines) {
      console.log(`    ${(quantity * dollarsEach).toFixed(2).padStart(9)}  ${quantity.toFixed(0)} ${unit} ${what}`);
    }
    console.log(
      `    production stack: $${ours.fixedDollars.toFixed(0)} a month, and by use about $${ours.estimatedDollars.toFixed(0)}`,
    );
    console.log(
      `    by hand, as the guide says: $${guide.fixedDollars.toFixed(0)}, and by use about $${guide.estimatedDollars.toFixed(0)}`,
    );
    console.log(
      `    Aurora MySQL, 3 db.r6g.large and 100 GB: $${auroraDollars.toFixed(0)}, and $0.20 a million requests`,
    );
    console.log(`    against the guide: ${(ours.fixedDollars / guide.fixedDollars).toFixed(2)}`);
    report("monthly cost of what does not depend on use, against Aurora MySQL", ours.fixedDollars / auroraDollars, 1);
  });
});
