import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type Document, isNode, LineCounter, parseAllDocuments } from "yaml";
import type { SourcePlace } from "./plan";
import { FileReference, isPlainRecord, type PlannedRecord, type PlannedValue, revealed, unknown } from "./values";

/** Why the objects of a component cannot be told here. */
export class NotRendered extends Error {}

/** A Kubernetes object that a component makes from a file, a chart or a folder. */
export interface RenderedObject {
  object: PlannedRecord;
  /** Where a value of it stands: the keys from the top of the object. Undefined where the object comes from no file of the project. */
  placeOf?: (keys: readonly (string | number)[]) => SourcePlace | undefined;
}

/** Components of the Kubernetes provider that run in its plugin, with what renders them here. */
const renderers: Readonly<Record<string, (inputs: PlannedRecord, name: string) => RenderedObject[]>> = {
  "kubernetes:yaml/v2:ConfigFile": ({ file }) => objectsInFile(textOf(file, "file")),
  "kubernetes:yaml/v2:ConfigGroup": inputs => [
    ...textsOf(inputs.files, "files").flatMap(filesNamed).flatMap(objectsInFile),
    ...textsOf(inputs.yaml, "yaml").flatMap(text => objectsIn(text)),
    ...listOf(inputs.objs, "objs")
      .filter(isPlainRecord)
      .flatMap(flattened)
      .map(object => ({ object })),
  ],
  "kubernetes:kustomize/v2:Directory": ({ directory }) => kustomized(textOf(directory, "directory")),
  "kubernetes:helm.sh/v4:Chart": (inputs, name) => templated(inputs, name),
};

/** Whether a component of this type is rendered here, as its plugin would. */
export function isRendered(type: string): boolean {
  return Object.hasOwn(renderers, type);
}

/**
 * The objects that a component of the Kubernetes provider makes.
 * @throws NotRendered when its inputs are not known yet, a file is not at hand, or a program that renders it is not installed
 */
export function render(type: string, inputs: PlannedRecord, name: string): RenderedObject[] {
  return renderers[type]!(inputs, name);
}

/** What the provider calls such an object: `<prefix>:<namespace>/<name>`. */
export function nameOfRendered(object: PlannedRecord, prefix: string): string {
  const metadata = isPlainRecord(object.metadata) ? object.metadata : {};
  const namespace = typeof metadata.namespace === "string" ? `${metadata.namespace}/` : "";
  return `${prefix}:${namespace}${typeof metadata.name === "string" ? metadata.name : ""}`;
}

/** `apps/v1` and `StatefulSet` are `kubernetes:apps/v1:StatefulSet`. */
export function typeOfRendered({ apiVersion, kind }: PlannedRecord): string {
  const version = typeof apiVersion === "string" ? apiVersion : "v1";
  return `kubernetes:${version.includes("/") ? version : `core/${version}`}:${typeof kind === "string" ? kind : ""}`;
}

function textOf(value: PlannedValue | undefined, input: string): string {
  const plain = value === undefined ? undefined : revealed(value);
  if (plain === unknown) throw new NotRendered(`${input} is decided during the update`);
  if (typeof plain !== "string") throw new NotRendered(`${input} is no text`);
  return plain;
}

function listOf(value: PlannedValue | undefined, input: string): PlannedValue[] {
  const plain = value === undefined ? [] : revealed(value);
  if (plain === unknown) throw new NotRendered(`${input} is decided during the update`);
  return Array.isArray(plain) ? plain : plain === null ? [] : [plain];
}

function textsOf(value: PlannedValue | undefined, input: string): string[] {
  return listOf(value, input).map(item => textOf(item, input));
}

/** A file, or those that a pattern with `*` in its last part names. */
function filesNamed(pattern: string): string[] {
  const last = basename(pattern);
  if (!/[*?]/.test(last)) return [pattern];
  const folder = dirname(pattern);
  if (/[*?]/.test(folder) || !existsSync(folder)) throw new NotRendered(`${pattern} names no folder at hand`);
  const parts = last
    .replaceAll(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", "[^/]*")
    .replaceAll("?", "[^/]");
  const shape = new RegExp(`^${parts}$`);
  return readdirSync(folder)
    .filter(name => shape.test(name))
    .sort()
    .map(name => join(folder, name));
}

function objectsInFile(file: string): RenderedObject[] {
  if (/^https?:\/\//.test(file)) throw new NotRendered(`${file} is not at hand`);
  if (!existsSync(file) || !statSync(file).isFile()) throw new NotRendered(`${file} is no file here`);
  return objectsIn(readFileSync(file, "utf8"), file);
}

/** The objects of YAML documents, those of lists one by one. */
export function objectsIn(text: string, file?: string): RenderedObject[] {
  const lines = new LineCounter();
  return parseAllDocuments(text, { lineCounter: lines }).flatMap(document => {
    const [fault] = document.errors;
    if (fault) throw new NotRendered(`${file ?? "the YAML"} is no YAML: ${fault.message.split("\n")[0]}`);
    const object = document.toJS({ maxAliasCount: 1000 }) as PlannedValue;
    if (!isPlainRecord(object)) return [];
    const isList = flattened(object)[0] !== object;
    return flattened(object).map((one, index) => ({
      object: one,
      ...(file !== undefined && {
        placeOf: (keys: readonly (string | number)[]) =>
          placeIn(document, lines, file, isList ? ["items", index, ...keys] : keys),
      }),
    }));
  });
}

/** The line of a value, or of the closest thing around it that is there. */
function placeIn(
  document: Document,
  lines: LineCounter,
  file: string,
  keys: readonly (string | number)[],
): SourcePlace {
  for (let depth = keys.length; depth >= 0; depth--) {
    const node = depth === 0 ? document.contents : document.getIn(keys.slice(0, depth), true);
    if (isNode(node) && node.range) return { file, line: lines.linePos(node.range[0]).line };
  }
  return { file, line: 1 };
}

function flattened(object: PlannedRecord): PlannedRecord[] {
  const isList = typeof object.kind === "string" && object.kind.endsWith("List") && Array.isArray(object.items);
  if (isList) return (object.items as PlannedValue[]).filter(isPlainRecord).flatMap(flattened);
  return typeof object.kind === "string" ? [object] : [];
}

/** Rendering takes longer where a chart has to be fetched first. Milliseconds. */
const longestRendering = 60_000;

function run(command: string, args: readonly string[], input = ""): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    input,
    encoding: "utf8",
    timeout: longestRendering,
    maxBuffer: 64 * 1024 ** 2,
  });
  if (error && "code" in error && error.code === "ENOENT") throw new NotRendered(`${command} is not installed here`);
  if (error || status !== 0) throw new NotRendered(`${command} fails: ${firstLine(stderr) || error?.message}`);
  return stdout;
}

function firstLine(text: string | null): string {
  return (text ?? "").trim().split("\n")[0] ?? "";
}

function kustomized(directory: string): RenderedObject[] {
  if (!existsSync(directory)) throw new NotRendered(`${directory} is no folder here`);
  try {
    return objectsIn(run("kustomize", ["build", directory]));
  } catch (error) {
    if (!(error instanceof NotRendered) || !error.message.includes("not installed")) throw error;
    return objectsIn(run("kubectl", ["kustomize", directory]));
  }
}

/** A chart as `helm template` renders it, which is what the provider does too. */
function templated(inputs: PlannedRecord, name: string): RenderedObject[] {
  const option = (flag: string, input: string) =>
    inputs[input] === undefined || inputs[input] === null ? [] : [flag, textOf(inputs[input], input)];
  const repository = isPlainRecord(inputs.repositoryOpts) ? inputs.repositoryOpts : {};
  const values = inputs.values === undefined ? {} : plainValues(inputs.values);
  const files = listOf(inputs.valueYamlFiles, "valueYamlFiles").flatMap(file => {
    const source = file instanceof FileReference ? file.source.path : undefined;
    if (typeof source !== "string") throw new NotRendered("valueYamlFiles holds no file of this folder");
    return ["--values", source];
  });
  const args = [
    "template",
    typeof inputs.name === "string" ? inputs.name : name,
    textOf(inputs.chart, "chart"),
    ...option("--namespace", "namespace"),
    ...option("--version", "version"),
    ...(typeof repository.repo === "string" ? ["--repo", repository.repo] : []),
    ...files,
    "--values",
    "-",
    ...(inputs.skipCrds === true ? [] : ["--include-crds"]),
  ];
  return objectsIn(run("helm", args, JSON.stringify(values)));
}

function plainValues(values: PlannedValue): PlannedValue {
  const plain = revealed(values);
  if (holdsUnknown(plain)) throw new NotRendered("values holds a value that is decided during the update");
  return plain;
}

function holdsUnknown(value: PlannedValue): boolean {
  if (value === unknown) return true;
  if (Array.isArray(value)) return value.some(holdsUnknown);
  return isPlainRecord(value) && Object.values(value).some(holdsUnknown);
}
