import * as assert from "node:assert/strict";
import { describe, it } from "mocha";
import {
  Architecture,
  instanceType,
  instanceTypes,
  machineType,
  validateInstanceType,
  validateSizingType,
} from "../../components/core/instanceTypes";
import { gibibyte } from "../../components/core/quantities";

/** Rows of EC2's own documentation: cores, memory in GiB, NVMe in GB, architecture. */
const documented: [
  name: string,
  cpuCores: number,
  memoryGiB: number,
  instanceStoreGB: number,
  architecture: Architecture,
][] = [
  ["m5.large", 2, 8, 0, Architecture.Amd64],
  ["m5.xlarge", 4, 16, 0, Architecture.Amd64],
  ["m5d.4xlarge", 16, 64, 2 * 300, Architecture.Amd64],
  ["m6id.12xlarge", 48, 192, 2 * 1425, Architecture.Amd64],
  ["m7gd.medium", 1, 4, 59, Architecture.Arm64],
  ["m8g.large", 2, 8, 0, Architecture.Arm64],
  ["m8gd.large", 2, 8, 118, Architecture.Arm64],
  ["m8gd.48xlarge", 192, 768, 6 * 1900, Architecture.Arm64],
  ["c5d.9xlarge", 36, 72, 900, Architecture.Amd64],
  ["r5d.24xlarge", 96, 768, 4 * 900, Architecture.Amd64],
  ["r6g.large", 2, 16, 0, Architecture.Arm64],
  ["i3.large", 2, 15.25, 475, Architecture.Amd64],
  ["i3.16xlarge", 64, 488, 8 * 1900, Architecture.Amd64],
  ["i4i.xlarge", 4, 32, 937, Architecture.Amd64],
  ["t3.medium", 2, 4, 0, Architecture.Amd64],
  ["t4g.large", 2, 8, 0, Architecture.Arm64],
];

describe("instance types", () => {
  it("are as EC2 documents them", () => {
    for (const [name, cpuCores, memoryGiB, instanceStoreGB, architecture] of documented) {
      const expected = {
        name,
        cpuCores,
        memoryBytes: memoryGiB * gibibyte,
        instanceStoreBytes: instanceStoreGB * 1e9,
        architecture,
      };
      assert.deepEqual(instanceType(name), expected);
    }
  });

  it("have drives exactly where the family's name says so", () => {
    for (const { name, instanceStoreBytes } of instanceTypes()) {
      const hasDrives = /^(i\d|[a-z]\d+[a-z]*d\.)/.test(name);
      assert.equal(instanceStoreBytes > 0, hasDrives, name);
    }
  });

  it("are Arm exactly where the family's name has a g behind its generation", () => {
    for (const { name, architecture } of instanceTypes()) {
      assert.equal(architecture === Architecture.Arm64, /^[a-z]\d+g/.test(name), name);
    }
  });

  it("that are unknown are refused with the way out", () => {
    for (const name of ["", "m5", "m5.huge", "m5.large.x", "constructor.large", "m5.toString", "M5.LARGE"]) {
      const [problem, ...rest] = validateInstanceType("instanceType", name);
      assert.ok(problem && rest.length === 0, name);
      assert.equal(problem.propertyPath, "instanceType");
      assert.match(problem.reason, /m5/);
    }
    assert.match(validateInstanceType("instanceType", "m5.huge")[0]!.reason, /m5 comes as large, xlarge/);
    assert.deepEqual(validateInstanceType("instanceType", "m5.large"), []);
  });

  it("that are in no table tell their processors and drives by their names", () => {
    const told: [name: string, architecture: Architecture, hasInstanceStore: boolean][] = [
      ["x8g.large", Architecture.Arm64, false],
      ["x2gd.metal", Architecture.Arm64, true],
      ["c7gn.16xlarge", Architecture.Arm64, false],
      ["im4gn.large", Architecture.Arm64, true],
      ["i7ie.metal-24xl", Architecture.Amd64, true],
      ["m7a.medium", Architecture.Amd64, false],
      ["x2idn.32xlarge", Architecture.Amd64, true],
      ["a1.large", Architecture.Arm64, false],
      ["g5.xlarge", Architecture.Amd64, false],
      ["g5g.xlarge", Architecture.Arm64, false],
      ["m5.metal", Architecture.Amd64, false],
    ];
    for (const [name, architecture, hasInstanceStore] of told) {
      assert.deepEqual(machineType(name), { name, architecture, hasInstanceStore });
      assert.match(validateSizingType("t", name, false)[0]!.reason, /give sizing\.memoryBytes and sizing\.cpuCores/);
      assert.deepEqual(validateSizingType("t", name, true), []);
    }
  });
});
