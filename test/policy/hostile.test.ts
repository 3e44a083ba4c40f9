import assert from "node:assert/strict";
import fc from "fast-check";
import { judge } from "../../policy/judge";
import { notYetKnown, type RawResource } from "../../policy/model/resource";
import { today } from "./describePolicy";
import { goodProgram } from "./goodProgram";
import { changed, resource, set } from "./program";

/** Values of every kind that can come out of YAML, JSON, a template or an attacker. */
const oddValue = fc.letrec(tie => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<unknown>(
      null,
      undefined,
      notYetKnown,
      true,
      false,
      "",
      "true",
      "OFF",
      -1,
      0,
      1.5,
      Number.NaN,
      Infinity,
      2 ** 53,
    ),
    fc.string({ unit: "binary", maxLength: 40 }),
    fc.base64String({ maxLength: 60 }),
    fc.constantFrom(
      "a: &a [*a, *a]\nb: *a",
      "password: hunter2\n- - - {",
      '{"Statement": {"Effect": "Allow", "Action": ["s3:*", 1, null]}}',
      "[mariadbd\ntidesdb_s3_use_ssl",
      "registry:5000/x@sha256:",
      "${jndi:ldap://x}",
      "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
    ),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(
      fc.constantFrom(
        "name",
        "spec",
        "data",
        "containers",
        "image",
        "metadata",
        "labels",
        "__proto__",
        "constructor",
        "4dabf18193072939515e22adb298388d",
      ),
      tie("value"),
      { maxKeys: 4 },
    ),
  ),
})).value;

/** The paths of all inputs of a program, by the index of the resource. */
function placesOf(program: readonly RawResource[]): [index: number, keys: (string | number)[]][] {
  const places: [number, (string | number)[]][] = [];
  const walk = (index: number, value: unknown, keys: (string | number)[]) => {
    places.push([index, keys]);
    if (typeof value !== "object" || value === null) return;
    for (const [key, child] of Object.entries(value))
      walk(index, child, [...keys, Array.isArray(value) ? Number(key) : key]);
  };
  program.forEach(({ inputs }, index) => walk(index, inputs, []));
  return places;
}

function replaced(value: unknown, [key, ...rest]: (string | number)[], by: unknown): unknown {
  if (key === undefined) return by;
  const copy = (Array.isArray(value) ? [...(value as unknown[])] : { ...(value as object) }) as Record<
    string | number,
    unknown
  >;
  copy[key] = replaced(copy[key], rest, by);
  return copy;
}

/** What every verdict has, whatever the program. */
function assertSound(program: readonly RawResource[]): void {
  const verdict = judge(program, { today });
  for (const { message, wayOut, policy } of verdict.findings) {
    assert.ok(message !== "" && wayOut !== "" && policy !== "");
  }
  assert.equal(verdict.mandatory + verdict.advisory + verdict.notYetKnown + verdict.exempted, verdict.findings.length);
  JSON.stringify(verdict);
}

describe("hostile input", () => {
  it("in place of any input of a good program never crashes a policy", () => {
    const places = placesOf(goodProgram);
    fc.assert(
      fc.property(fc.constantFrom(...places), oddValue, ([index, keys], value) => {
        assertSound(
          goodProgram.map((candidate, at) =>
            at === index ? { ...candidate, inputs: replaced(candidate.inputs, keys, value) } : candidate,
          ),
        );
      }),
      { numRuns: 100 },
    );
  });

  it("as all inputs of resources of every type never crashes a policy", () => {
    const types = [
      ...new Set(goodProgram.map(({ type }) => type)),
      "kubernetes:apps/v1:DaemonSet",
      "kubernetes:batch/v1:CronJob",
      "eks:index:Cluster",
      "command:local:Command",
      "x",
      "",
    ];
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(...types), oddValue), { maxLength: 6 }), resources => {
        assertSound(resources.map(([type, inputs], index) => ({ ...resource(type, `odd-${index}`, {}), inputs })));
      }),
      { numRuns: 500 },
    );
  });

  it("that is unknown anywhere is reported as not yet known, or changes nothing that was said", () => {
    const places = placesOf(goodProgram);
    fc.assert(
      fc.property(fc.constantFrom(...places), ([index, keys]) => {
        const program = goodProgram.map((candidate, at) =>
          at === index ? { ...candidate, inputs: replaced(candidate.inputs, keys, notYetKnown) } : candidate,
        );
        for (const { status } of judge(program, { today }).findings) assert.equal(status, "notYetKnown");
      }),
      { numRuns: 100 },
    );
  });

  it("nested a hundred thousand levels deep is refused, not followed", () => {
    let deep: unknown = "password=hunter2";
    for (let level = 0; level < 100_000; level++) deep = level % 2 ? [deep] : { data: deep };
    assertSound([
      resource("kubernetes:core/v1:ConfigMap", "deep", { data: { deep } }),
      resource("aws:iam/policy:Policy", "p", { policy: deep }),
    ]);
    const json = "[".repeat(100_000) + "]".repeat(100_000);
    assertSound([
      resource("aws:iam/policy:Policy", "json", { policy: json }),
      resource("aws:eks/addon:Addon", "vpc-cni", { addonName: "vpc-cni", configurationValues: json }),
    ]);
  });

  /** Texts made to be slow for an expression that backtracks, or a search that starts over at each line. */
  const slowTexts: [what: string, text: string][] = [
    ["one line", "a".repeat(300_000)],
    ["spaces", `key${" ".repeat(300_000)}`],
    ["assignments", "password=\n".repeat(30_000)],
    ["halves of tokens", "eyJ-".repeat(75_000)],
    ["clients", "mysql -h ".repeat(33_000)],
    ["URLs", "a://b:".repeat(48_000)],
    ["SQL", "IDENTIFIED BY ".repeat(21_000)],
    ["quotes", `{${'"a":"\\'.repeat(48_000)}`],
    ["keys", "-----BEGIN PRIVATE KEY-----\n".repeat(10_500)],
    ["options", "--a --tidesdb_x= ".repeat(18_000)],
    ["sections", "[mariadbd\n".repeat(30_000)],
    ["base64", Buffer.from("x=".repeat(105_000)).toString("base64")],
  ];
  for (const [what, text] of slowTexts) {
    it(`of 300 kB, ${what}, is judged in time that grows with it and no faster`, () => {
      const elapsed = (content: string) => {
        const files = { "a.cnf": content, "b.sh": content, "c.yaml": content };
        const program = [
          resource("kubernetes:core/v1:ConfigMap", "orders-config", {
            metadata: { name: "orders-config", namespace: "shop" },
            data: files,
          }),
          ...changed(goodProgram, set("orders", "spec.template.spec.containers[0].args", [content])).filter(
            ({ name }) => name === "orders",
          ),
          resource("aws:ec2/launchTemplate:LaunchTemplate", "nodes", { userData: content }),
        ];
        const started = process.cpuUsage();
        assertSound(program);
        const { user, system } = process.cpuUsage(started);
        return (user + system) / 1000;
      };
      elapsed(text.slice(0, 1000));
      const tenth = elapsed(text.slice(0, text.length / 10));
      const whole = elapsed(text);
      assert.ok(whole < 25 * Math.max(tenth, 40), `${tenth} ms of CPU for a tenth of it, ${whole} ms for the whole`);
    });
  }
});
