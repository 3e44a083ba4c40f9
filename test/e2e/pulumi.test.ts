import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "./command";
import { Deployment } from "./deployment";
import { environment } from "./environment";
import { localDeployment, plainConfiguration, projectFolder, secretConfiguration } from "./localStack";

/** The stack of this test. Its settings are a copy of the local stack's; its state is in a temporary folder. */
const stack = "e2e";

/** `pulumi up` waits until every pod is ready. Seconds. */
const updateSeconds = 600;

const title = "the local stack with the Pulumi command line";
if (spawnSync("pulumi", ["version"]).status === 0) describe(title, suite);
else console.log(`${title} (up, refresh, destroy): not run, since pulumi is not on the path`);

function suite(this: Mocha.Suite) {
  this.bail(true);
  this.timeout((updateSeconds + 60) * 1000);
  const settings = join(projectFolder, `Pulumi.${stack}.yaml`);
  const state = mkdtempSync(join(tmpdir(), "tidesql-pulumi-"));
  const name = `pulumi-${randomBytes(3).toString("hex")}`;
  let deployment: Deployment;

  const pulumi = (args: string[], input?: string) =>
    run("pulumi", [...args, "--stack", stack, "--non-interactive"], {
      directory: projectFolder,
      deadlineSeconds: updateSeconds,
      environment: {
        PULUMI_BACKEND_URL: `file://${state}`,
        PULUMI_CONFIG_PASSPHRASE: "end to end",
        PULUMI_SKIP_UPDATE_CHECK: "true",
        KUBECONFIG: deployment.kubernetes.kubeconfig,
      },
      ...(input !== undefined && { input }),
    });

  before("make the stack", async () => {
    const prepared = await environment();
    deployment = localDeployment(prepared, name);
    copyFileSync(join(projectFolder, "Pulumi.local.yaml"), settings);
    await pulumi(["stack", "init", stack]);
    for (const [key, value] of Object.entries(plainConfiguration(prepared, name, {}))) {
      await pulumi(["config", "set", key, value]);
    }
    for (const [key, value] of Object.entries(secretConfiguration(prepared))) {
      await pulumi(["config", "set", "--secret", key], value);
    }
  });

  after("remove the stack's settings and state", () => {
    rmSync(settings, { force: true });
    rmSync(state, { recursive: true, force: true });
  });

  it("creates a database that takes writes", async () => {
    await pulumi(["up", "--yes", "--skip-preview"]);
    await deployment.healthy(120);
    const table = `${deployment.options.database}.written`;
    await deployment.query("primary", `CREATE TABLE ${table} (id BIGINT NOT NULL PRIMARY KEY)`);
    await deployment.query("primary", `INSERT INTO ${table} (id) VALUES (1)`);
    assert.deepEqual(await deployment.ids("primary", table), [1]);
  });

  it("finds nothing to change in what it created, although the managers label their pods", async () => {
    await pulumi(["refresh", "--yes", "--expect-no-changes"]);
    await pulumi(["up", "--yes", "--expect-no-changes"]);
  });

  it("takes everything away", async () => {
    await pulumi(["destroy", "--yes", "--skip-preview"]);
    const left = await deployment.kubernetes.kubectl(["get", "namespace", name, "--ignore-not-found"]);
    assert.equal(left.trim(), "");
  });
}
