import assert from "node:assert/strict";
import { judgePlan, programOf } from "../../../cli/judgePlan";
import type { Plan } from "../../../cli/planner/plan";
import { planProgram } from "../../../cli/planner/planProgram";
import { judge, type JudgedFinding } from "../../../policy/judge";
import { type RawResource } from "../../../policy/model/resource";
import { today } from "../describePolicy";
import { changed, dataPath, edit, set } from "../program";
import { faults } from "./faults";
import { guide } from "./program";

/** `policy resource`, sorted, each once. */
const pairs = (findings: readonly JudgedFinding[]) =>
  [...new Set(findings.map(({ policy, resourceName }) => `${policy} ${resourceName}`))].sort();

describe("the guide's deployment", () => {
  let plan: Plan;
  let program: RawResource[];

  before("is planned", async () => {
    plan = await planProgram(guide, { project: "guide", stack: "prod", config: { "aws:region": "us-east-1" } });
    program = programOf(plan);
  });

  it("is reported fault by fault, and no other", () => {
    const { findings } = judgePlan(plan, { today });
    const listed = faults.flatMap(([, policy, resources]) => resources.map(resource => `${policy} ${resource}`));
    assert.deepEqual(pairs(findings), listed.sort());
    assert.ok(findings.every(({ status }) => status === "violation"));
  });

  for (const [fault, policy, resources] of faults) {
    it(`${fault}: ${policy}`, () => {
      const { findings } = judge(program, { today });
      const said = findings.filter(finding => finding.policy === policy).map(({ resourceName }) => resourceName);
      assert.deepEqual([...new Set(said)].sort(), [...resources].sort());
    });
  }

  it("does not show the passwords that it complains about", () => {
    const shown = JSON.stringify(judge(program, { today }));
    for (const secret of ["M0nitor!Pass9", "YourStrongPassword!2026", "REPLACE_WITH_"]) {
      assert.ok(!shown.includes(secret), `${secret} is in the report`);
    }
  });

  describe("with the options of its step 11", () => {
    const newPairs = (variant: readonly RawResource[]) => {
      const before = pairs(judge(program, { today }).findings);
      return pairs(judge(variant, { today }).findings).filter(pair => !before.includes(pair));
    };
    const messages = (variant: readonly RawResource[], policy: string) =>
      judge(variant, { today })
        .findings.filter(finding => finding.policy === policy)
        .map(({ message }) => message)
        .join("\n");

    it("NVMe nodes: their disks are not used by anything", () => {
      const variant = changed(program, set("tidesql-cluster", "instanceType", "i4i.xlarge"));
      assert.deepEqual(newPairs(variant), ["cost-instance-store-unused tidesql-cluster"]);
    });

    it("a hostPath volume: the pod leaves the restricted standard", () => {
      const volume = { name: "cache", hostPath: { path: "/mnt/nvme/tidesql", type: "DirectoryOrCreate" } };
      const variant = changed(program, set("Deployment/tidesql-replica", "spec.template.spec.volumes[1]", volume));
      assert.match(messages(variant, "workloads-pod-security"), /A volume of kind hostPath is used/);
    });

    it("WAL sync on commit with its write buffer: every commit uploads 128 MiB", () => {
      const variant = changed(
        program,
        edit(
          "tidesdb-primary-config",
          dataPath("tidesdb.cnf"),
          text => `${text}tidesdb_objstore_wal_sync_on_commit=ON\n`,
        ),
      );
      assert.match(messages(variant, "correctness-write-buffer"), /128 MiB: every commit uploads/);
    });

    it("a LoadBalancer for external access: a public port without TLS", () => {
      const services = program.filter(({ type }) => type.endsWith(":Service"));
      const variant = program.map(candidate =>
        services.includes(candidate)
          ? changed([candidate], set(candidate.name, "spec.type", "LoadBalancer"))[0]!
          : candidate,
      );
      assert.deepEqual(newPairs(variant), [
        "tls-load-balancer tidesql-primary",
        "tls-load-balancer tidesql-replica",
        "workloads-exposed-service tidesql-primary",
        "workloads-exposed-service tidesql-replica",
      ]);
    });
  });
});
