// Lets Node load the project's TypeScript, and nothing but that: what is JavaScript already is left to Node.
import Module from "node:module";
import process from "node:process";
import { register } from "tsx/cjs/api";

const loadJavaScript = Module._extensions[".js"];
const sourceMaps = process.sourceMapsEnabled;
register();
// Looking into each of the SDKs' thousand files, and keeping a map of every line, would double the time of a plan.
Module._extensions[".js"] = loadJavaScript;
process.setSourceMapsEnabled(sourceMaps);
