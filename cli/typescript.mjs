// Lets Node load the project's TypeScript, and nothing but that: what is JavaScript already is left to Node.
import Module from "node:module";
import path from "node:path";
import process from "node:process";
import { register } from "tsx/cjs/api";

const { _extensions, _resolveFilename } = Module;
const loadJavaScript = _extensions[".js"];
const sourceMaps = process.sourceMapsEnabled;
register();
// Looking into each of the SDKs' thousand files, looking for a TypeScript file beside each, and keeping a map of every line, would double the time of a plan.
_extensions[".js"] = loadJavaScript;
const ownSources = path.join(import.meta.dirname, "../index.ts");
// The examples import this package by its name, as installed: here it is the sources.
Module._resolveFilename = (request, ...others) =>
  _resolveFilename(request === "pulumi-tidesql" ? ownSources : request, ...others);
process.setSourceMapsEnabled(sourceMaps);
