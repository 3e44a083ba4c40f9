import * as pulumi from "@pulumi/pulumi";
import { choices } from "../components/core/suggestion";
import { refusal } from "../components/refuse";
import { PropertySchema } from "../components/schema/packageSchema";

/**
 * The stack's configuration, with errors that say what to type. What the stack encrypts is handed on as a secret output where the argument takes one. Keys and passwords are read in clear, so
 * that they are judged before anything is registered, and the component makes them secrets.
 */
export class Settings {
  private readonly config: pulumi.Config;
  /** Every key that the program has asked for. */
  private readonly known = new Set<string>();

  constructor(private readonly namespace: string) {
    this.config = new pulumi.Config(namespace);
  }

  text(key: string): string {
    return this.optionalText(key) ?? this.missing(key, "a value");
  }

  optionalText(key: string): string | undefined {
    this.known.add(key);
    return this.config.get(key);
  }

  /** A text for an argument that takes an output too: one that the stack encrypts stays a secret, and unknown where nobody can decrypt it. */
  input(key: string): pulumi.Input<string> {
    return this.optionalInput(key) ?? this.missing(key, "a value");
  }

  /** Like `input`, undefined where the stack does not set the key. */
  optionalInput(key: string): pulumi.Input<string> | undefined {
    const value = this.optionalText(key);
    if (value === undefined || !isEncrypted(`${this.namespace}:${key}`)) return value;
    return this.config.requireSecret(key);
  }

  /**
   * The value of an argument whose key is its name, read as its type in the schema wants it.
   * @throws when the text is not a value of that type
   */
  argument(key: string, { type, plain }: PropertySchema, isChoice: boolean): unknown {
    if (isChoice || type === "string") return plain ? this.optionalText(key) : this.optionalInput(key);
    if (type === "boolean") return this.boolean(key);
    if (type === "integer" || type === "number") return this.number(key);
    return this.structure(key);
  }

  /**
   * To be called when everything was read, before anything is made.
   * @throws when the stack sets a key that nothing reads
   */
  refuseUnknown(): void {
    const prefix = `${this.namespace}:`;
    const keys = Object.keys(pulumi.runtime.allConfig()).filter(key => key.startsWith(prefix));
    const known = [...this.known];
    const unknown = keys.map(key => key.slice(prefix.length)).filter(key => !this.known.has(key));
    if (unknown.length === 0) return;
    const lines = unknown.map(key => `  ${prefix}${key} is not a setting of this program: ${choices(key, known)}`);
    throw refusal(
      `the stack's configuration has keys that nothing reads:\n${lines.join("\n")}\nRemove one with\n  pulumi config rm ${prefix}${unknown[0]}`,
    );
  }

  /** Any number: whether it may be negative or a fraction is for the component to say. */
  number(key: string): number | undefined {
    const text = this.optionalText(key);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (text.trim() === "" || Number.isNaN(value)) throw this.error(key, `"${text}" is not a number`, "3");
    return value;
  }

  boolean(key: string): boolean | undefined {
    const text = this.optionalText(key);
    if (text === undefined || text === "true" || text === "false")
      return text === undefined ? undefined : text === "true";
    throw this.error(key, `"${text}" is neither true nor false`, "true");
  }

  /** A list or an object, as Pulumi.<stack>.yaml holds it. Its shape is checked by the component that it goes to. */
  structure<T>(key: string): T | undefined {
    const text = this.optionalText(key);
    if (text === undefined) return undefined;
    const value = parsed(text);
    if (typeof value === "object" && value !== null) return value as T;
    throw this.error(key, "is not a list or an object; write it into Pulumi.<stack>.yaml, or use --path", "...");
  }

  /** A text in a structure that the stack encrypts in whole or in part, for an argument that takes an output; undefined where nothing is encrypted or the structure has no such text. */
  encryptedPart(key: string, name: string): pulumi.Output<string> | undefined {
    if (typeof this.structure<Record<string, unknown>>(key)?.[name] !== "string") return undefined;
    if (!isEncrypted(`${this.namespace}:${key}`)) return undefined;
    return pulumi.output(this.config.requireSecretObject<Record<string, string>>(key))[name];
  }

  list<T>(key: string): T[] {
    const value = this.structure<unknown>(key) ?? [];
    if (!Array.isArray(value)) throw this.error(key, "is not a list", "...");
    return value as T[];
  }

  /**
   * A secret, which a preview and a plan can do without: it is unknown there, and a warning says how to set it.
   * @throws when the stack is to be carried out, with the command that sets it
   */
  secret(key: string): pulumi.Input<string> {
    const value = this.optionalSecret(key);
    if (value !== undefined) return value;
    if (!pulumi.runtime.isDryRun()) return this.missing(key, "a secret", "--secret ");
    void pulumi.log.warn(
      `the stack has no ${this.namespace}:${key}, which "pulumi up" needs. Set it: ${this.command(key, "--secret ")}`,
    );
    return pulumi.secret(pulumi.unknown as unknown as string);
  }

  optionalSecret(key: string): string | undefined {
    this.known.add(key);
    return pulumi.runtime.getConfig(`${this.namespace}:${key}`);
  }

  /** Secrets by name, each set with `pulumi config set --secret --path 'tidesql:passwords.app'`. */
  secrets(key: string): Record<string, string> {
    const text = this.optionalSecret(key);
    if (text === undefined) return {};
    const value = parsed(text);
    if (isRecord(value)) return value as Record<string, string>;
    throw refusal(
      `${this.namespace}:${key} is not an object of names and values. Set one of them:\n  pulumi config set --secret --path '${this.namespace}:${key}.app' <value>`,
    );
  }

  private missing(key: string, what: string, flag = ""): never {
    throw refusal(
      `the stack has no ${this.namespace}:${key}, ${what} that nothing else can supply. Set it:\n  ${this.command(key, flag)}`,
    );
  }

  private command(key: string, flag: string): string {
    return `pulumi config set ${flag}${this.namespace}:${key} <value>`;
  }

  private error(key: string, problem: string, example: string): pulumi.RunError {
    return refusal(
      `${this.namespace}:${key} ${problem}. For example:\n  pulumi config set ${this.namespace}:${key} ${example}`,
    );
  }
}

/** Whether the stack's file holds the value encrypted: known to the SDK, which does not declare it. @param key with its namespace */
function isEncrypted(key: string): boolean {
  const { isConfigSecret } = pulumi.runtime as { isConfigSecret?: (key: string) => boolean };
  return isConfigSecret?.(key) ?? false;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
