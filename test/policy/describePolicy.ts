import assert from "node:assert/strict";
import { Level } from "../../policy/check";
import { checks } from "../../policy/checks";
import { type PackConfiguration } from "../../policy/configuration";
import { judge, type Verdict } from "../../policy/judge";
import { type RawResource } from "../../policy/model/resource";

/** The day on which all tests judge. */
export const today = "2026-11-22";

/** One policy, seen from every side. Each program is judged by this policy alone. */
export interface PolicyCases {
  /** Programs that satisfy it. */
  passes: readonly (readonly RawResource[])[];
  /** A program that breaks it, with what the policy then says of which resource. */
  fails: { program: readonly RawResource[]; resource: string; says: RegExp };
  /** A program of which a preview cannot tell. */
  unknown: readonly RawResource[];
  /** The same fault as other people write it: a manifest, another resource type, another spelling. */
  handWritten: { program: readonly RawResource[]; resource: string; says: RegExp };
  /** Configuration, and what it makes of the program that fails. Default: the policy has none that is worth a test. */
  configured?: { configuration: PackConfiguration; violations: number };
}

const described = new Set<string>();

/** Declares the tests of one policy. */
export function describePolicy(id: string, cases: PolicyCases): void {
  described.add(id);
  const alone = checks
    .filter(check => check.id === id)
    .map(check => (check.level === Level.disabled ? { ...check, level: Level.mandatory } : check));
  const verdictOn = (program: readonly RawResource[], configuration: PackConfiguration = {}): Verdict =>
    judge(program, { checks: alone, configuration, today });
  const violationsIn = (verdict: Verdict) => verdict.findings.filter(({ status }) => status === "violation");

  function assertSays({ program, resource, says }: PolicyCases["fails"]): void {
    const violations = violationsIn(verdictOn(program));
    const said = violations.map(({ resourceName, message }) => `${resourceName}: ${message}`);
    assert.ok(
      violations.some(({ resourceName, message }) => resourceName === resource && says.test(message)),
      `expected ${resource} to break ${id} with ${says}, but it said ${JSON.stringify(said)}`,
    );
    for (const { wayOut, why } of violations) assert.ok(wayOut !== "" && why !== "");
  }

  describe(id, () => {
    it("passes", () => {
      for (const program of cases.passes) {
        const verdict = verdictOn(program);
        assert.deepEqual(verdict.findings, []);
        assert.ok(verdict.passed > 0, "no resource was judged");
      }
    });
    it("fails", () => assertSays(cases.fails));
    it("is not yet known", () => {
      const { findings } = verdictOn(cases.unknown);
      assert.ok(findings.length > 0, "it passed");
      assert.deepEqual([...new Set(findings.map(({ status }) => status))], ["notYetKnown"]);
    });
    it("is exempted until a day", () => {
      const resource = cases.fails.resource;
      const exempted = (expires: string) =>
        verdictOn(cases.fails.program, { [id]: { exemptions: [{ resource, reason: "moves next month", expires }] } });
      const others = violationsIn(verdictOn(cases.fails.program)).filter(
        ({ resourceName }) => resourceName !== resource,
      );
      assert.equal(violationsIn(exempted(today)).length, others.length);
      assert.ok(exempted(today).exempted > 0);
      const expired = violationsIn(exempted("2026-11-21"));
      assert.ok(
        expired.some(({ policy, message }) => policy === "exemptions" && /expired on 2026-11-21/.test(message)),
      );
      assert.ok(expired.some(({ policy, resourceName }) => policy === id && resourceName === resource));
    });
    it("fails in other words", () => assertSays(cases.handWritten));
    if (cases.configured) {
      const { configuration, violations } = cases.configured;
      it(`is configured with ${JSON.stringify(configuration)}`, () => {
        assert.equal(violationsIn(verdictOn(cases.fails.program, configuration)).length, violations);
      });
    }
  });
}

/** Ids of the policies that tests were declared for, in the files that mocha has loaded. */
export function describedPolicies(): ReadonlySet<string> {
  return described;
}
