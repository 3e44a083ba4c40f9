import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { installSimulatedCloud, noSimulatedCloud, versionOf } from "../e2e/pulumi/simulatedCloud";
import type { Newcomer } from "./newcomer";

/** Languages whose hosts the newcomer tries. */
export const languages = ["nodejs", "python", "yaml"] as const;
export type Language = (typeof languages)[number];

/** What stands behind the fence of README's program. */
export const fences: Record<Language, string> = { nodejs: "ts", python: "python", yaml: "yaml" };

const programs: Record<Language, string> = { nodejs: "index.ts", python: "__main__.py", yaml: "Pulumi.yaml" };

/** As `pulumi new` makes them. */
const projectFiles: Record<Language, string> = {
  nodejs: "name: shop\nruntime: nodejs\n",
  python: "name: shop\nruntime:\n  name: python\n  options:\n    toolchain: pip\n    virtualenv: venv\n",
  yaml: "name: shop\nruntime: yaml\n",
};

/** Providers that the package depends on. */
const providers = ["aws", "docker", "kubernetes", "random", "tls"];

/** What `pulumi preview` would do. */
export interface Preview {
  /** Types of what would be made, in order. */
  types: string[];
  /** Warnings of programs and components; those of the command line about plugins on the path are left out. */
  warnings: string[];
}

/** A newcomer's project in some language, with the Pulumi command line, its state and plugins in the newcomer's folder, and a simulated cloud where there is one. */
export class PulumiProject {
  private hasStack = false;

  private constructor(
    private readonly person: Newcomer,
    private readonly folder: string,
    private readonly language: Language,
    private readonly environment: string,
  ) {}

  /** The project of the packed package is the TypeScript one; the others are new. */
  static make(person: Newcomer, language: Language): PulumiProject {
    const folder = language === "nodejs" ? person.project : path.join(person.folder, `shop-${language}`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, "Pulumi.yaml"), projectFiles[language]);
    if (language === "python") writeFileSync(path.join(folder, "requirements.txt"), "pulumi>=3,<4\n");
    const home = mkdtempSync(path.join(person.folder, "pulumi-"));
    const plugins = path.join(home, "simulated");
    for (const part of ["simulated", "state", "plugins"]) mkdirSync(path.join(home, part));
    if (noSimulatedCloud === undefined) installSimulatedCloud(plugins);
    const searched = `${plugins}:${process.env.PATH}`;
    for (const provider of providers) findPlugin(provider, searched, home);
    const environment = [
      `export PATH="${plugins}:$PATH" PULUMI_HOME="${home}" PULUMI_BACKEND_URL="file://${home}/state"`,
      "export PULUMI_CONFIG_PASSPHRASE=newcomer PULUMI_SKIP_UPDATE_CHECK=true",
    ].join("\n");
    return new PulumiProject(person, folder, language, environment);
  }

  /** Runs commands in the project. */
  async shell(commands: string): Promise<string> {
    return (await this.person.shell(this.folder, `${this.environment}\n${commands}`)).output;
  }

  /** YAML's program is a part of the project's file. */
  writeProgram(text: string): void {
    const file = path.join(this.folder, programs[this.language]);
    writeFileSync(file, this.language === "yaml" ? `${readFileSync(file, "utf8")}${text}\n` : `${text}\n`);
  }

  /** Replaces a part of the program's text. */
  changeProgram(from: string, to: string): void {
    const file = path.join(this.folder, programs[this.language]);
    writeFileSync(file, readFileSync(file, "utf8").replace(from, to));
  }

  /** `pulumi preview`. @throws with all that it said when it fails */
  async preview(): Promise<Preview> {
    if (!this.hasStack) await this.shell("pulumi stack init newcomer && pulumi config set aws:region us-east-1");
    this.hasStack = true;
    const { steps = [], diagnostics = [] } = JSON.parse(await this.shell("pulumi preview --json")) as {
      steps?: { op: string; newState?: { type: string } }[];
      diagnostics?: { message: string; severity: string }[];
    };
    return {
      types: steps.flatMap(({ op, newState }) => (op === "create" && newState ? [newState.type] : [])),
      warnings: diagnostics
        .filter(({ severity }) => severity === "warning")
        .map(({ message }) => message)
        .filter(message => !/from \$PATH at |the wrong version may be on your path/.test(message)),
    };
  }
}

/** A plugin on the path counts as installed, so that `pulumi package add` does not ask the network for it. */
function findPlugin(provider: string, searched: string, home: string): void {
  const name = `pulumi-resource-${provider}`;
  const found = spawnSync("which", [name], { encoding: "utf8", env: { PATH: searched } }).stdout.trim();
  if (found === "") return;
  const installed = path.join(home, "plugins", `resource-${provider}-v${versionOf(provider)}`);
  mkdirSync(installed);
  symlinkSync(found, path.join(installed, name));
}
