import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { Level } from "../../policy/check";
import { checks } from "../../policy/checks";
import { configurationFaults, defaultsOf, type PackConfiguration } from "../../policy/configuration";
import { covers, exemptionFault, matches } from "../../policy/exemption";
import { judge } from "../../policy/judge";
import { notYetKnown, plainResource } from "../../policy/model/resource";
import { overlaid, Preset, presetConfiguration } from "../../policy/preset";
import { today } from "./describePolicy";
import { goodProgram } from "./goodProgram";
import { changed, resource, set } from "./program";

const onePod = changed(goodProgram, set("orders", "spec.replicas", 1));
const exemption = { policy: "replicas-minimum", resource: "orders", reason: "a trial", expires: "2026-12-31" };

describe("judge", () => {
  it("finds nothing wrong with a program that has nothing wrong", () => {
    const { findings, passed, policies, resources, ...counts } = judge(goodProgram, { today });
    assert.deepEqual(findings, []);
    assert.deepEqual(counts, { mandatory: 0, advisory: 0, notYetKnown: 0, exempted: 0, notJudged: [] });
    assert.equal(policies, checks.filter(({ level }) => level !== Level.disabled).length);
    assert.equal(resources, goodProgram.length);
    assert.ok(passed > checks.length);
  });

  it("counts a violation at the level that is configured", () => {
    const counts = (configuration: PackConfiguration) => {
      const { mandatory, advisory } = judge(onePod, { today, configuration });
      return { mandatory, advisory };
    };
    assert.deepEqual(counts({}), { mandatory: 1, advisory: 0 });
    assert.deepEqual(counts({ "replicas-minimum": "advisory" }), { mandatory: 0, advisory: 1 });
    assert.deepEqual(counts({ "replicas-minimum": { enforcementLevel: "disabled" } }), { mandatory: 0, advisory: 0 });
    assert.deepEqual(counts({ all: "advisory" }), { mandatory: 0, advisory: 1 });
    assert.deepEqual(counts({ all: "advisory", "replicas-minimum": "mandatory" }), { mandatory: 1, advisory: 0 });
  });

  it("never counts what is not yet known as passed, nor as a violation", () => {
    const before = judge(goodProgram, { today });
    const after = judge(changed(goodProgram, set("orders", "spec.replicas", notYetKnown)), { today });
    assert.ok(after.notYetKnown > 0);
    assert.equal(after.passed + new Set(after.findings.map(({ policy, urn }) => policy + urn)).size, before.passed);
    assert.deepEqual([after.mandatory, after.advisory], [0, 0]);
    for (const { path, message } of after.findings) {
      assert.equal(path, "spec.replicas");
      assert.match(message, /cannot be judged yet: spec.replicas: its value is decided during the update/);
    }
  });

  it("says what it knows of one container although another is not yet known", () => {
    const containers = [
      { name: "a", image: notYetKnown },
      { name: "b", image: "b:latest" },
    ];
    const pod = resource("kubernetes:core/v1:Pod", "two", { spec: { containers } });
    const alone = checks.filter(({ id }) => id === "workloads-image-tag");
    const statuses = judge([pod], { today, checks: alone }).findings.map(({ status, path }) => [status, path]);
    assert.deepEqual(statuses, [
      ["violation", "spec.containers[1].image"],
      ["notYetKnown", "spec.containers[0].image"],
    ]);
  });

  it("is the same twice, and does not change its input", () => {
    const frozen = deepFrozen(structuredClone(onePod));
    assert.deepEqual(judge(frozen, { today }), judge(frozen, { today }));
  });
});

describe("exemptions", () => {
  const withExemptions = (...exemptions: object[]) =>
    judge(onePod, { today, exemptions: exemptions as (typeof exemption)[] });

  it("turn a violation into an exempted one, with its reason", () => {
    const verdict = withExemptions(exemption);
    assert.deepEqual([verdict.mandatory, verdict.exempted], [0, 1]);
    assert.deepEqual(verdict.findings[0]?.exemption, { reason: "a trial", expires: "2026-12-31" });
  });

  it("are violations when they are expired, without a reason, without a date or with a wrong one", () => {
    for (const fault of [
      { expires: "2026-11-21" },
      { reason: " " },
      { expires: undefined },
      { expires: "soon" },
      { expires: "2026-13-45" },
    ]) {
      const verdict = withExemptions({ ...exemption, ...fault });
      const policies = verdict.findings.map(({ policy }) => policy).sort();
      assert.deepEqual(policies, ["exemptions", "replicas-minimum"], JSON.stringify(fault));
      assert.equal(verdict.mandatory, 2);
    }
  });

  it("are advised against when they cover nothing", () => {
    const verdict = withExemptions(exemption, { ...exemption, resource: "gone" });
    assert.deepEqual([verdict.mandatory, verdict.advisory], [0, 1]);
    assert.match(verdict.findings.at(-1)!.message, /gone from replicas-minimum covers no resource/);
  });

  it("hold on their last day, and not on the day after", () => {
    assert.equal(exemptionFault({ ...exemption, expires: today }, today), undefined);
    assert.match(exemptionFault({ ...exemption, expires: today }, "2026-11-23")!.message, /expired on 2026-11-22/);
  });

  it("cover resources by name or URN, policies by id, both with patterns", () => {
    const database = {
      name: "orders",
      urn: "urn:pulumi:prod::shop::tidesql:index:Database$kubernetes:apps/v1:StatefulSet::orders",
    };
    for (const pattern of ["orders", "ord*", "*", "urn:pulumi:prod::*StatefulSet::orders"]) {
      assert.ok(covers({ ...exemption, resource: pattern }, "replicas-minimum", database), pattern);
    }
    for (const pattern of ["order", "*z*", "", "rders"]) {
      assert.ok(!covers({ ...exemption, resource: pattern }, "replicas-minimum", database), pattern);
    }
    assert.ok(covers({ ...exemption, policy: "replicas-*" }, "replicas-minimum", database));
    assert.ok(!covers({ ...exemption, policy: "replicas-*" }, "tls-clients", database));
  });

  it("match patterns as a regular expression would", () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b", "*"), maxLength: 8 });
    fc.assert(
      fc.property(letters, fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 12 }), (pattern, text) => {
        const expression = new RegExp(`^${pattern.replaceAll(/\*+/g, ".*")}$`);
        assert.equal(matches(pattern, text), expression.test(text));
      }),
    );
  });
});

describe("presets", () => {
  it("development demands less, never more, and gives up no secret", () => {
    const development = presetConfiguration(Preset.development, checks);
    const strictness = [Level.disabled, Level.advisory, Level.remediate, Level.mandatory] as Level[];
    for (const { id, level, group } of checks) {
      const { enforcementLevel = level } = { ...(development[id] as { enforcementLevel?: Level } | undefined) };
      assert.ok(strictness.indexOf(enforcementLevel) <= strictness.indexOf(level), id);
      if (group === "secrets" && level === Level.mandatory) assert.equal(enforcementLevel, Level.mandatory, id);
    }
    assert.equal(judge(onePod, { today, preset: Preset.development }).mandatory, 0);
  });

  it("are files for the Pulumi CLI, in step with the code", () => {
    for (const preset of Object.values(Preset)) {
      const file = join(__dirname, `../../policy/presets/${preset}.json`);
      assert.deepEqual(JSON.parse(readFileSync(file, "utf8")), presetConfiguration(preset, checks), file);
    }
  });

  it("are overlaid property by property, with the exemptions of both", () => {
    const leave = (resource: string) => ({ resource, reason: "r", expires: "2027-01-01" });
    const below: PackConfiguration = {
      a: { minReplicas: 1, enforcementLevel: "advisory", exemptions: [leave("x")] },
      b: "disabled",
    };
    const above: PackConfiguration = { a: { minReplicas: 2, exemptions: [leave("y")] }, c: "mandatory" };
    assert.deepEqual(overlaid(below, above), {
      a: { minReplicas: 2, enforcementLevel: "advisory", exemptions: [leave("x"), leave("y")] },
      b: "disabled",
      c: { enforcementLevel: "mandatory", exemptions: [] },
    });
  });
});

describe("configuration", () => {
  it("names every fault", () => {
    const configuration = {
      "replicas-minimum": { minReplicas: -1, maxReplicas: 3 },
      "cluster-zones": { minZones: "three" },
      "replica-minimum": "mandatory",
      "tls-clients": "strict",
      "cost-nat-for-s3": { exemptions: {} },
    } as unknown as PackConfiguration;
    assert.deepEqual(configurationFaults(checks, configuration), [
      "replicas-minimum.minReplicas: is at least 0",
      'replicas-minimum.maxReplicas: there is no such property, do you mean "minReplicas"?',
      "cluster-zones.minZones: is of type integer",
      'replica-minimum: there is no such policy, do you mean "replicas-minimum"?',
      "tls-clients: enforcementLevel is one of mandatory, remediate, advisory, disabled",
      "cost-nat-for-s3.exemptions: is a list",
    ]);
  });

  it("of the defaults has none", () => {
    const defaults = Object.fromEntries(checks.map(check => [check.id, defaultsOf(check)]));
    assert.deepEqual(configurationFaults(checks, defaults), []);
  });
});

describe("the pack", () => {
  it("has policies with ids of their own, by group, with a sentence each for what and why", () => {
    assert.equal(new Set(checks.map(({ id }) => id)).size, checks.length);
    for (const { id, description, why } of checks) {
      assert.match(id, /^[a-z0-9]+(-[a-z0-9]+)+$/);
      for (const sentence of [description, why]) assert.match(sentence, /^[A-Z`].*\.$/, id);
    }
  });

  it("has tests for every policy", () => {
    const sources = readdirSync(__dirname)
      .filter(file => file.endsWith(".test.ts"))
      .map(file => readFileSync(join(__dirname, file), "utf8"))
      .join("\n");
    const missing = checks
      .filter(({ id }) => !new RegExp(`(?:describePolicy|ofResource|ofOption)\\(\\s*"${id}"`).test(sources))
      .map(({ id }) => id);
    assert.deepEqual(missing, []);
  });
});

describe("resources", () => {
  const signature = "4dabf18193072939515e22adb298388d";
  const secret = (value: unknown) => ({ [signature]: "1b47061264138c4ac30d75fd1eb44270", value });
  const output = (fields: object) => ({ [signature]: "d0e6a833031e9bbcd3f4e8bde6ca49a4", ...fields });
  const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
  const plain = (inputs: unknown) => plainResource({ type: "t", name: "n", urn: "u", inputs });

  it("are unwrapped, with the paths of their secrets", () => {
    const { inputs, secretPaths } = plain({
      a: secret("x"),
      b: [output({ value: secret(unknown), dependencies: [] }), output({})],
      "c.d": output({ value: { e: 1 }, secret: true }),
      f: null,
      g: undefined,
    });
    assert.deepEqual(inputs, { a: "x", b: [notYetKnown, notYetKnown], "c.d": { e: 1 }, f: null });
    assert.deepEqual(secretPaths, ["a", "b[0]", '["c.d"]']);
  });

  it("hold an asset as what was written of it, without its hash", () => {
    const asset = { "4dabf18193072939515e22adb298388d": "c44067f5952c0a294b673a41bacd8c17", hash: "3f".repeat(32) };
    assert.deepEqual(plain({ code: { ...asset, path: "index.js" } }).inputs, { code: { path: "index.js" } });
    assert.deepEqual(plain({ hash: "left alone" }).inputs, { hash: "left alone" });
  });

  it("without inputs are empty", () => {
    for (const inputs of [undefined, null, 3, "text", []]) assert.deepEqual(plain(inputs).inputs, {});
  });

  it("keep a key called __proto__ as a key", () => {
    const { inputs } = plain(JSON.parse('{"__proto__": {"replicas": 1}}'));
    assert.deepEqual(Object.keys(inputs), ["__proto__"]);
    assert.equal((inputs as { replicas?: number }).replicas, undefined);
  });
});

function deepFrozen<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    Object.values(value).forEach(deepFrozen);
    Object.freeze(value);
  }
  return value;
}
