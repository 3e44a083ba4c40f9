import assert from "node:assert/strict";
import { type JudgedCase, judgeCases, tableOf } from "./brokenDeployments/outcome";
import { notRun, sharedCases } from "./brokenDeployments/shared";

/** Cases that the pack does not find, each with the reason. */
const notFound: Readonly<Record<string, string>> = {
  "object-store-defaults-extra-file": "a file of the image: each option before it is reported as not yet known",
};

/** At most so many faults may go unfound, each with a reason above. */
const mostMissed = 3;

describe("deployments that are broken in one place", () => {
  const cases = sharedCases();
  let judged: JudgedCase[] = [];

  before(async function () {
    if (cases) judged = await judgeCases(cases);
  });

  it(cases ? `are found to be broken (${cases.length} cases)` : notRun, function () {
    if (!cases) return this.skip();
    console.log(
      tableOf(judged)
        .map(line => `      ${line}`)
        .join("\n"),
    );
    const missed = judged.filter(({ outcome }) => outcome === "missed" || outcome === "unjudged").map(({ id }) => id);
    assert.deepEqual(missed.sort(), Object.keys(notFound).sort(), "what is missed is what the list gives a reason for");
    assert.ok(missed.length <= mostMissed);
  });

  it(cases ? "are left alone where the change is right" : notRun, function () {
    if (!cases) return this.skip();
    const reported = judged.filter(({ outcome }) => outcome === "false");
    assert.deepEqual(
      reported.map(({ id, said }) => `${id}: ${said.join("; ")}`),
      [],
    );
  });
});
