import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Version of the Pulumi command line on the path; undefined where there is none. */
export function pulumiVersion(): string | undefined {
  const { status, stdout } = spawnSync("pulumi", ["version"], { encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
}

/** Where each provider's plugin comes from, so that a run's output says what it proves. @param path folders as in PATH */
export function pluginsOn(path: string, providers: readonly string[]): string[] {
  return providers.map(provider => {
    const file = path
      .split(delimiter)
      .map(folder => join(folder, `pulumi-resource-${provider}`))
      .find(candidate => existsSync(candidate));
    return `${provider}: ${file ?? "not on the path, so of Pulumi's own plugins"}`;
  });
}
