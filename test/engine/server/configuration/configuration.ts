import { GivenOption, parseArguments, readOptionFile, StartRefused } from "./optionFiles";
import { inertVariables, plainOptions } from "./serverVariables";
import { tidesdbVariables, VariableDefinition } from "./tidesdbVariables";

/** What the server was started with: every option by its name with underscores; variables that were not given have no entry. */
export interface Configuration {
  options: Map<string, string>;
  /** Names of plugins without the ending: `ha_tidesdb`. */
  plugins: Set<string>;
  warnings: string[];
}

/**
 * Reads a command line and the files that it names, as mariadbd does.
 * @throws StartRefused for an option that nobody knows, or that the engine's plugin brings when it is not loaded
 */
export function readConfiguration(parameters: string[]): Configuration {
  const given = parseArguments(parameters);
  const file = given.find(({ name }) => bare(name) === "defaults_file")?.value;
  const options = [...(file === undefined ? [] : readOptionFile(file)), ...given];
  const configuration: Configuration = { options: new Map(), plugins: new Set(), warnings: [] };
  for (const option of options) {
    if (["plugin_load", "plugin_load_add"].includes(bare(option.name))) {
      for (const plugin of (option.value ?? "").split(/[;:]/)) configuration.plugins.add(pluginName(plugin));
    }
  }
  for (const option of options) take(configuration, option);
  return configuration;
}

/** `10M` as a number of bytes; undefined when it is no number. */
export function parseSize(text: string): number | undefined {
  const match = /^(-?\d+(?:\.\d+)?)([kmgtpe]?)$/i.exec(text.trim());
  if (!match) return undefined;
  return Number(match[1]) * 1024 ** " kmgtpe".indexOf((match[2] ?? "").toLowerCase() || " ");
}

/** Whether a text switches something on. @returns undefined when it says neither */
export function parseBoolean(text: string): boolean | undefined {
  if (/^(1|on|true|yes)$/i.test(text)) return true;
  return /^(0|off|false|no)$/i.test(text) ? false : undefined;
}

/** The value in the form that SHOW VARIABLES has. @throws StartRefused */
export function normaliseValue(name: string, definition: VariableDefinition, given: string | undefined): string {
  const refuse = () => new StartRefused(`Error while setting value '${given ?? ""}' to '${name}'`);
  const { kind } = definition;
  if (kind === "boolean") {
    const value = parseBoolean(given ?? "ON");
    if (value === undefined) throw refuse();
    return value ? "ON" : "OFF";
  }
  if (given === undefined) throw new StartRefused(`option '--${name}' requires an argument`);
  if (kind === "text") return given;
  if (kind === "number") {
    const value = parseSize(given);
    if (value === undefined) throw new StartRefused(`Unknown suffix or value '${given}' for variable '${name}'`);
    return String(Math.max(value, definition.minimum ?? 0));
  }
  const byNumber = kind[Number(given)];
  const value = kind.find(choice => choice.toLowerCase() === given.toLowerCase()) ?? byNumber;
  if (value === undefined) throw refuse();
  return value;
}

function take(configuration: Configuration, { name, value, source }: GivenOption): void {
  let key = bare(name);
  const loose = key.startsWith("loose_");
  if (loose) key = key.slice("loose_".length);
  let given = value;
  if (!isKnown(configuration, key)) {
    const negated = /^(?:skip|disable)_(.+)$/.exec(key)?.[1];
    const enabled = /^enable_(.+)$/.exec(key)?.[1];
    if (negated !== undefined && isKnown(configuration, negated)) {
      key = negated;
      given = value === undefined || parseBoolean(value) !== false ? "OFF" : "ON";
    } else if (enabled !== undefined && isKnown(configuration, enabled)) {
      key = enabled;
      given = "ON";
    } else if (loose) {
      configuration.warnings.push(`unknown option '--${name}'`);
      return;
    } else throw new StartRefused(unknownText(name, value, source));
  }
  const definition = tidesdbVariables.get(key);
  configuration.options.set(key, definition ? normaliseValue(key, definition, given) : (given ?? "ON"));
}

function isKnown({ plugins }: Configuration, key: string): boolean {
  if (tidesdbVariables.has(key)) return plugins.has("ha_tidesdb");
  if (key.startsWith("simple_password_check")) return plugins.has("simple_password_check");
  if (key.startsWith("password_reuse_check")) return plugins.has("password_reuse_check");
  if (key.startsWith("sql_error_log_")) return plugins.has("sql_errlog");
  return plainOptions.has(key) || inertVariables.has(key);
}

function unknownText(name: string, value: string | undefined, source: string): string {
  const shown = /secret|password|key/.test(name) ? name : value === undefined ? name : `${name}=${value}`;
  return `unknown variable '${shown}' (in ${source})`;
}

function bare(name: string): string {
  return name.toLowerCase().replaceAll("-", "_");
}

function pluginName(text: string): string {
  const library = text.includes("=") ? (text.split("=")[1] ?? "") : text;
  return library.trim().replace(/\.so$/, "");
}
