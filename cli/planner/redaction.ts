import { partsOf, Secret, secretMask, Unknown, type PlannedValue } from "./values";

/** Shorter strings are taken out of a text only where they stand alone: `yes` as a secret must not blank half of a message. */
const shortestSubstring = 8;
/** Below this nothing is gained by hiding, and every text would be full of masks. */
const shortestWord = 3;

/** The secrets that a plan has met, and the one way of keeping them out of what is shown. */
export class KnownSecrets {
  /** By their first characters. */
  private readonly long = new Map<string, Set<string>>();
  /** Which pairs of characters, each reduced to a byte, a long secret begins with: a look at two characters tells nearly always that no secret is here. */
  private readonly beginnings = new Uint8Array(0x10000);
  private readonly short = new Set<string>();
  private readonly harmless = new Set<string>();

  /** Remembers every string and number inside the secrets of a value, in each form in which it may turn up. */
  add(value: PlannedValue): void {
    for (const part of partsOf(value)) {
      if (part.isSecret && (typeof part.value === "string" || typeof part.value === "number")) {
        this.addText(String(part.value));
      }
    }
  }

  /** Names and other words that everybody may see, also when a secret happens to contain them. */
  allow(word: string): void {
    this.harmless.add(word);
  }

  /** The text with every secret replaced by `[secret]`. */
  redact(text: string): string {
    let result = "";
    let position = 0;
    let copied = 0;
    while (position < text.length) {
      const found = this.secretAt(text, position);
      if (found === undefined) {
        position++;
      } else {
        result += text.slice(copied, position) + secretMask;
        position += found.length;
        copied = position;
      }
    }
    return this.withoutWords(result + text.slice(copied));
  }

  /** Whether there is a secret in the text. */
  isIn(text: string): boolean {
    for (let position = 0; position < text.length; position++) {
      if (this.secretAt(text, position) !== undefined) return true;
    }
    return this.withoutWords(text) !== text;
  }

  private secretAt(text: string, position: number): string | undefined {
    if (this.beginnings[pairAt(text, position)] === 0) return undefined;
    const candidates = this.long.get(text.slice(position, position + shortestSubstring));
    let longest: string | undefined;
    for (const candidate of candidates ?? []) {
      if (
        candidate.length > (longest?.length ?? 0) &&
        text.startsWith(candidate, position) &&
        !this.harmless.has(candidate)
      ) {
        longest = candidate;
      }
    }
    return longest;
  }

  private withoutWords(text: string): string {
    if (this.short.size === 0) return text;
    return text.replace(/[^\s"'`,;:=()[\]{}<>]+/g, word =>
      this.short.has(word) && !this.harmless.has(word) ? secretMask : word,
    );
  }

  private addText(text: string): void {
    const trimmed = text.trim();
    if (trimmed.startsWith("-----BEGIN CERTIFICATE-----")) return;
    const forms = [text, trimmed, JSON.stringify(text).slice(1, -1), encodeURIComponent(text)];
    const bytes = Buffer.from(text, "utf8");
    forms.push(bytes.toString("base64"), bytes.toString("base64url"), bytes.toString("hex"));
    for (const form of forms) {
      if (form.length >= shortestSubstring) this.addLong(form);
      else if (form.length >= shortestWord && form === trimmed) this.short.add(form);
    }
  }

  private addLong(form: string): void {
    this.beginnings[pairAt(form, 0)] = 1;
    const head = form.slice(0, shortestSubstring);
    const bucket = this.long.get(head);
    if (bucket) bucket.add(form);
    else this.long.set(head, new Set([form]));
  }
}

function pairAt(text: string, position: number): number {
  return ((text.charCodeAt(position) & 0xff) << 8) | (text.charCodeAt(position + 1) & 0xff);
}

/** A copy for people and for other programs: secrets masked, also where one is part of a plain string. */
export function masked(value: PlannedValue, secrets: Pick<KnownSecrets, "redact">): unknown {
  if (typeof value === "string") return secrets.redact(value);
  if (Array.isArray(value)) return value.map(item => masked(item, secrets));
  if (value instanceof Secret || value instanceof Unknown) return value.toJSON();
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, masked(inner as PlannedValue, secrets)]));
}
