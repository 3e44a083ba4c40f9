import { isPlainRecord, revealed, Secret, unknown, unknownMask, type PlannedValue } from "./values";

/**
 * Configuration secrets that are encrypted in the stack's file and that only `pulumi up` can open. The program gets a placeholder for each, so that it finds them
 * in place; whatever it makes of a placeholder is unknown in the plan.
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
