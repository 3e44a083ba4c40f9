import { childPath, isRecord, notYetKnown, type PlainResource } from "./resource";

/** Keys of objects and indices of arrays, from the top of the inputs. */
export type Keys = readonly (string | number)[];

/** Thrown when a check reads a value that a preview cannot know. The runner turns it into a "not yet known", never into a pass. */
export class NotYetKnown extends Error {
  constructor(
    readonly urn: string,
    readonly path: string,
    /** Why, when it is not an unknown input: "ConfigMap orders-config is not part of this program". */
    readonly reason: string = "its value is decided during the update",
  ) {
    super(`${path}: ${reason}`);
  }
}

/**
 * A place in a resource's inputs, there or not: `field(resource).at("spec", "replicas")`. Values of the wrong type read as absent, so odd input never crashes a
 * check; values that are not yet known throw `NotYetKnown`.
 */
export class Field {
  private constructor(
    readonly resource: PlainResource,
    readonly keys: Keys,
    private readonly raw: unknown,
  ) {}

  /** The whole of a resource's inputs. */
  static of(resource: PlainResource): Field {
    return new Field(resource, [], resource.inputs);
  }

  /** The place as text: `spec.template.spec.containers[0].image`. */
  get path(): string {
    return this.keys.reduce<string>(
      (path, key) => (typeof key === "number" ? `${path}[${key}]` : childPath(path, key)),
      "",
    );
  }

  /** The last key on the way here. */
  get key(): string {
    return String(this.keys.at(-1) ?? "");
  }

  /** The field below this one; array items are reached through `items`. */
  at(...keys: string[]): Field {
    let value: unknown = this.raw;
    for (const [depth, key] of keys.entries()) {
      if (value === notYetKnown) return new Field(this.resource, [...this.keys, ...keys.slice(0, depth)], notYetKnown);
      value = isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined;
    }
    return this.raw === notYetKnown ? this : new Field(this.resource, [...this.keys, ...keys], value);
  }

  /** The value as it is. */
  get value(): unknown {
    if (this.raw === notYetKnown) throw new NotYetKnown(this.resource.urn, this.path);
    return this.raw;
  }

  /** Whether this value as a whole is one that a preview cannot know. */
  get isUnknown(): boolean {
    return this.raw === notYetKnown;
  }

  /** True when there is a value other than null. */
  get isPresent(): boolean {
    return this.value !== undefined && this.value !== null;
  }

  /** A string; numbers and booleans count, as YAML leaves the choice to its writer. */
  get text(): string | undefined {
    const value = this.value;
    if (typeof value === "string") return value;
    return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
  }

  get number(): number | undefined {
    const value = this.value;
    if (typeof value === "number") return value;
    return typeof value === "string" && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : undefined;
  }

  /** A boolean, or one written as text. */
  get flag(): boolean | undefined {
    const value = this.value;
    if (typeof value === "boolean") return value;
    if (typeof value !== "string") return undefined;
    return /^true$/i.test(value) ? true : /^false$/i.test(value) ? false : undefined;
  }

  /** The items of an array. A single object counts as an array of one, since providers differ in that between versions. */
  get items(): Field[] {
    const value = this.value;
    if (Array.isArray(value)) return value.map((item, index) => new Field(this.resource, [...this.keys, index], item));
    return isRecord(value) ? [this] : [];
  }

  /** The texts of an array; a single text counts as an array of one. */
  get textList(): string[] {
    const texts = Array.isArray(this.value) ? this.items.map(item => item.text) : [this.text];
    return texts.filter(text => text !== undefined);
  }

  /** The value that a text holds as JSON, as policy documents do; a value that is no text is itself. */
  get json(): Field {
    if (typeof this.value !== "string") return this;
    try {
      return new Field(this.resource, this.keys, JSON.parse(this.value));
    } catch {
      return new Field(this.resource, this.keys, undefined);
    }
  }

  /** The keys of an object with their fields. */
  get entries(): [string, Field][] {
    const value = this.value;
    if (!isRecord(value)) return [];
    return Object.keys(value).map(key => [key, this.at(key)]);
  }

  /** Every text below this field, its own included, with its path. Unknown parts are left out. */
  *texts(): Generator<Field> {
    if (this.raw === notYetKnown) return;
    if (Array.isArray(this.raw) || isRecord(this.raw)) {
      const children = Array.isArray(this.raw) ? this.items : this.entries.map(([, child]) => child);
      for (const child of children) yield* child.texts();
    } else if (this.text !== undefined) {
      yield this;
    }
  }

  /** The first part below this field that is not yet known. */
  get firstUnknown(): Field | undefined {
    if (this.raw === notYetKnown) return this;
    if (!Array.isArray(this.raw) && !isRecord(this.raw)) return undefined;
    const children = Array.isArray(this.raw) ? this.items : this.entries.map(([, child]) => child);
    for (const child of children) {
      const unknown = child.firstUnknown;
      if (unknown) return unknown;
    }
    return undefined;
  }
}

/**
 * Whether any item satisfies the condition, in three-valued logic: one that does decides, whatever is unknown elsewhere; else an unknown one makes the answer
 * unknown.
 */
export function anyOf<T>(items: Iterable<T>, condition: (item: T) => boolean): boolean {
  let unknown: NotYetKnown | undefined;
  for (const item of items) {
    try {
      if (condition(item)) return true;
    } catch (error) {
      if (!(error instanceof NotYetKnown)) throw error;
      unknown ??= error;
    }
  }
  if (unknown) throw unknown;
  return false;
}

/** Whether every item satisfies the condition, in three-valued logic. */
export function allOf<T>(items: Iterable<T>, condition: (item: T) => boolean): boolean {
  return !anyOf(items, item => !condition(item));
}

/** Everything that `judge` has to say about each of the items. An item that is not yet known does not hide what is known of the others. */
export function* forEach<T, Said>(items: Iterable<T>, judge: (item: T) => Iterable<Said>): Generator<Said> {
  let unknown: NotYetKnown | undefined;
  for (const item of items) {
    try {
      yield* judge(item);
    } catch (error) {
      if (!(error instanceof NotYetKnown)) throw error;
      unknown ??= error;
    }
  }
  if (unknown) throw unknown;
}
