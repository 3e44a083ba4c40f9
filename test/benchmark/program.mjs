// Runs a TypeScript program, named by its path from here, in the way in which the command line is started.
import { createRequire } from "node:module";
import process from "node:process";
import "../../cli/typescript.mjs";

createRequire(import.meta.url)(process.argv.splice(2, 1)[0]);
