import { type ManagerConfiguration } from "../../components/core/managerConfiguration";
import { EngineSettings, type Setting, settingsInArgument, settingsInFile } from "./engineSettings";
import { anyOf, type Field, NotYetKnown } from "./field";
import { longRunningContainers } from "./kubernetes";
import { filesOf, type Mount, mountsOf, outsideTheProgram, sourcesOf } from "./mounts";
import { isRecord } from "./resource";
import { type Stack } from "./stack";

/** A workload whose pods run TideSQL, whoever wrote it. */
export interface Database {
  workload: Field;
  /** The container with the server. */
  container: Field;
  mounts: Mount[];
  settings: EngineSettings;
  /**
   * Whether process 1 is this project's manager, which starts the server as a read-only replica, promotes it under a Lease and stops it in order, whatever the
   * configuration file leaves out.
   */
  runsManager: boolean;
}

/** The server, or a script that starts it. */
const serverProgram = /(^|[\s/"'])(mariadbd|mysqld|mariadbd-safe|mysqld_safe|[\w.-]*entrypoint(\.sh)?)(?=$|[\s"'])/;
/** The manager's bundle as process 1. */
const managerProgram = /(^|[\s"'])\/[\w./-]*tidesql[\w./-]*\/manager\.c?js(?=$|[\s"'])/;
/** The manager's own configuration, beside the option file. */
const managerFile = "manager.json";
/** Names that only TideSQL and its engine have. */
const engineName = /tidesql|tidesdb/i;

/** The database that a workload runs, if it runs one. */
export function databaseOf(workload: Field, stack: Stack): Database | undefined {
  const known = stack.once(noDatabasesYet);
  const { urn } = workload.resource;
  if (!known.has(urn)) known.set(urn, look(workload, stack));
  const found = known.get(urn);
  if (found instanceof NotYetKnown) throw found;
  return found;
}

const noDatabasesYet = (): Map<string, Database | undefined | NotYetKnown> => new Map();

function look(workload: Field, stack: Stack): Database | undefined | NotYetKnown {
  try {
    const container = find(longRunningContainers(workload), candidate => runsServer(workload, candidate, stack));
    if (!container) return undefined;
    return {
      workload,
      container,
      mounts: mountsOf(workload, container),
      settings: settingsOf(workload, container, stack),
      runsManager: managerProgram.test(commandLine(container)),
    };
  } catch (error) {
    if (error instanceof NotYetKnown) return error;
    throw error;
  }
}

/** The first item that satisfies the condition; unknown only when none does and one may. */
function find<T>(items: T[], condition: (item: T) => boolean): T | undefined {
  let found: T | undefined;
  anyOf(items, item => condition(item) && ((found = item), true));
  return found;
}

function runsServer(workload: Field, container: Field, stack: Stack): boolean {
  const starts = startsServer(container);
  if (!starts) return false;
  return anyOf(
    [
      () => engineName.test(imageName(container.at("image").text ?? "")),
      () => engineName.test(commandLine(container)),
      () => settingsOf(workload, container, stack).seenWithPrefix("tidesdb_").length > 0,
    ],
    sign => sign(),
  );
}

/** An image without a command runs its entrypoint; options alone are passed on to it. */
function startsServer(container: Field): boolean {
  const command = container.at("command").items;
  const args = container.at("args").items;
  if (command.length === 0 && (args[0]?.text ?? "-").startsWith("-")) return true;
  const line = commandLine(container);
  return serverProgram.test(line) || managerProgram.test(line);
}

/** Command and arguments as one text. */
export function commandLine(container: Field): string {
  return [...container.at("command").items, ...container.at("args").items].map(part => part.text ?? "").join(" ");
}

/** `registry/team/tidesql:tag` is `tidesql`. */
function imageName(image: string): string {
  return (image.split("@")[0]!.split("/").pop() ?? "").split(":")[0]!;
}

function settingsOf(workload: Field, container: Field, stack: Stack): EngineSettings {
  const settings: Setting[] = [];
  let hidden: NotYetKnown | undefined;
  for (const mount of mountsOf(workload, container)) {
    if (!mount.volume) continue;
    try {
      for (const source of sourcesOf(workload, mount.volume, stack)) {
        if (source.object) settings.push(...settingsInObject(source.object));
        else if (source.kind === "ConfigMap" || holdsOptions(mount)) hidden ??= outsideTheProgram(source);
      }
    } catch (error) {
      if (!(error instanceof NotYetKnown)) throw error;
      hidden ??= error;
    }
  }
  for (const part of [...container.at("command").items, ...container.at("args").items]) {
    settings.push(...settingsInArgument(part));
  }
  return new EngineSettings(settings, hidden);
}

/** A Secret that is not part of the program matters only where it is mounted as an option file. */
function holdsOptions(mount: Mount): boolean {
  return /\.cnf$|\/mysql(\/|$)/.test(mount.subPath ?? mount.path);
}

/** What an object says of the server's options; the option files have the last word. */
function settingsInObject(object: Field): Setting[] {
  const files = filesOf(object);
  const ofManager = files.filter(({ name }) => name === managerFile);
  return [...ofManager, ...files.filter(file => !ofManager.includes(file))].flatMap(({ name, content, text }) => {
    if (/\.(cnf|ini|conf)$/.test(name) || /^\s*\[(mariadb|mysqld|server)/m.test(text.slice(0, 10_000))) {
      return settingsInFile(text, content);
    }
    return name === managerFile ? settingsOfManager(content, text) : [];
  });
}

/** What the manager's own configuration makes of the server's. */
function settingsOfManager(source: Field, text: string): Setting[] {
  const configuration = managerConfiguration(text);
  if (!configuration) return [];
  const { objectStore, requireTls } = configuration;
  const options: [string, unknown][] = [
    ["require_secure_transport", requireTls === true ? "ON" : requireTls === false ? "OFF" : undefined],
    ["tidesdb_s3_endpoint", objectStore?.endpoint],
    ["tidesdb_s3_bucket", objectStore?.bucket],
    ["tidesdb_s3_prefix", objectStore?.prefix],
    ["tidesdb_s3_use_ssl", objectStore?.useTls === undefined ? undefined : objectStore.useTls ? "ON" : "OFF"],
  ];
  return options.flatMap(([name, value]) => (typeof value === "string" ? [{ name, value, source, line: 1 }] : []));
}

function managerConfiguration(text: string): Partial<ManagerConfiguration> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) && (value.objectStore === undefined || isRecord(value.objectStore)) ? value : undefined;
  } catch {
    return undefined;
  }
}
