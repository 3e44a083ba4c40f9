import * as assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, it } from "mocha";
import { parse } from "yaml";

interface Step {
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
}

interface Workflow {
  on: Record<string, unknown>;
  permissions: Record<string, string>;
  jobs: Record<string, { steps: Step[]; permissions?: Record<string, string>; "timeout-minutes"?: number }>;
}

const root = path.join(__dirname, "../..");
const folder = path.join(root, ".github/workflows");
const { scripts } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as {
  scripts: Record<string, string>;
};

/** Scripts that a command line runs: `npm run X`, and the two with a name of their own. */
function scriptsIn(commands: string): string[] {
  const named = [...commands.matchAll(/\bnpm run(?: --?[a-z-]+(?: "?\$?\w+"?(?= --))?)* ([a-z][\w:-]*)/g)];
  const short = [...commands.matchAll(/\bnpm (start|test)\b/g)];
  return [...named, ...short].map(([, name = ""]) => name);
}

/** What a job may do beyond reading, with the reason. */
const writes: Record<string, Record<string, string>> = {
  "pull-request.yml policy": { "security-events": "uploads SARIF" },
  "pull-request.yml plan": { "pull-requests": "comments" },
  "release.yml publish": { contents: "makes the release", "id-token": "provenance" },
};

describe("the workflows", () => {
  const files = readdirSync(folder);

  it("are those of a pull request, of a release and of each night", () => {
    assert.deepEqual(files.sort(), ["nightly.yml", "pull-request.yml", "release.yml"]);
  });

  it("know how scripts are called", () => {
    assert.deepEqual(scriptsIn("npm run lint\nnpm test -- --grep x"), ["lint", "test"]);
    assert.deepEqual(scriptsIn("npm run --silent build:manager"), ["build:manager"]);
    assert.deepEqual(scriptsIn("npm ci --no-audit"), []);
  });

  for (const file of files) {
    describe(file, () => {
      const text = readFileSync(path.join(folder, file), "utf8");
      const workflow = parse(text) as Workflow;
      const steps = Object.values(workflow.jobs).flatMap(job => job.steps);

      it("runs scripts that there are", () => {
        const used = steps.flatMap(({ run = "" }) => scriptsIn(run));
        assert.ok(used.length > 0);
        assert.deepEqual(
          used.filter(name => !(name in scripts)),
          [],
        );
      });

      it("may read only, except where a job says what it writes", () => {
        assert.deepEqual(workflow.permissions, { contents: "read" });
        for (const [name, { permissions = {} }] of Object.entries(workflow.jobs)) {
          const written = Object.keys(permissions).filter(scope => permissions[scope] !== "read");
          assert.deepEqual(written.sort(), Object.keys(writes[`${file} ${name}`] ?? {}).sort(), name);
        }
      });

      it("uses actions by their commit, with the version beside it", () => {
        for (const [, action = ""] of text.matchAll(/uses: (.*)/g)) {
          assert.match(action, /^[\w-]+\/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
        }
      });

      it("leaves no credentials in a checkout", () => {
        for (const step of steps.filter(({ uses }) => uses?.startsWith("actions/checkout@"))) {
          assert.equal(step.with?.["persist-credentials"], false);
        }
      });

      it("puts nothing that somebody else wrote into a command line", () => {
        for (const { run = "" } of steps) assert.doesNotMatch(run, /\$\{\{/);
      });

      it("ends some time", () => {
        for (const [name, job] of Object.entries(workflow.jobs)) assert.ok(job["timeout-minutes"], name);
      });
    });
  }
});
