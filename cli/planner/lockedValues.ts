import * as pulumi from "@pulumi/pulumi";
import {
  isPlainRecord,
  partsOf,
  revealed,
  Secret,
  unknown,
  unknownMask,
  type PlannedRecord,
  type PlannedValue,
} from "./values";

/** Every way of `pulumi.Config` to a secret. */
const secretAccessors = [
  "getSecret",
  "getSecretBoolean",
  "getSecretNumber",
  "getSecretObject",
  "requireSecret",
  "requireSecretBoolean",
  "requireSecretNumber",
  "requireSecretObject",
] as const;

type SecretAccessor = (this: pulumi.Config, key: string, options?: object) => pulumi.Output<unknown> | undefined;

/**
 * Configuration secrets that are encrypted in the stack's file and that only `pulumi up` can open. A program that reads one as a secret gets an unknown output, on
 * which no check runs. One that reads it as plain text gets a placeholder, so that it finds it in place; whatever it makes of a placeholder is unknown in the plan.
 */
export class LockedValues {
  private readonly placeholder: string;
  private readonly encoded: string;
  private isUsed = false;

  /** @param uniqueText Occurs nowhere else. */
  constructor(uniqueText: string) {
    // Upper and lower case, a digit and a sign, and none that access keys do not have: checks that a program makes of either let it pass.
    this.placeholder = `Aa1-${uniqueText}`;
    this.encoded = Buffer.from(this.placeholder, "utf8").toString("base64");
  }

  /** A configuration value as the program may read it: text, or JSON for a structured one, with a placeholder for everything unknown. */
  textOf(value: PlannedValue): string {
    const clear = this.withPlaceholders(revealed(value));
    return typeof clear === "string" ? clear : JSON.stringify(clear);
  }

  /**
   * Makes the secret accessors of `pulumi.Config` return what is locked as unknown.
   * @param config with full keys
   * @returns what restores them
   */
  hideFrom(config: PlannedRecord): () => void {
    const prototype = pulumi.Config.prototype as unknown as Record<(typeof secretAccessors)[number], SecretAccessor>;
    const originals = secretAccessors.map(name => [name, prototype[name]] as const);
    for (const [name, original] of originals) {
      prototype[name] = function (key, options) {
        const value = config[`${this.name}:${key}`];
        return value !== undefined && isLocked(value)
          ? pulumi.secret(withUnknowns(revealed(value)))
          : original.call(this, key, options);
      };
    }
    return () => {
      for (const [name, original] of originals) prototype[name] = original;
    };
  }

  /**
   * What to add to the refusal of a program that could not do with a placeholder: how to give the plan the value. Undefined where no placeholder is the reason.
   * @param message of the refusal, before `redact`
   */
  wayOut(message: string, config: PlannedRecord): string | undefined {
    const locked = Object.keys(config).filter(key => isLocked(config[key] ?? null));
    const names = locked.filter(key => new RegExp(`(^|[^\\w:.-])${escaped(key)}(?![\\w-])`).test(message));
    if (names.length === 0 && !this.isIn(message)) return undefined;
    const keys = names.length > 0 ? names : locked;
    const subject = keys.length === 1 ? `${keys[0]} is` : `${keys.join(", ")} are`;
    return `${subject} encrypted in the stack's file, and a plan cannot decrypt: give it the value with --secret-file ${keys[0]}=PATH, or set it without --secret.`;
  }

  /** The value with `unknown` for every string that a placeholder went into. */
  withoutThem(value: PlannedValue): PlannedValue {
    if (!this.isUsed) return value;
    if (typeof value === "string") return this.isIn(value) ? unknown : value;
    if (Array.isArray(value)) return value.map(item => this.withoutThem(item));
    if (value instanceof Secret) return new Secret(this.withoutThem(value.reveal()));
    if (!isPlainRecord(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, this.withoutThem(inner)]));
  }

  /** A text without placeholders. */
  redact(text: string): string {
    return text.replaceAll(this.placeholder, unknownMask).replaceAll(this.encoded, unknownMask);
  }

  private withPlaceholders(value: PlannedValue): PlannedValue {
    if (value === unknown) {
      this.isUsed = true;
      return this.placeholder;
    }
    if (Array.isArray(value)) return value.map(item => this.withPlaceholders(item));
    if (!isPlainRecord(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, this.withPlaceholders(inner)]));
  }

  private isIn(text: string): boolean {
    return text.includes(this.placeholder) || text.includes(this.encoded);
  }
}

function isLocked(value: PlannedValue): boolean {
  return [...partsOf(value)].some(part => part.value === unknown);
}

function withUnknowns(value: PlannedValue): unknown {
  if (value === unknown) return pulumi.unknown;
  if (Array.isArray(value)) return value.map(item => withUnknowns(item));
  if (!isPlainRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withUnknowns(inner)]));
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
