import { runtime } from "@pulumi/pulumi";

/**
 * A value of a plan: what a program sent or what a resource answered. JSON, with four things that JSON has no word for: a secret, a value that only an update will
 * know, a reference to a resource, and a file.
 */
export type PlannedValue =
  | null
  | boolean
  | number
  | string
  | PlannedValue[]
  | { [key: string]: PlannedValue }
  | Secret
  | Unknown
  | ResourceReference
  | FileReference;

export type PlannedRecord = Record<string, PlannedValue>;

/** Stands where a secret's value was. */
export const secretMask = "[secret]";
/** Stands where a value is not known before the update. */
export const unknownMask = "[unknown]";

/** A value that Pulumi encrypts. It prints and serialises as `[secret]`; `reveal` gives what is in it. */
export class Secret {
  readonly #value: PlannedValue;

  constructor(value: PlannedValue) {
    this.#value = value;
  }

  /** The value in clear; it may be unknown, or hold unknown parts. */
  reveal(): PlannedValue {
    return this.#value;
  }

  toJSON(): string {
    return secretMask;
  }

  toString(): string {
    return secretMask;
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return secretMask;
  }
}

/** See `unknown`, its only instance. */
export class Unknown {
  toJSON(): string {
    return unknownMask;
  }

  toString(): string {
    return unknownMask;
  }
}

/** A value that only the update will know: an id, an ARN, an address. */
export const unknown = new Unknown();

/** A resource that is passed as a value. */
export class ResourceReference {
  constructor(readonly urn: string) {}
}

/** A file, folder or text that a resource uploads. */
export class FileReference {
  constructor(
    readonly kind: "asset" | "archive",
    /** As the program gave it: `path`, `text`, `uri`, or `assets` for an archive made of several. */
    readonly source: PlannedRecord,
  ) {}
}

/** Reads a value in the form in which the Pulumi SDK sends it to an engine. */
export function fromWire(value: unknown): PlannedValue {
  if (value === runtime.unknownValue) return unknown;
  if (value === null || value === undefined) return null;
  if (typeof value === "boolean" || typeof value === "number" || typeof value === "string") return value;
  if (Array.isArray(value)) return value.map(fromWire);
  const fields = value as Record<string, unknown>;
  switch (fields[runtime.specialSigKey]) {
    case runtime.specialSecretSig:
      return new Secret(fromWire(fields.value));
    case runtime.specialOutputValueSig: {
      const inner = "value" in fields ? fromWire(fields.value) : unknown;
      return fields.secret === true ? new Secret(inner) : inner;
    }
    case runtime.specialResourceSig:
      return new ResourceReference(String(fields.urn));
    case runtime.specialAssetSig:
      return new FileReference("asset", fileSource(fields));
    case runtime.specialArchiveSig:
      return new FileReference("archive", fileSource(fields));
    default:
      return recordFromWire(fields);
  }
}

/** The same for a resource's properties. Nulls stay: a program may have meant them. */
export function recordFromWire(fields: Record<string, unknown>): PlannedRecord {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([key, value]) => [key, fromWire(value)]));
}

function fileSource(fields: Record<string, unknown>): PlannedRecord {
  const rest = { ...fields };
  delete rest[runtime.specialSigKey];
  return recordFromWire(rest);
}

/** The form in which an engine answers the Pulumi SDK: the inverse of `fromWire`. */
export function toWire(value: PlannedValue): unknown {
  if (value === unknown) return runtime.unknownValue;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(toWire);
  if (value instanceof Secret) {
    return { [runtime.specialSigKey]: runtime.specialSecretSig, value: toWire(value.reveal()) };
  }
  if (value instanceof ResourceReference) {
    return { [runtime.specialSigKey]: runtime.specialResourceSig, urn: value.urn };
  }
  if (value instanceof FileReference) {
    const signature = value.kind === "asset" ? runtime.specialAssetSig : runtime.specialArchiveSig;
    return { [runtime.specialSigKey]: signature, ...recordToWire(value.source) };
  }
  return recordToWire(value as PlannedRecord);
}

export function recordToWire(record: PlannedRecord): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, toWire(value)]));
}

/** The value with every secret in it in clear. For what is sent on, never for what is shown. */
export function revealed(value: PlannedValue): PlannedValue {
  if (value instanceof Secret) return revealed(value.reveal());
  if (Array.isArray(value)) return value.map(revealed);
  return isPlainRecord(value)
    ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, revealed(inner)]))
    : value;
}

/** A JSON object, as opposed to a secret, an unknown, a reference, an array or null. */
export function isPlainRecord(value: PlannedValue | undefined): value is PlannedRecord {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Secret) &&
    !(value instanceof Unknown) &&
    !(value instanceof ResourceReference) &&
    !(value instanceof FileReference)
  );
}

/** A part of a value with the path that leads to it: `spec.template.spec.containers[0].image`. */
export interface Part {
  path: string;
  value: PlannedValue;
  /** True when the part is a secret or inside one. */
  isSecret: boolean;
}

/** Every part of a value, the value itself first. What is inside secrets is included and marked. */
export function* partsOf(value: PlannedValue, path = "", isSecret = false): Generator<Part> {
  yield { path, value, isSecret: isSecret || value instanceof Secret };
  if (value instanceof Secret) {
    const inner = value.reveal();
    if (typeof inner !== "object" || inner === null || inner instanceof Unknown) {
      yield { path, value: inner, isSecret: true };
    } else {
      yield* partsOf(inner, path, true);
    }
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield* partsOf(item, `${path}[${index}]`, isSecret);
  } else if (isPlainRecord(value)) {
    for (const [key, inner] of Object.entries(value)) yield* partsOf(inner, childPath(path, key), isSecret);
  }
}

function childPath(parent: string, key: string): string {
  if (!/^[\w$-]+$/.test(key)) return `${parent}[${JSON.stringify(key)}]`;
  return parent === "" ? key : `${parent}.${key}`;
}

/** Paths of the secrets in a value, outermost first; nothing below a secret is named again. */
export function secretPaths(value: PlannedValue, path = ""): string[] {
  if (value instanceof Secret) return [path];
  if (Array.isArray(value)) return value.flatMap((item, index) => secretPaths(item, `${path}[${index}]`));
  if (!isPlainRecord(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => secretPaths(inner, childPath(path, key)));
}

/** Paths of what is unknown in a value, inside secrets too. */
export function unknownPaths(value: PlannedValue): string[] {
  return [...partsOf(value)].filter(part => part.value === unknown).map(part => part.path);
}
