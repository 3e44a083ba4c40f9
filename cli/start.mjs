// Starts the command line from its TypeScript sources: `npm start` needs no build.
import Module, { createRequire } from "node:module";
import process from "node:process";
import { register } from "tsx/cjs/api";

const loadJavaScript = Module._extensions[".js"];
const sourceMaps = process.sourceMapsEnabled;
register();
// The SDKs are JavaScript already: looking into each of their files, and keeping a map of every line, would double the time of a plan.
Module._extensions[".js"] = loadJavaScript;
process.setSourceMapsEnabled(sourceMaps);

createRequire(import.meta.url)("./main.ts");
