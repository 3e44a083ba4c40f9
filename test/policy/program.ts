import { parseAllDocuments } from "yaml";
import { childPath } from "../../policy/model/resource";
import { type RawResource } from "../../policy/model/resource";

/** A resource of a test program. Its name in Pulumi is also its name in the cluster. */
export function resource(
  type: string,
  name: string,
  inputs: Record<string, unknown>,
  dependencies: readonly RawResource[] = [],
): RawResource {
  return {
    type,
    name,
    urn: `urn:pulumi:test::shop::${type}::${name}`,
    inputs,
    dependencies: dependencies.map(({ urn }) => urn),
    secretPaths: [],
  };
}

/** The same resource with some of its inputs encrypted by Pulumi. */
export function withSecrets(of: RawResource, ...secretPaths: string[]): RawResource {
  return { ...of, secretPaths };
}

/** Kubernetes manifests, as people keep them in files: the resources that `kubernetes.yaml.ConfigFile` makes of them. */
export function manifests(yaml: string): RawResource[] {
  return parseAllDocuments(yaml).map(document => {
    const object = document.toJS() as { apiVersion: string; kind: string; metadata: { name: string } };
    const version = object.apiVersion.includes("/") ? object.apiVersion : `core/${object.apiVersion}`;
    return resource(`kubernetes:${version}:${object.kind}`, object.metadata.name, object);
  });
}

/** A change of one input of one resource. */
export type Change = (program: readonly RawResource[]) => RawResource[];

/** Sets an input: `set("orders", "spec.replicas", 1)`. Undefined removes it. */
export function set(name: string, path: string, value: unknown): Change {
  return changeOf(name, inputs => replaced(inputs, keysOf(path), () => value));
}

/** Changes the text of an input. */
export function edit(name: string, path: string, change: (text: string) => string): Change {
  return changeOf(name, inputs => replaced(inputs, keysOf(path), text => change(text as string)));
}

/** Leaves a resource out. */
export function without(...names: string[]): Change {
  return program => program.filter(({ name }) => !names.includes(name));
}

/** Puts resources in. */
export function plus(...resources: RawResource[]): Change {
  return program => [...program, ...resources];
}

/** The program after the changes. */
export function changed(program: readonly RawResource[], ...changes: Change[]): RawResource[] {
  return changes.reduce<RawResource[]>((before, change) => change(before), [...program]);
}

/** `name` is a resource's name, or `Kind/name` where several share it. */
function changeOf(name: string, change: (inputs: unknown) => unknown): Change {
  return program => {
    const meant = program.filter(candidate => isCalled(candidate, name));
    if (meant.length !== 1) throw new Error(`the program has ${meant.length} resources called ${name}`);
    return program.map(candidate =>
      candidate === meant[0] ? { ...candidate, inputs: change(candidate.inputs) } : candidate,
    );
  };
}

function isCalled({ type, name }: RawResource, wanted: string): boolean {
  return name === wanted || `${type.split(":").pop()}/${name}` === wanted;
}

function keysOf(path: string): (string | number)[] {
  const keys = [...path.matchAll(/\[(\d+)\]|\["([^"]+)"\]|([^.[\]]+)/g)];
  return keys.map(([, index, quoted, plain]) => (index === undefined ? (quoted ?? plain)! : Number(index)));
}

function replaced(value: unknown, keys: readonly (string | number)[], change: (value: unknown) => unknown): unknown {
  const [key, ...rest] = keys;
  if (key === undefined) return change(value);
  if (typeof key === "number") {
    const items = [...((value ?? []) as unknown[])];
    items[key] = replaced(items[key], rest, change);
    return items;
  }
  const fields = { ...(value as Record<string, unknown>) };
  const next = replaced(fields[key], rest, change);
  if (next === undefined) delete fields[key];
  else fields[key] = next;
  return fields;
}

/** The path of a data file in a ConfigMap. */
export function dataPath(file: string): string {
  return childPath("data", file);
}
