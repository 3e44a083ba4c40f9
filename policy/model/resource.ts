/** One resource of a Pulumi program as the checks see it: plain values, no outputs, no wrappers. */
export interface PlainResource {
  /** Type token: `kubernetes:apps/v1:StatefulSet`, `aws:s3/bucket:Bucket`. */
  type: string;
  /** The Pulumi name, which need not be the name in the cloud. */
  name: string;
  urn: string;
  /** URN of the parent. */
  parent?: string;
  /** The inputs, unwrapped by `plainResource`. A value that is decided only during the update is `notYetKnown`. */
  inputs: Readonly<Record<string, unknown>> | typeof notYetKnown;
  /** URNs of the resources that this one was made from. */
  dependencies: readonly string[];
  /**
   * Paths of the inputs that Pulumi encrypts in its state (`data.password`, `spec.env[0].value`); everything below such a path is secret too.
   */
  secretPaths: readonly string[];
}

/** Stands for a value that a preview cannot know. */
export const notYetKnown: unique symbol = Symbol.for("pulumi-tidesql.policy.notYetKnown");

/** What Pulumi's wire format writes for an unknown boolean, number, string, array, asset, archive and object (sdk/nodejs/runtime/rpc). */
const unknownOnTheWire: ReadonlySet<unknown> = new Set([
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "030794c1-ac77-496b-92df-f27374a8bd58",
  "e48ece36-62e2-4504-bad9-02848725956a",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);

/** The key that marks a wrapped value on the wire, and the two wrappers that hide a value (sdk/nodejs/runtime/rpc). */
const signatureKey = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";
const outputSignature = "d0e6a833031e9bbcd3f4e8bde6ca49a4";

/** What the wire adds to an asset or an archive: random texts that nobody wrote. */
const notOfTheAsset: ReadonlySet<string> = new Set([signatureKey, "hash"]);

/** A value in the wrapper that has Pulumi encrypt it in its state. */
export function inSecret(value: unknown): Record<string, unknown> {
  return { [signatureKey]: secretSignature, value };
}

/** What such a wrapper hides; undefined for a value without one. */
export function secretValue(value: unknown): unknown {
  return isRecord(value) && value[signatureKey] === secretSignature ? value.value : undefined;
}

/** Deeper than any manifest. What lies below counts as not yet known, so that nesting cannot hide a value from the checks. */
const maximumDepth = 100;

/** A resource as a planner or the Pulumi engine gives it: its inputs may hold wire wrappers. */
export interface RawResource extends Omit<PlainResource, "inputs" | "dependencies" | "secretPaths"> {
  inputs: unknown;
  dependencies?: readonly string[];
  /** Secrets beside those in wrappers. */
  secretPaths?: readonly string[];
}

/** Unwraps secrets and outputs (noting where the secrets were) and replaces every unknown by `notYetKnown`. */
export function plainResource(raw: RawResource): PlainResource {
  const secretsFound: string[] = [];
  const inputs = plainValue(raw.inputs, "", secretsFound, 0);
  return {
    type: raw.type,
    name: raw.name,
    urn: raw.urn,
    parent: raw.parent,
    inputs: isRecord(inputs) || inputs === notYetKnown ? inputs : {},
    dependencies: raw.dependencies ?? [],
    secretPaths: [...(raw.secretPaths ?? []), ...secretsFound],
  };
}

/**
 * A resource whose properties are its outputs, with its inputs where an output is missing or not yet known. In a preview Pulumi does not ask a provider whose own arguments are not yet known, such as that of a
 * cluster which is made by the same program: everything in the cluster has no outputs at all then.
 */
export function completed(outputs: RawResource, inputs: unknown): RawResource {
  if (!isRecord(inputs) || !isRecord(outputs.inputs)) return outputs;
  const known = Object.entries(outputs.inputs).filter(
    ([key, value]) => !(key in inputs && unknownOnTheWire.has(value)),
  );
  return { ...outputs, inputs: { ...inputs, ...Object.fromEntries(known) } };
}

function plainValue(value: unknown, path: string, secretPaths: string[], depth: number): unknown {
  if (unknownOnTheWire.has(value)) return notYetKnown;
  if (typeof value !== "object" || value === null) return value;
  if (depth > maximumDepth) return notYetKnown;
  if (Array.isArray(value)) {
    return Array.from(value, (item, index) => plainValue(item, `${path}[${index}]`, secretPaths, depth + 1));
  }
  const fields = value as Record<string, unknown>;
  switch (fields[signatureKey]) {
    case secretSignature:
      secretPaths.push(path);
      return plainValue(fields.value, path, secretPaths, depth + 1);
    case outputSignature:
      if (fields.secret === true) secretPaths.push(path);
      return "value" in fields ? plainValue(fields.value, path, secretPaths, depth + 1) : notYetKnown;
  }
  const isAsset = signatureKey in fields;
  const plain: Record<string, unknown> = {};
  for (const key of Object.keys(fields)) {
    if (fields[key] === undefined || (isAsset && notOfTheAsset.has(key))) continue;
    define(plain, key, plainValue(fields[key], childPath(path, key), secretPaths, depth + 1));
  }
  return plain;
}

/** Also right for a key called `__proto__`, which an assignment would swallow. */
function define(target: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true });
}

/** `spec` and `replicas` are `spec.replicas`; a key with dots, as data files have, is quoted: `data["my.cnf"]`. */
export function childPath(parent: string, key: string): string {
  if (!/^[\w$-]+$/.test(key)) return `${parent}[${JSON.stringify(key)}]`;
  return parent === "" ? key : `${parent}.${key}`;
}

/** Whether Pulumi encrypts the value at this path. */
export function isSecret(resource: PlainResource, path: string): boolean {
  return resource.secretPaths.some(
    secret => path === secret || secret === "" || path.startsWith(`${secret}.`) || path.startsWith(`${secret}[`),
  );
}

/** A plain object: not null, not an array. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
