import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { projectFolder } from "../localStack";

/** Plugins that stand for AWS, Docker and Kubernetes: any create succeeds, and nothing is checked. */
const cloudFolder = process.env.TIDESQL_CLOUD ?? resolve(projectFolder, "../shared/cloud");

/** Why there is no simulated cloud; undefined where there is one. */
export const noSimulatedCloud = existsSync(join(cloudFolder, "install"))
  ? undefined
  : `there is no simulated cloud at ${cloudFolder}`;

/**
 * Puts the plugins into a folder.
 * @param assignment a variable of theirs: `FAIL=type#N`
 */
export function installSimulatedCloud(plugins: string, assignment = ""): void {
  execFileSync(join(cloudFolder, "install"), [plugins, projectFolder]);
  // The simulated cluster has no API, so what is in it is simulated, too.
  const docker = readFileSync(join(plugins, "pulumi-resource-docker"), "utf8");
  const kubernetes = docker.replace(
    /SIM_PROVIDER=\S+ SIM_VERSION=\S+/,
    `SIM_PROVIDER=kubernetes SIM_VERSION=${versionOf("kubernetes")}`,
  );
  writeFileSync(join(plugins, "pulumi-resource-kubernetes"), kubernetes, { mode: 0o755 });
  for (const file of readdirSync(plugins)) {
    const script = readFileSync(join(plugins, file), "utf8");
    writeFileSync(join(plugins, file), script.replace("export SIM_PROVIDER", `export ${assignment} SIM_PROVIDER`));
  }
}

/** Version of the plugin that a provider's package here asks for. */
export function versionOf(provider: string): string {
  const manifest = join(projectFolder, `node_modules/@pulumi/${provider}/package.json`);
  return (JSON.parse(readFileSync(manifest, "utf8")) as { version: string }).version;
}
