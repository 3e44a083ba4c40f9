// Loads the Pulumi SDKs that the program of a plan loads, and nothing else.
import { createRequire } from "node:module";
import process from "node:process";

const require = createRequire(import.meta.url);
for (const name of process.argv.slice(2)) require(name);
