import { existsSync, statSync, readFileSync, realpathSync } from "node:fs";
import Module, { createRequire } from "node:module";
import { dirname, extname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { PlanError } from "./planError";
import type { Project } from "./project";
import { mapProgramLines } from "./stackTraces";

/** The program of a project, found but not yet run. */
export interface Program {
  /** Path of its main module. */
  entry: string;
  /** Where it runs: relative paths in it count on that. */
  directory: string;
  /** Runs it, and returns the stack's outputs. It can be run again in the same process. */
  run: () => Promise<unknown>;
}

/**
 * Finds the program that `pulumi up` would run. `main` of Pulumi.yaml may be a file or a folder; in a folder the entry point of the nearest package.json comes
 * first, and then `index`.
 * @throws PlanError when there is none
 */
export function findProgram(project: Project): Program {
  const main = resolve(project.directory, project.main ?? ".");
  if (isAbsolute(project.main ?? "") || relative(project.directory, main).startsWith("..")) {
    throw new PlanError(`Pulumi.yaml names the program ${project.main}: it has to be in the project's folder.`);
  }
  if (!existsSync(main)) {
    throw new PlanError(`Pulumi.yaml names the program ${project.main}, and there is no such file or folder.`);
  }
  const isFolder = statSync(main).isDirectory();
  const folder = isFolder ? main : dirname(main);
  const manifest = nearestManifest(folder);
  const entry = isFolder ? entryOfFolder(main, manifest) : main;
  return { entry, directory: folder, run: () => load(entry, manifest) };
}

interface Manifest {
  directory: string;
  type?: unknown;
  main?: unknown;
  exports?: unknown;
}

const requireHere = createRequire(__filename);

function entryOfFolder(folder: string, manifest: Manifest | undefined): string {
  const declared = manifest && declaredEntry(manifest);
  if (declared !== undefined) {
    const path = join(manifest?.directory ?? folder, declared);
    if (existsSync(path)) return statSync(path).isDirectory() ? indexOf(path) : path;
  }
  return indexOf(folder);
}

function declaredEntry({ exports, main }: Manifest): string | undefined {
  if (typeof exports === "string") return exports;
  if (isRecord(exports)) {
    const root = exports["."];
    const target = isRecord(root) ? (root.default ?? root.require ?? root.import) : root;
    return typeof target === "string" ? target : undefined;
  }
  return typeof main === "string" ? main : undefined;
}

function indexOf(folder: string): string {
  const index = [".js", ".ts", ".mjs", ".mts", ".cjs", ".cts"].map(end => join(folder, `index${end}`)).find(existsSync);
  if (index === undefined)
    throw new PlanError(`There is no index.ts or index.js in ${folder}: name the program in Pulumi.yaml as "main".`);
  return index;
}

async function load(entry: string, manifest: Manifest | undefined): Promise<unknown> {
  const isTypeScript = /^\.[cm]?ts$/.test(extname(entry));
  const isModule =
    /^\.m[tj]s$/.test(extname(entry)) || (manifest?.type === "module" && !/^\.c[tj]s$/.test(extname(entry)));
  if (isTypeScript) registerTypeScript(dirname(entry), isModule);
  mapProgramLines();
  const exported = isModule ? await importModule(entry) : requireAnew(entry);
  return typeof exported === "function" ? (exported as () => unknown)() : exported;
}

async function importModule(entry: string): Promise<unknown> {
  const exported = (await import(pathToFileURL(realpathSync(entry)).href)) as Record<string, unknown>;
  return "default" in exported ? exported.default : exported;
}

/** A program does its work while it is loaded: whatever it brings in besides installed packages is forgotten afterwards, so that it can be planned again. */
function requireAnew(entry: string): unknown {
  const before = new Set(Object.keys(require.cache));
  Reflect.deleteProperty(require.cache, entry);
  try {
    return createRequire(entry)(entry) as unknown;
  } finally {
    for (const path of Object.keys(require.cache)) {
      if (!before.has(path) && !path.includes(`${sep}node_modules${sep}`)) Reflect.deleteProperty(require.cache, path);
    }
  }
}

/** True when TypeScript can be loaded: from the start when this very file was. */
let isTypeScriptRegistered = __filename.endsWith(".ts");

/**
 * Lets Node load TypeScript: through tsx where the project or this package has it, else through ts-node as `pulumi up` does. Types are not checked: that is the
 * compiler's work, and a plan should take a second.
 */
function registerTypeScript(folder: string, isModule: boolean): void {
  if (isTypeScriptRegistered && !isModule) return;
  const requireFromProject = createRequire(join(folder, "program.js"));
  const api = isModule ? "tsx/esm/api" : "tsx/cjs/api";
  const tsx = [requireFromProject, requireHere].map(from => tryResolve(from, api)).find(path => path !== undefined);
  if (tsx !== undefined) {
    registerTsx(tsx);
  } else if (isModule) {
    throw new PlanError(
      "The program is an ES module in TypeScript, and nothing here can load one. Install tsx: npm install --save-dev tsx",
    );
  } else {
    registerTsNode(requireFromProject);
  }
  isTypeScriptRegistered = true;
}

function registerTsx(path: string): void {
  const { _extensions } = Module as unknown as { _extensions: NodeJS.RequireExtensions };
  const loadJavaScript = _extensions[".js"];
  const sourceMaps = process.sourceMapsEnabled;
  (requireHere(path) as { register: () => void }).register();
  // The SDKs are JavaScript already: looking into each of their files, and keeping a map of every line, would double the time of a plan.
  if (loadJavaScript) _extensions[".js"] = loadJavaScript;
  process.setSourceMapsEnabled(sourceMaps);
}

function registerTsNode(requireFromProject: NodeJS.Require): void {
  const vendored = dirname(requireFromProject.resolve("@pulumi/pulumi/package.json"));
  const tsNode = tryResolve(requireFromProject, "ts-node") ?? join(vendored, "vendor", "ts-node@7.0.1");
  const compiler =
    tryResolve(requireFromProject, "typescript") ?? join(vendored, "vendor", "typescript@3.8.3", "typescript.js");
  const { version } = requireHere(compiler) as { version: string };
  const [major = 0, minor = 0] = version.split(".").map(Number);
  // As Pulumi chooses them. TypeScript 6 refuses the older resolution.
  const knowsNodeNext = major > 4 || (major === 4 && minor >= 7);
  const compilerOptions = {
    target: "es2020",
    module: knowsNodeNext ? "nodenext" : "commonjs",
    moduleResolution: knowsNodeNext ? "nodenext" : "node",
    esModuleInterop: true,
    sourceMap: true,
  };
  const { register } = requireHere(tsNode) as { register: (options: object) => void };
  register({ transpileOnly: true, skipProject: true, compiler, compilerOptions });
}

function tryResolve(from: NodeJS.Require, name: string): string | undefined {
  try {
    return from.resolve(name);
  } catch {
    return undefined;
  }
}

function nearestManifest(folder: string): Manifest | undefined {
  for (let at = folder; ; at = dirname(at)) {
    const path = join(at, "package.json");
    if (existsSync(path)) return { ...(JSON.parse(readFileSync(path, "utf8")) as object), directory: at };
    if (at === dirname(at)) return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
