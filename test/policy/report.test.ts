import assert from "node:assert/strict";
import { XMLParser, XMLValidator } from "fast-xml-parser";
import { checks } from "../../policy/checks";
import { judge, type Verdict } from "../../policy/judge";
import { notYetKnown } from "../../policy/model/resource";
import { report, ReportFormat } from "../../policy/report";
import { today } from "./describePolicy";
import { goodProgram } from "./goodProgram";
import { changed, set, without } from "./program";

const context = { programFile: "Pulumi.yaml", colour: false };

/** A program with one finding of each kind. */
const verdict: Verdict = judge(
  changed(
    goodProgram,
    set("orders", "spec.replicas", 1),
    set("orders-peers", "metadata.annotations", { note: '<&"\u0001>' }),
    set("platform", "enabledClusterLogTypes", []),
    set("data", "forceDestroy", notYetKnown),
    without("BucketVersioning"),
  ),
  {
    today,
    exemptions: [{ policy: "bucket-versioning", resource: "data", reason: 'a "trial" <1>', expires: "2026-12-31" }],
  },
);

describe("reports", () => {
  it("as text say what is wrong by resource, the worst first, and end with the sum", () => {
    assert.equal(
      report(verdict, ReportFormat.text, context),
      `orders (kubernetes:apps/v1:StatefulSet)
  mandatory replicas-minimum
    StatefulSet runs 1 pod; at least 2 are required. A single pod is an outage at each node upgrade, and with the node's disk it loses what was not shipped yet.
    Write: spec.replicas: 2

platform (aws:eks/cluster:Cluster)
  advisory cluster-logs
    Not logged: api, audit, authenticator. Without the audit log nobody can tell afterwards who read a Secret or deleted a pod.
    Write: enabledClusterLogTypes: ["api", "audit", "authenticator", "controllerManager", "scheduler"]

data (aws:s3/bucket:Bucket)
  not yet known bucket-force-destroy
    cannot be judged yet: forceDestroy: its value is decided during the update.
  exempted bucket-versioning
    Versioning is not enabled.
    Until 2026-12-31: a "trial" <1>

${verdict.policies} policies on ${verdict.resources} resources: 1 mandatory, 1 advisory, 1 not yet known, 1 exempted, ${verdict.passed} passed.
`,
    );
  });

  it("as text are coloured for a terminal alone", () => {
    assert.ok(!report(verdict, ReportFormat.text, context).includes("\u001b"));
    const red = "\u001b[31mmandatory\u001b[0m replicas-minimum";
    assert.ok(report(verdict, ReportFormat.text, { ...context, colour: true }).includes(red));
  });

  it("as JSON hold the verdict", () => {
    assert.deepEqual(JSON.parse(report(verdict, ReportFormat.json, context)), JSON.parse(JSON.stringify(verdict)));
  });

  it("as JUnit have a case for each policy; mandatory violations fail, the rest is skipped with its reason", () => {
    const xml = report(verdict, ReportFormat.junit, context);
    assert.equal(XMLValidator.validate(xml), true);
    const parser = new XMLParser({
      ignoreAttributes: false,
      attributeNamePrefix: "",
      isArray: name => /^test(suite|case)$/.test(name),
    });
    const { testsuites } = parser.parse(xml) as { testsuites: { testsuite: Suite[] } };
    const cases = testsuites.testsuite.flatMap(({ testcase }) => testcase);
    assert.deepEqual(
      cases.map(({ name }) => name),
      checks.map(({ id }) => id),
    );
    assert.deepEqual(
      cases.filter(({ failure }) => failure).map(({ name }) => name),
      ["replicas-minimum"],
    );
    const skipped = cases.filter(testcase => testcase.skipped !== undefined).map(({ name }) => name);
    assert.deepEqual(skipped.sort(), ["bucket-force-destroy", "bucket-versioning", "cluster-logs"]);
    assert.match(xml, /Exempted until 2026-12-31: a &quot;trial&quot; &lt;1&gt;/);
    assert.deepEqual(
      testsuites.testsuite.map(({ tests }) => Number(tests)).reduce((sum, tests) => sum + tests),
      checks.length,
    );
  });

  it("as JUnit hold no character that XML cannot hold", () => {
    const exemptions = [
      { policy: "bucket-versioning", resource: "data", reason: "a bell \u0007 & a \u0000", expires: "2026-12-31" },
    ];
    const xml = report(
      judge(changed(goodProgram, without("BucketVersioning")), { today, exemptions }),
      ReportFormat.junit,
      context,
    );
    assert.match(xml, /a bell {2}&amp; a "/);
  });

  it("as SARIF have a rule for each policy, and a result with its place for each finding", () => {
    const log = JSON.parse(report(verdict, ReportFormat.sarif, context)) as Sarif;
    const [run] = log.runs;
    assert.equal(log.version, "2.1.0");
    assert.deepEqual(
      run.tool.driver.rules.map(({ id }) => id),
      checks.map(({ id }) => id),
    );
    const summary = run.results.map(({ ruleId, kind, level, suppressions }) => [
      ruleId,
      kind,
      level,
      suppressions?.length ?? 0,
    ]);
    assert.deepEqual(summary.sort(), [
      ["bucket-force-destroy", "open", "none", 0],
      ["bucket-versioning", "fail", "error", 1],
      ["cluster-logs", "fail", "warning", 0],
      ["replicas-minimum", "fail", "error", 0],
    ]);
    const place = run.results.find(({ ruleId }) => ruleId === "replicas-minimum")!.locations[0]!;
    assert.equal(place.physicalLocation.artifactLocation.uri, "Pulumi.yaml");
    assert.match(place.logicalLocations[0]!.fullyQualifiedName, /StatefulSet::orders#spec.replicas$/);
    const fingerprints = run.results.map(result => result.partialFingerprints["urnPathAndPolicy/v1"]);
    assert.equal(new Set(fingerprints).size, fingerprints.length);
  });
});

interface Suite {
  tests: string;
  testcase: { name: string; failure?: unknown; skipped?: unknown }[];
}

interface Sarif {
  version: string;
  runs: [
    {
      tool: { driver: { rules: { id: string }[] } };
      results: {
        ruleId: string;
        kind: string;
        level: string;
        suppressions?: unknown[];
        locations: {
          physicalLocation: { artifactLocation: { uri: string } };
          logicalLocations: { fullyQualifiedName: string }[];
        }[];
        partialFingerprints: Record<string, string>;
      }[];
    },
  ];
}
