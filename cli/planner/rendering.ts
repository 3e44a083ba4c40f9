import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type Document, isNode, LineCounter, parseAllDocuments } from "yaml";
import { type Chart, kustomized, olderChart, templated } from "./charts";
import { NotRendered } from "./notRendered";
import type { SourcePlace } from "./plan";
import { FileReference, isPlainRecord, type PlannedRecord, type PlannedValue, revealed, unknown } from "./values";

/** A Kubernetes object that a component makes from a file, a chart or a folder. */
export interface RenderedObject {
  object: PlannedRecord;
  /** Where a value of it stands: the keys from the top of the object. Undefined where the object comes from no file of the project. */
  placeOf?: (keys: readonly (string | number)[]) => SourcePlace | undefined;
}

/** A Helm release. The provider keeps its objects to itself; Helm tells them here. */
const releaseType = "kubernetes:helm.sh/v3:Release";

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
  "kubernetes:kustomize/v2:Directory": ({ directory }) => objectsIn(kustomized(textOf(directory, "directory"))),
  "kubernetes:helm.sh/v4:Chart": (inputs, name) => objectsIn(templated(chartOf(inputs, name))),
  [releaseType]: (inputs, name) => objectsIn(templated(chartOf(inputs, name))),
};

/** A call of the provider that answers with objects. */
export interface ProviderAnswer {
  /** The component that asks, where what it makes may stay untold. */
  componentType?: string;
  /** The component's name, where the call has it. */
  name?: string;
  /** @throws NotRendered as `render` does */
  objects: () => PlannedRecord[];
}

const answers: Readonly<Record<string, (given: PlannedRecord) => ProviderAnswer>> = {
  "kubernetes:yaml:decode": ({ text, defaultNamespace }) => ({
    objects: () => plainObjects(typeof text === "string" ? text : "", defaultNamespace),
  }),
  "kubernetes:kustomize:directory": ({ directory }) => ({
    componentType: "kubernetes:kustomize:Directory",
    objects: () => plainObjects(kustomized(textOf(directory, "directory"))),
  }),
  "kubernetes:helm:template": ({ jsonOpts }) => {
    const chart = olderChart(textOf(jsonOpts, "jsonOpts"));
    return {
      componentType: "kubernetes:helm.sh/v3:Chart",
      name: chart.release,
      objects: () => plainObjects(templated(chart), chart.namespace),
    };
  },
};

/** Whether a component of this type asks the provider for its objects. */
export function asksProvider(type: string): boolean {
  return type === "kubernetes:kustomize:Directory" || type === "kubernetes:helm.sh/v3:Chart";
}

/** Whether this function of the provider is answered here. */
export function isAnswered(token: string): boolean {
  return Object.hasOwn(answers, token);
}

/** What the provider answers to a call of it for objects: those of files, folders and charts that the first version of its components makes. */
export function answerOfProvider(token: string, given: PlannedRecord): ProviderAnswer {
  return answers[token]!(given);
}

function plainObjects(text: string, defaultNamespace?: PlannedValue): PlannedRecord[] {
  const objects = objectsIn(text).map(({ object }) => object);
  for (const { metadata } of objects) {
    if (typeof defaultNamespace === "string" && isPlainRecord(metadata)) metadata.namespace ??= defaultNamespace;
  }
  return objects;
}

/** Whether a resource of this type is a release, which makes objects that no program registers. */
export function isRelease(type: string): boolean {
  return type === releaseType;
}

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
  if (typeof plain !== "string") throw new NotRendered(`${input} is not a text`);
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
    if (fault) throw new NotRendered(`${file ?? "the YAML"} is not valid YAML: ${fault.message.split("\n")[0]}`);
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

/** A chart of the fourth kind, or of a release: hooks are left out, values of the program come after those of files. */
function chartOf(inputs: PlannedRecord, name: string): Chart {
  const text = (input: string) => (isGiven(inputs[input]) ? textOf(inputs[input], input) : undefined);
  const repository = isPlainRecord(inputs.repositoryOpts) ? inputs.repositoryOpts : {};
  const renderer = ["postRenderer", "postrender"].find(input => isGiven(inputs[input]));
  if (renderer !== undefined) throw new NotRendered(`a ${renderer} changes what the chart renders`);
  const files = listOf(inputs.valueYamlFiles, "valueYamlFiles").map(file => {
    const source = file instanceof FileReference ? file.source.path : undefined;
    if (typeof source !== "string") throw new NotRendered("valueYamlFiles holds no file of this folder");
    return source;
  });
  return {
    release: text("name") ?? name,
    chart: textOf(inputs.chart, "chart"),
    namespace: text("namespace"),
    version: text("version"),
    repository: typeof repository.repo === "string" ? repository.repo : undefined,
    valueFiles: files,
    values: plainValues(inputs.values ?? {}),
    flags: [
      "--no-hooks",
      ...(inputs.skipCrds === true ? [] : ["--include-crds"]),
      ...(inputs.devel === true ? ["--devel"] : []),
      ...(inputs.dependencyUpdate === true ? ["--dependency-update"] : []),
    ],
  };
}

function isGiven(value: PlannedValue | undefined): boolean {
  return value !== undefined && value !== null;
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
