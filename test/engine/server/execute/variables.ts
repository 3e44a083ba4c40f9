import { Configuration, normaliseValue, parseBoolean } from "../configuration/configuration";
import { StartRefused } from "../configuration/optionFiles";
import { inertVariables, plainOptions } from "../configuration/serverVariables";
import { tidesdbVariables, VariableDefinition } from "../configuration/tidesdbVariables";
import { sqlErrors } from "../sqlError";
import { textOf, Value } from "../values";

/** The server that is simulated. */
export const serverVersion = "11.8.6-MariaDB";

const fixed = (initial: string): VariableDefinition => ({ kind: "text", initial, readOnly: true });
const global = (kind: VariableDefinition["kind"], initial: string): VariableDefinition => ({ kind, initial });
const session = (kind: VariableDefinition["kind"], initial: string): VariableDefinition => ({
  kind,
  initial,
  session: true,
});

/** MariaDB's variables that mean something here, or that clients ask for. Those that are not in here and not inert do not exist. */
const serverDefinitions: Record<string, VariableDefinition> = {
  version: fixed(serverVersion),
  version_comment: fixed("Simulation of TideSQL for tests"),
  version_compile_machine: fixed("x86_64"),
  version_compile_os: fixed("Linux"),
  version_ssl_library: fixed(`OpenSSL ${process.versions.openssl}`),
  license: fixed("GPL"),
  protocol_version: fixed("10"),
  system_time_zone: fixed("UTC"),
  lower_case_table_names: fixed("0"),
  have_ssl: fixed("YES"),
  hostname: fixed("localhost"),
  port: { kind: "number", initial: "3306", readOnly: true },
  socket: fixed("/tmp/mysql.sock"),
  datadir: fixed("/var/lib/mysql/"),
  basedir: fixed("/usr/local/mariadb"),
  pid_file: fixed(""),
  tmpdir: fixed("/tmp"),
  log_error: fixed(""),
  init_file: fixed(""),
  skip_name_resolve: { kind: "boolean", initial: "OFF", readOnly: true },
  performance_schema: { kind: "boolean", initial: "OFF", readOnly: true },
  ssl_ca: fixed(""),
  ssl_cert: fixed(""),
  ssl_key: fixed(""),
  server_id: global("number", "1"),
  read_only: global("boolean", "OFF"),
  require_secure_transport: global("boolean", "OFF"),
  max_connections: global("number", "151"),
  max_allowed_packet: { ...session("number", "16777216") },
  net_write_timeout: session("number", "60"),
  net_read_timeout: session("number", "30"),
  wait_timeout: session("number", "28800"),
  interactive_timeout: session("number", "28800"),
  lock_wait_timeout: session("number", "86400"),
  max_statement_time: session("number", "0"),
  autocommit: session("boolean", "ON"),
  auto_increment_increment: session("number", "1"),
  auto_increment_offset: session("number", "1"),
  default_storage_engine: session("text", "InnoDB"),
  sql_mode: session(
    "text",
    "STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_AUTO_CREATE_USER,NO_ENGINE_SUBSTITUTION",
  ),
  time_zone: session("text", "SYSTEM"),
  tx_isolation: session("text", "REPEATABLE-READ"),
  transaction_isolation: session("text", "REPEATABLE-READ"),
  tx_read_only: session("boolean", "OFF"),
  transaction_read_only: session("boolean", "OFF"),
  character_set_client: session("text", "utf8mb4"),
  character_set_connection: session("text", "utf8mb4"),
  character_set_results: session("text", "utf8mb4"),
  character_set_server: session("text", "utf8mb4"),
  character_set_database: session("text", "utf8mb4"),
  collation_connection: session("text", "utf8mb4_uca1400_ai_ci"),
  collation_server: session("text", "utf8mb4_uca1400_ai_ci"),
  collation_database: session("text", "utf8mb4_uca1400_ai_ci"),
  sql_select_limit: session("text", "18446744073709551615"),
  init_connect: global("text", ""),
  simple_password_check_digits: global("number", "1"),
  simple_password_check_letters_same_case: global("number", "1"),
  simple_password_check_minimal_length: global("number", "8"),
  simple_password_check_other_characters: global("number", "1"),
};

const inert: VariableDefinition = { kind: "text", initial: "", session: true };

/** The server's variables. */
export class Variables {
  private readonly global = new Map<string, string>();

  /** @throws StartRefused for a value that cannot be */
  constructor(private readonly configuration: Configuration) {
    for (const [name, definition] of Object.entries(serverDefinitions)) {
      if (this.exists(name)) this.global.set(name, definition.initial);
    }
    if (configuration.plugins.has("ha_tidesdb")) {
      for (const [name, { initial }] of tidesdbVariables) this.global.set(name, initial);
    }
    for (const [name, value] of configuration.options) {
      const definition = this.definition(name);
      if (definition) this.global.set(name, normaliseValue(name, definition, value));
      else if (!plainOptions.has(name)) throw new StartRefused(`unknown variable '${name}'`);
    }
    // SHOW VARIABLES never says which trigger was pulled.
    if (this.global.has("tidesdb_promote_primary")) this.global.set("tidesdb_promote_primary", "OFF");
  }

  get names(): string[] {
    return [...this.global.keys()].sort();
  }

  /** @throws SqlError for one that is not there */
  get(name: string): string {
    const value = this.global.get(name);
    if (value !== undefined) return value;
    if (!this.definition(name)) throw sqlErrors.unknownVariable(name);
    return "";
  }

  number(name: string): number {
    return Number(this.get(name));
  }

  isOn(name: string): boolean {
    return this.get(name) === "ON";
  }

  /**
   * The value in its normal form, for a statement that sets it.
   * @throws SqlError when there is no such variable, it cannot be set in that scope, or not to that
   */
  check(name: string, value: Value, scope: "global" | "session"): string {
    const definition = this.definition(name);
    if (!definition) throw sqlErrors.unknownVariable(name);
    if (definition.readOnly) throw sqlErrors.readOnlyVariable(name);
    if (scope === "session" && !definition.session) throw sqlErrors.globalVariable(name);
    const text = value === null ? "" : textOf(value);
    try {
      if (definition.kind === "boolean" && parseBoolean(text) === undefined) throw sqlErrors.wrongValue(name, text);
      return normaliseValue(name, definition, text);
    } catch {
      throw sqlErrors.wrongValue(name, text);
    }
  }

  set(name: string, value: string): void {
    this.global.set(name, value);
  }

  private definition(name: string): VariableDefinition | undefined {
    if (!this.exists(name)) return undefined;
    return tidesdbVariables.get(name) ?? serverDefinitions[name] ?? (inertVariables.has(name) ? inert : undefined);
  }

  /** A plugin's variables are there when it is loaded. */
  private exists(name: string): boolean {
    const { plugins } = this.configuration;
    if (name.startsWith("tidesdb_")) return plugins.has("ha_tidesdb");
    return !name.startsWith("simple_password_check_") || plugins.has("simple_password_check");
  }
}
