// Runs all benchmarks, or those whose description matches the first argument.
import { readdirSync } from "node:fs";
import process from "node:process";
import { fileURLToPath, URL } from "node:url";
import Mocha from "mocha";
import "../../cli/typescript.mjs";

const folder = fileURLToPath(new URL(".", import.meta.url));
const mocha = new Mocha({ timeout: 30 * 60_000 });
for (const file of readdirSync(folder).filter(name => name.endsWith(".benchmark.ts"))) mocha.addFile(folder + file);
if (process.argv[2]) mocha.grep(process.argv[2]);
mocha.run(failures => process.exit(failures > 0 ? 1 : 0));
