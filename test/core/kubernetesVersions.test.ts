import * as assert from "node:assert/strict";
import { describe, it } from "mocha";
import {
  defaultKubernetesVersion,
  endOfStandardSupport,
  supportCheckedOn,
  validateKubernetesVersion,
} from "../../components/core/kubernetesVersions";

function reason(version: string, today?: string): string {
  const problems = validateKubernetesVersion(version, today);
  return problems.map(problem => `${problem.propertyPath}: ${problem.reason}`).join("; ");
}

describe("versions of Kubernetes on EKS", () => {
  it("by default have the longest support ahead", () => {
    assert.equal(reason(defaultKubernetesVersion), "");
    const ends = Object.values(endOfStandardSupport).sort();
    assert.equal(endOfStandardSupport[defaultKubernetesVersion], ends.at(-1));
    assert.ok(supportCheckedOn < ends.at(-1)!);
  });

  it("are accepted until their standard support ends, and refused from that day", () => {
    assert.equal(reason("1.34", "2026-12-01"), "");
    assert.match(
      reason("1.34", "2026-12-02"),
      /^kubernetesVersion: 1\.34 has been out of standard support since 2026-12-02: choose 1\.35 or 1\.36$/,
    );
  });

  it("that are too old, too new or none are refused with those to choose from", () => {
    assert.match(reason("1.33"), /1\.33 is out of standard support: choose 1\.34 or 1\.35 or 1\.36/);
    assert.match(reason("1.9"), /1\.9 is out of standard support/);
    assert.match(reason("1.99"), /1\.99 is not known here: choose/);
    for (const version of ["", "latest", "1", "v1.36", "1.36.2", " 1.36"])
      assert.match(reason(version), /two numbers/, version);
  });

  it("that are all out of support ask for a newer package", () => {
    assert.match(reason("1.36", "2028-01-01"), /install a newer version of this package/);
  });
});
