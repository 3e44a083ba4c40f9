import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { PlannedResource } from "../../cli/planner/plan";
import { readConfiguration, readProject } from "../../cli/planner/project";
import { Secret } from "../../cli/planner/values";
import { Engine } from "../plugin/engine";

/** How a program ended that was started as Pulumi starts it. */
export interface Started {
  /** 0: as it should. 32: with an error that Pulumi shows. */
  exitCode: number | null;
  resources: PlannedResource[];
  /** What Pulumi would show. */
  logged: string[];
}

/** Pulumi's own launcher of a Node.js program. */
const launcher = path.join(path.dirname(require.resolve("@pulumi/pulumi/package.json")), "cmd/run");

/**
 * Starts a project's program as Pulumi's language host for Node.js does for a preview of a stack that is not there yet: its launcher, its working folder, its environment. The engine behind it is the planner's.
 * @param config replaces the stack's, with full keys; secrets as `Secret`
 */
export async function startProgram(
  directory: string,
  stack: string,
  config: Record<string, string | Secret> = {},
  run: "preview" | "update" = "preview",
): Promise<Started> {
  const project = readProject(directory);
  const engine = await Engine.start(project.name, stack);
  try {
    const { folder, entry } = programOf(directory, project.main);
    const settings = { ...readConfiguration(project, stack), ...config };
    const place = ["--project", project.name, "--root-directory", directory, "--stack", stack, "--pwd", folder];
    const program = spawn(
      process.execPath,
      [
        launcher,
        "--monitor",
        engine.address,
        "--engine",
        engine.address,
        ...place,
        ...(run === "preview" ? ["--dry-run"] : []),
        "--parallel",
        "16",
        entry,
      ],
      { cwd: folder, env: { ...inherited(), ...optionsOf(directory), ...configuration(settings) }, stdio: "pipe" },
    );
    const output: string[] = [];
    for (const stream of [program.stdout, program.stderr]) stream.on("data", text => output.push(String(text)));
    const [exitCode] = (await once(program, "close")) as [number | null];
    return { exitCode, resources: [...engine.monitor.resources.values()], logged: [...engine.logged, ...output] };
  } finally {
    engine.stop();
  }
}

/** The program's folder and file: with `main` naming a file, its folder is where the program runs. */
function programOf(directory: string, main: string | undefined): { folder: string; entry: string } {
  const full = path.resolve(directory, main ?? ".");
  return statSync(full).isDirectory()
    ? { folder: full, entry: "." }
    : { folder: path.dirname(full), entry: path.basename(full) };
}

/** What the shell would pass on, without what may have been set for the tests' own process. */
function inherited(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(PULUMI_|NODE_OPTIONS|TS_NODE)/.test(name)),
  );
}

/** The runtime's options of Pulumi.yaml. */
function optionsOf(directory: string): NodeJS.ProcessEnv {
  const { runtime } = parse(readFileSync(path.join(directory, "Pulumi.yaml"), "utf8")) as {
    runtime: string | { options?: { tsconfig?: string } };
  };
  const tsconfig = typeof runtime === "string" ? undefined : runtime.options?.tsconfig;
  return { PULUMI_NODEJS_TYPESCRIPT: "true", ...(tsconfig !== undefined && { PULUMI_NODEJS_TSCONFIG_PATH: tsconfig }) };
}

function configuration(settings: Record<string, unknown>): NodeJS.ProcessEnv {
  const secretKeys = Object.keys(settings).filter(key => settings[key] instanceof Secret);
  const plain = Object.entries(settings).map(([key, value]): [string, string] => {
    const inner = value instanceof Secret ? value.reveal() : value;
    return [key, typeof inner === "string" ? inner : JSON.stringify(inner)];
  });
  return {
    PULUMI_CONFIG: JSON.stringify(Object.fromEntries(plain)),
    PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(secretKeys),
  };
}
