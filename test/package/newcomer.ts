import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type CodeBlock, codeBlocksOf } from "./readme";

const checkout = path.join(__dirname, "../..");

/** How a shell's commands ended. */
export interface Ran {
  /** Standard output. */
  output: string;
  /** Standard error. */
  errors: string;
}

/**
 * A person who follows README.md: a fresh clone of what is committed here, a TypeScript project beside it, and a shell for both. All of it is in one temporary folder.
 */
export class Newcomer {
  readonly folder = mkdtempSync(path.join(tmpdir(), "tidesql-newcomer-"));
  readonly clone = path.join(this.folder, "pulumi-tidesql");
  /** As `pulumi new typescript` makes it. */
  readonly project = path.join(this.folder, "shop");
  private readonly blocks: CodeBlock[] = [];
  private readonly tried = new Set<CodeBlock>();

  private constructor() {}

  /**
   * Clones, and makes the project. The clone gets this checkout's `node_modules` by link, which hold what `npm ci` would install from the network again; with NEWCOMER_INSTALL=1 the
   * first command installs them.
   */
  static async arrive(): Promise<Newcomer> {
    const newcomer = new Newcomer();
    process.once("exit", () => rmSync(newcomer.folder, { recursive: true, force: true }));
    await newcomer.shell(newcomer.folder, `git -c safe.directory='*' clone --quiet "${checkout}" pulumi-tidesql`);
    if (process.env.NEWCOMER_INSTALL !== "1") {
      symlinkSync(path.join(checkout, "node_modules"), path.join(newcomer.clone, "node_modules"), "dir");
      await newcomer.shell(newcomer.clone, "npm run prepare");
    }
    newcomer.blocks.push(...codeBlocksOf(path.join(newcomer.clone, "README.md")));
    newcomer.makeProject();
    return newcomer;
  }

  private makeProject(): void {
    const { packages } = JSON.parse(readFileSync(path.join(checkout, "package-lock.json"), "utf8")) as {
      packages: Record<string, { version: string } | undefined>;
    };
    // The locked version is in npm's cache.
    const typescript = packages["node_modules/typescript"]?.version;
    const manifest = { name: "shop", main: "index.ts", private: true, devDependencies: { typescript } };
    const compilerOptions = {
      strict: true,
      target: "es2020",
      module: "node16",
      moduleResolution: "node16",
      skipLibCheck: true,
    };
    mkdirSync(this.project);
    this.write("package.json", JSON.stringify(manifest));
    this.write("tsconfig.json", JSON.stringify({ compilerOptions, files: ["index.ts"] }));
    this.write("Pulumi.yaml", "name: shop\nruntime: nodejs\n");
    this.write("Pulumi.dev.yaml", "config:\n  aws:region: us-east-1\n");
  }

  /** Writes a file of the project. */
  write(file: string, text: string): void {
    writeFileSync(path.join(this.project, file), text);
  }

  /**
   * A block of README, word for word. It counts as tried from now on.
   * @param language what stands behind its fence
   * @param says what tells it from the others
   */
  block(language: string, says: RegExp): string {
    const found = this.blocks.find(block => block.language === language && says.test(block.text));
    assert.ok(found, `README has no ${language} block with ${String(says)}`);
    this.tried.add(found);
    return found.text;
  }

  /** What of README nobody has tried yet. */
  untriedBlocks(): string[] {
    return this.blocks.filter(block => !this.tried.has(block)).map(({ text }) => text);
  }

  /**
   * Runs commands as a login shell would: without what this run has set for itself, and with the Node that it runs on.
   * @throws AssertionError with all output when one fails
   */
  async shell(directory: string, commands: string): Promise<Ran> {
    const child = spawn("bash", ["-euo", "pipefail", "-c", commands], {
      cwd: directory,
      env: surroundings(),
      stdio: ["ignore", "pipe", "pipe"],
    });
    const ran: Ran = { output: "", errors: "" };
    child.stdout.on("data", text => (ran.output += String(text)));
    child.stderr.on("data", text => (ran.errors += String(text)));
    const [code] = (await once(child, "close")) as [number | null];
    assert.equal(code, 0, `${commands}\n${ran.output}\n${ran.errors}`);
    return ran;
  }
}

/** The environment without npm's, Pulumi's and the checkout's. npm takes from its cache what is there. */
function surroundings(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^(npm_|PULUMI_|KUBECONFIG$|NODE_OPTIONS$)/i.test(name));
  const folders = (process.env.PATH ?? "").split(path.delimiter).filter(folder => !folder.includes("node_modules"));
  return {
    ...Object.fromEntries(own),
    PATH: [path.dirname(process.execPath), ...folders].join(path.delimiter),
    npm_config_prefer_offline: "true",
    npm_config_audit: "false",
    npm_config_fund: "false",
  };
}

let arrived: Promise<Newcomer> | undefined;

/** The one newcomer of a run, gone with its process, whose package other tests look at: packing and installing take most of the time. */
export function newcomer(): Promise<Newcomer> {
  arrived ??= Newcomer.arrive();
  return arrived;
}

let packed: Promise<Packed> | undefined;

/** The package as a consumer has it. */
export interface Packed {
  newcomer: Newcomer;
  /** Paths in the tarball. */
  files: string[];
  /** Folder of the installed package. */
  installed: string;
}

/** Packs the package in the clone, and installs it in the project, with README's commands. */
export function packedPackage(): Promise<Packed> {
  packed ??= pack();
  return packed;
}

async function pack(): Promise<Packed> {
  const person = await newcomer();
  const { output } = await person.shell(person.clone, person.block("sh", /npm run package/));
  const tarball = /^(\/.+\.tgz): /m.exec(output)?.[1];
  assert.ok(tarball, output);
  const { output: files } = await person.shell(person.folder, `tar -tzf "${tarball}"`);
  await person.shell(person.project, person.block("sh", /^npm install \S+\.tgz$/m));
  const installed = path.join(person.project, "node_modules/pulumi-tidesql");
  return {
    newcomer: person,
    files: files
      .trim()
      .split("\n")
      .map(file => file.replace(/^package\//, "")),
    installed,
  };
}
