import * as assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, it } from "mocha";
import { judgePlan } from "../../cli/judgePlan";
import { Plan } from "../../cli/planner/plan";
import { planStack } from "../../cli/planner/planStack";
import { Secret } from "../../cli/planner/values";
import { Status } from "../../policy/judge";
import { today } from "../policy/describePolicy";

const directory = path.join(__dirname, "../../examples");

interface Example {
  /** Secrets that its README says to set. */
  config?: Record<string, Secret>;
  /** Types that it is there to show. */
  shows: string[];
  /** Types that it does without. */
  without?: RegExp;
  /** What its plan says somewhere, and no other program's does. */
  says?: RegExp;
}

const examples: Record<string, Example> = {
  smallest: { shows: ["tidesql:index:TideSql", "aws:eks/cluster:Cluster", "aws:s3/bucket:Bucket"] },
  "existing-cluster": {
    shows: ["tidesql:index:TideSql", "aws:s3/bucket:Bucket"],
    without: /^aws:(eks|ec2|ecr)/,
  },
  "pod-role": {
    shows: ["tidesql:index:TideSql", "aws:s3/bucket:Bucket", "aws:eks/podIdentityAssociation:PodIdentityAssociation"],
    without: /^aws:(ec2|ecr|iam\/(user|accessKey))/,
  },
  "s3-compatible": {
    config: { accessKeyId: new Secret("minioadmin"), secretAccessKey: new Secret("sesame-sesame") },
    shows: ["tidesql:index:Database"],
    without: /^aws:/,
  },
  nvme: { shows: ["tidesql:index:TideSql"], says: /"i4i\.xlarge".*"emptyDir"/s },
  "several-databases": {
    shows: ["tidesql:index:Database", "tidesql:index:ObjectStore"],
    says: /"namespace":"orders".*"namespace":"billing"/s,
  },
  "own-image": { shows: ["tidesql:index:TideSql"], without: /^(aws:ecr|docker)/ },
  "multi-stack/infrastructure": {
    shows: ["tidesql:index:Cluster", "tidesql:index:Image"],
    without: /^kubernetes:apps/,
  },
  "multi-stack/database": { shows: ["tidesql:index:Database"], without: /^aws:/ },
};

describe("the examples", () => {
  it("are all here", () => {
    const projects = readdirSync(directory, { recursive: true, encoding: "utf8" })
      .filter(file => path.basename(file) === "Pulumi.yaml")
      .map(file => path.dirname(file));
    assert.deepEqual(projects.sort(), Object.keys(examples).sort());
    const overview = readFileSync(path.join(directory, "README.md"), "utf8");
    for (const name of Object.keys(examples)) {
      const [folder = ""] = name.split("/");
      assert.ok(overview.includes(`(${folder})`), `${folder} in the overview`);
      assert.ok(existsSync(path.join(directory, folder, "README.md")), `README of ${folder}`);
    }
  });

  for (const [name, { config, shows, without, says }] of Object.entries(examples)) {
    describe(name, () => {
      let plan: Plan;
      before("is planned", async () => {
        plan = await planStack({ directory: path.join(directory, name), config });
      });

      it("shows what it is there for", () => {
        const types = plan.resources.map(({ type }) => type);
        for (const type of shows) assert.ok(types.includes(type), type);
        if (says) assert.match(JSON.stringify(plan.resources), says);
        if (without)
          assert.deepEqual(
            types.filter(type => without.test(type)),
            [],
          );
      });

      it("breaks no policy, mandatory or advisory", () => {
        const { findings, passed } = judgePlan(plan, { today });
        const violations = findings.filter(({ status }) => status === Status.violation);
        assert.deepEqual(
          violations.map(({ policy, resourceName, message }) => `${policy} ${resourceName}: ${message}`),
          [],
        );
        assert.ok(passed > 100, `only ${passed} judgements were made`);
      });

      it("needs the packages that it imports, and no others", () => {
        const folder = path.join(directory, name);
        const { dependencies } = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8")) as {
          dependencies: Record<string, string>;
        };
        const program = readFileSync(path.join(folder, "index.ts"), "utf8");
        const imported = [...program.matchAll(/from "([^"]+)"/g)].map(([, packageName]) => packageName);
        assert.deepEqual(Object.keys(dependencies).sort(), imported.sort());
        const own = JSON.parse(readFileSync(path.join(directory, "../package.json"), "utf8")) as {
          version: string;
          dependencies: Record<string, string>;
        };
        for (const [dependency, range] of Object.entries(dependencies)) {
          assert.equal(range, own.dependencies[dependency] ?? `^${own.version}`, dependency);
        }
      });
    });
  }

  it("are really judged: without replicas the smallest would be refused", async () => {
    const { resources, ...rest } = await planStack({ directory: path.join(directory, "smallest") });
    const changed = resources.map(resource =>
      resource.type === "kubernetes:apps/v1:StatefulSet"
        ? { ...resource, inputs: { ...resource.inputs, spec: { ...(resource.inputs.spec as object), replicas: 1 } } }
        : resource,
    );
    const { findings } = judgePlan({ ...rest, resources: changed }, { today });
    assert.ok(findings.some(({ policy, status }) => policy === "replicas-minimum" && status === Status.violation));
  });
});
