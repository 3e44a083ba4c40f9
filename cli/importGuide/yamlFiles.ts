import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { isNode, LineCounter, parseAllDocuments } from "yaml";
import { isRecord, type PlainResource, plainResource } from "../../policy/model/resource";
import { Refused } from "../live/surroundings";

/** A Kubernetes object, and where it was written. */
export interface ManifestObject {
  resource: PlainResource;
  /** `StatefulSet tidesql-primary`. */
  title: string;
  /** `primary.yaml:34`. */
  place: string;
}

/** Larger files are data, not manifests. Bytes. */
const largestFile = 8 * 1024 * 1024;

/**
 * Every object in the YAML files of a folder and the folders below it, or in one file; of a List, its items.
 * @throws Refused when a file cannot be read or is no YAML, with its name and the line
 */
export function readManifests(path: string): ManifestObject[] {
  const isFolder = statOf(path).isDirectory();
  const files = isFolder
    ? readdirSync(path, { recursive: true, encoding: "utf8" })
        .filter(file => /\.ya?ml$/.test(file) && !/(^|[\\/])(node_modules|\.git)[\\/]/.test(file))
        .sort()
        .map(file => join(path, file))
    : [path];
  if (files.length === 0) throw new Refused(`There is no .yaml or .yml file in ${path}.`);
  return files.flatMap(file => objectsIn(file, isFolder ? relative(path, file) : file));
}

function objectsIn(file: string, shownFile: string): ManifestObject[] {
  if (statOf(file).size > largestFile) throw new Refused(`${file} has more than 8 MiB: that is no manifest.`);
  const lines = new LineCounter();
  const text = readFileSync(file, "utf8");
  const documents = parseAllDocuments(text, { lineCounter: lines, logLevel: "error" });
  return [...documents].flatMap(document => {
    const [error] = document.errors;
    if (error) throw new Refused(`${file}:${error.linePos?.[0].line ?? 1}: ${firstLine(error.message)}`);
    const line = isNode(document.contents) ? lines.linePos(document.contents.range?.[0] ?? 0).line : 1;
    const value = plainValueOf(() => document.toJS({ maxAliasCount: 100 }) as unknown, `${file}:${line}`);
    return itemsOf(value).map((item, index) => objectOf(item, `${shownFile}:${line}`, index));
  });
}

/** An empty document, as behind a last `---`, is nothing. */
function itemsOf(value: unknown): unknown[] {
  if (value === null || value === undefined) return [];
  return isRecord(value) && /List$/.test(String(value.kind)) && Array.isArray(value.items) ? value.items : [value];
}

function objectOf(value: unknown, place: string, index: number): ManifestObject {
  const object = isRecord(value) ? value : {};
  const metadata = isRecord(object.metadata) ? object.metadata : {};
  // `kind: {{ .Values.kind }}` is YAML, of a map in a map.
  if ([object.kind, object.apiVersion, metadata.name].some(isRecord)) {
    throw new Refused(`${place}: is a template: render it first (helm template)`);
  }
  const kind = typeof object.kind === "string" && /^\w+$/.test(object.kind) ? object.kind : "Unknown";
  const apiVersion = typeof object.apiVersion === "string" ? object.apiVersion : "v1";
  const name = typeof metadata.name === "string" ? metadata.name : "without a name";
  const group = apiVersion.includes("/") ? apiVersion : `core/${apiVersion}`;
  const raw = { type: `kubernetes:${group}:${kind}`, name, urn: `${place}#${index}`, inputs: object };
  return {
    resource: plainResource(raw),
    title: kind === "Unknown" ? "an object without a kind" : `${kind} ${name}`,
    place,
  };
}

function plainValueOf(read: () => unknown, place: string): unknown {
  try {
    return read();
  } catch (error) {
    throw new Refused(`${place}: ${firstLine((error as Error).message)}`);
  }
}

function statOf(path: string) {
  try {
    return statSync(path);
  } catch (error) {
    throw new Refused((error as Error).message);
  }
}

function firstLine(message: string): string {
  return (message.split("\n")[0] ?? message).replace(/ at line \d+, column \d+:?$/, "");
}
