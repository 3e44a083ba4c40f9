import assert from "node:assert/strict";
import { checks } from "../../policy/checks";
import { configurationFaults, type PackConfiguration } from "../../policy/configuration";
import { isDate } from "../../policy/exemption";

const exemption = { resource: "a", reason: "moves next month", expires: "2027-02-28" };

const cases: [what: string, configuration: unknown, ...faults: RegExp[]][] = [
  ["levels and properties", { all: "advisory", "replicas-minimum": { minReplicas: 3, exemptions: [exemption] } }],
  ["an unknown policy", { "replica-minimum": "advisory" }, /no such policy, do you mean "replicas-minimum"\?/],
  ["a level that is none", { "cluster-logs": "mandotary" }, /is one of .*, do you mean "mandatory"\?/],
  ["a policy that is a number", { "cluster-logs": 1 }, /cluster-logs: is a level, or an object/],
  ["an unknown property", { "replicas-minimum": { minReplica: 3 } }, /no such property, do you mean "minReplicas"\?/],
  ["a misspelt level", { "cluster-logs": { enforcmentLevel: "advisory" } }, /do you mean "enforcementLevel"\?/],
  [
    "exemptions of all policies",
    { all: { exemptions: [exemption] } },
    /all\.exemptions: an exemption belongs to one policy/,
  ],
  [
    "an exemption without a resource",
    { "cluster-logs": { exemptions: [{ ...exemption, resource: undefined }] } },
    /exemptions\[0\]\.resource: is missing, or no text/,
  ],
  [
    "an exemption with an unknown key",
    { "cluster-logs": { exemptions: [{ ...exemption, expire: "2027-01-01" }] } },
    /exemptions\[0\]\.expire: there is no such property, do you mean "expires"\?/,
  ],
  [
    "an exemption until a day that there is not",
    { "cluster-logs": { exemptions: [{ ...exemption, expires: "2027-02-30" }] } },
    /exemptions\[0\]\.expires: is no day of the calendar/,
  ],
  ["an exemption that is text", { "cluster-logs": { exemptions: ["a"] } }, /exemptions\[0\]: is an object with/],
  [
    "items of another type",
    { "cluster-security-group": { publicPorts: [443, "80"] } },
    /publicPorts\[1\]: is of type integer/,
  ],
  ["a value below the least", { "replicas-minimum": { minReplicas: -1 } }, /minReplicas: is at least 0/],
];

describe("a configuration of the policies with", () => {
  for (const [what, configuration, ...faults] of cases) {
    it(what, () => {
      const found = configurationFaults(checks, configuration as PackConfiguration);
      assert.equal(found.length, faults.length, found.join("\n"));
      for (const fault of faults) assert.match(found.join("\n"), fault);
    });
  }

  it("days of the calendar only", () => {
    assert.ok(isDate("2028-02-29"));
    for (const text of ["2027-02-29", "2027-02-30", "2027-13-01", "2027-1-1", 20270101]) assert.ok(!isDate(text));
  });
});
