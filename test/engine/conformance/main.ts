import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parseArgs } from "node:util";
import { Lab } from "./lab";
import { sections } from "./sections";
import { installSimulation } from "./simulation";

const usage = `npm run conformance -- [--engine FOLDER] [--only TEXT]... [--without-model]
Runs each test against the simulated engine and against the one in FOLDER, which has bin/mariadbd and scripts/mariadb-install-db.`;

/** A test may take so long. Milliseconds. */
const patience = 180_000;

type Verdict = "yes" | "no" | "-";

async function verdict(
  prefix: string | undefined,
  run: (lab: Lab) => Promise<void>,
  failures: string[],
): Promise<Verdict> {
  if (prefix === undefined) return "-";
  const lab = await Lab.open(prefix);
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`took more than ${patience / 1000} s`)), patience);
  });
  try {
    await Promise.race([run(lab), tooLong]);
    return "yes";
  } catch (error) {
    failures.push(error instanceof Error ? error.message : String(error));
    return "no";
  } finally {
    clearTimeout(timer);
    await lab.close();
  }
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      engine: { type: "string" },
      only: { type: "string", multiple: true },
      "without-model": { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  if (values.help) {
    console.log(usage);
    return 0;
  }
  if (values.engine !== undefined && !fs.existsSync(path.join(values.engine, "bin/mariadbd"))) {
    console.error(`--engine ${values.engine} has no bin/mariadbd.\n${usage}`);
    return 2;
  }
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "simulation-"));
  const model = values["without-model"] ? undefined : await installSimulation(folder);
  let differences = 0;
  console.log("| the engine | model | engine |\n| --- | --- | --- |");
  for (const { section, tests } of sections) {
    for (const { title, run } of tests) {
      if (values.only && !values.only.some(text => `${section}: ${title}`.includes(text))) continue;
      const failures: string[] = [];
      const ofModel = await verdict(model, run, failures);
      const ofEngine = await verdict(values.engine, run, failures);
      if (ofModel === "no" || ofEngine === "no") differences++;
      console.log(`| ${section}: ${title} | ${ofModel} | ${ofEngine} |`);
      for (const failure of failures) console.error(failure.replaceAll(/^/gm, "    "));
    }
  }
  fs.rmSync(folder, { recursive: true, force: true });
  return differences === 0 ? 0 : 1;
}

void main().then(code => process.exit(code));
