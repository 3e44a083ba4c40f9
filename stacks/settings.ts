import * as pulumi from "@pulumi/pulumi";

/**
 * The stack's configuration, with errors that say what to type. Values that are secret are handed on as secret outputs; where a value has to be judged before anything is registered,
 * the plain value is read without Pulumi's warning about it, and is made secret by the component.
 */
export class Settings {
  private readonly config: pulumi.Config;

  constructor(private readonly namespace: string) {
    this.config = new pulumi.Config(namespace);
  }

  text(key: string): string {
    return this.optionalText(key) ?? this.missing(key, "a value");
  }

  optionalText(key: string): string | undefined {
    return this.config.get(key);
  }

  /** Any number: whether it may be negative or a fraction is for the component to say. */
  number(key: string): number | undefined {
    const text = this.config.get(key);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (text.trim() === "" || Number.isNaN(value)) throw this.error(key, `"${text}" is not a number`, "3");
    return value;
  }

  boolean(key: string): boolean | undefined {
    const text = this.config.get(key);
    if (text === undefined || text === "true" || text === "false")
      return text === undefined ? undefined : text === "true";
    throw this.error(key, `"${text}" is neither true nor false`, "true");
  }

  /** A list or an object, as Pulumi.<stack>.yaml holds it. Its shape is checked by the component that it goes to. */
  structure<T>(key: string): T | undefined {
    const text = this.config.get(key);
    if (text === undefined) return undefined;
    try {
      return JSON.parse(text) as T;
    } catch {
      throw this.error(key, "is not a list or an object; write it into Pulumi.<stack>.yaml, or use --path", "...");
    }
  }

  list<T>(key: string): T[] {
    const value = this.structure<unknown>(key) ?? [];
    if (!Array.isArray(value)) throw this.error(key, "is not a list", "...");
    return value as T[];
  }

  /** @throws with the command that sets it */
  secret(key: string): string {
    return this.optionalSecret(key) ?? this.missing(key, "a secret", "--secret ");
  }

  optionalSecret(key: string): string | undefined {
    return pulumi.runtime.getConfig(`${this.namespace}:${key}`);
  }

  /** Secrets by name, each set with `pulumi config set --secret --path 'tidesql:passwords.app'`. */
  secrets(key: string): Record<string, string> {
    const text = this.optionalSecret(key);
    return text === undefined ? {} : (JSON.parse(text) as Record<string, string>);
  }

  private missing(key: string, what: string, flag = ""): never {
    throw new pulumi.RunError(
      `the stack has no ${this.namespace}:${key}, ${what} that nothing else can supply. Set it:\n  pulumi config set ${flag}${this.namespace}:${key} <value>`,
    );
  }

  private error(key: string, problem: string, example: string): pulumi.RunError {
    return new pulumi.RunError(
      `${this.namespace}:${key} ${problem}. For example:\n  pulumi config set ${this.namespace}:${key} ${example}`,
    );
  }
}
