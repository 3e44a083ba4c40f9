import { isRecord, notYetKnown, type PlainResource } from "./resource";

/** `kubernetes:apps/v1:StatefulSetPatch` changes an object that exists already. */
export function isPatch(type: string): boolean {
  return /^kubernetes:[^:]+:\w+Patch$/.test(type);
}

/** The program as the cluster will have it: objects with what the program's own patches change in them. The patches stay in it. */
export function withPatches(resources: readonly PlainResource[]): readonly PlainResource[] {
  const patches = resources.filter(({ type }) => isPatch(type));
  if (patches.length === 0) return resources;
  return resources.map(resource => {
    const own = patches.filter(patch => changes(patch, resource));
    return own.reduce(
      (before, { inputs }) => ({ ...before, inputs: asInputs(merged(before.inputs, inputs)) }),
      resource,
    );
  });
}

function changes(patch: PlainResource, target: PlainResource): boolean {
  const isSameKind = patch.type.replace(/Patch$/, "") === target.type;
  const [one, other] = [metadataOf(patch), metadataOf(target)];
  return isSameKind && one.name !== undefined && one.name === other.name && one.namespace === other.namespace;
}

function metadataOf({ inputs }: PlainResource): { name: unknown; namespace: unknown } {
  const metadata = inputs !== notYetKnown && isRecord(inputs.metadata) ? inputs.metadata : {};
  return { name: metadata.name, namespace: metadata.namespace ?? "default" };
}

function asInputs(value: unknown): PlainResource["inputs"] {
  return isRecord(value) ? value : notYetKnown;
}

/** Objects are merged by key, lists of named items by name; anything else takes the patch's value (Kubernetes, "Server-Side Apply"). */
function merged(before: unknown, patch: unknown): unknown {
  if (isRecord(before) && isRecord(patch)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(patch)]);
    return Object.fromEntries(
      [...keys].map(key => [key, key in patch ? merged(before[key], patch[key]) : before[key]]),
    );
  }
  if (!Array.isArray(before) || !Array.isArray(patch)) return patch;
  const nameOf = (item: unknown) => (isRecord(item) && typeof item.name === "string" ? item.name : undefined);
  const [items, changes]: [unknown[], unknown[]] = [before, patch];
  if (![...items, ...changes].every(item => nameOf(item) !== undefined)) return changes;
  const changed = items.map(item => {
    const own = changes.find(candidate => nameOf(candidate) === nameOf(item));
    return own === undefined ? item : merged(item, own);
  });
  return [...changed, ...changes.filter(item => !items.some(other => nameOf(other) === nameOf(item)))];
}
