import { type ManagerConfiguration } from "../../components/core/managerConfiguration";
import { settingsOf } from "./databaseSettings";
import { type EngineSettings } from "./engineSettings";
import { anyOf, type Field, NotYetKnown } from "./field";
import { longRunningContainers } from "./kubernetes";
import { managerConfiguration, managerFile } from "./managerFile";
import { mountedFiles } from "./mountedFiles";
import { type Mount, mountsOf } from "./mounts";
import { commandsOf, programOf, roleOf, variablesOf } from "./programs";
import { type Stack } from "./stack";

/** A workload whose pods run TideSQL, no matter who wrote it. */
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
  /** The manager's own configuration with the file that holds it, where it is mounted. */
  manager?: { configuration: Partial<ManagerConfiguration>; source: Field };
}

/** The manager's bundle as process 1. */
const managerProgram = /(^|[\s"'])\/[\w./-]*tidesql[\w./-]*\/manager\.c?js(?=$|[\s"'])/;
/** Names that only TideSQL and its engine have. */
const engineName = /tidesql|tidesdb/i;
/** Names of images that TideSQL may run in. */
const serverName = /tidesql|tidesdb|mariadb|mysql/i;
/** Parts of the names of images that belong to a database and are none. */
const toolName =
  /(?:^|[-_.])(?:exporter|metrics|dashboard|ui|web|website|console|portal|frontend|admin|adminer|phpmyadmin|backup|backups|dump|restore|operator|controller|proxy|proxysql|maxscale|router|agent|toolbox|tools|client|cli|docs|benchmark|bench|loadgen|test|tests|migrate|migrator|migrations?|init|manager|monitor|monitoring|alerts?)(?=$|[-_.\d])/i;

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
      manager: managerOf(workload, container, stack),
    };
  } catch (error) {
    if (error instanceof NotYetKnown) return error;
    throw error;
  }
}

function managerOf(workload: Field, container: Field, stack: Stack): Database["manager"] {
  const file = mountedFiles(workload, container, stack).list.find(({ name }) => name === managerFile);
  const configuration = file && managerConfiguration(file.text);
  return configuration && { configuration, source: file.content };
}

/** The first item that satisfies the condition; unknown only when none does and one may. */
function find<T>(items: T[], condition: (item: T) => boolean): T | undefined {
  let found: T | undefined;
  anyOf(items, item => condition(item) && ((found = item), true));
  return found;
}

/**
 * A container runs TideSQL by what it starts and reads: the manager; MariaDB's server with an image, an argument or an option file of TidesDB; or a script that is
 * not seen, with the same signs. Programs that only speak to a server, and images of tools, are none.
 */
function runsServer(workload: Field, container: Field, stack: Stack): boolean {
  const line = commandLine(container);
  if (managerProgram.test(line)) return true;
  const commands = commandsOf(givenTo(container), variablesOf(container));
  const programs = commands.flatMap(command => programOf(command) ?? []);
  const roles = programs.map(({ name }) => roleOf(name));
  const isServer = roles.includes("server");
  if (!isServer && roles.length > 0 && roles.every(role => role === "other")) return false;
  const image = container.at("image");
  const isTool = image.firstUnknown === undefined && toolName.test(imageName(image.text ?? ""));
  if (!isServer && isTool) return false;
  const starts = programs.some(({ path }) => engineName.test(path));
  const mayServe = () =>
    isServer ||
    (!image.firstUnknown && serverName.test(imageName(image.text ?? ""))) ||
    looksLikeServer(container) ||
    takesOptions(container);
  if (starts || /\bha_tidesdb\b/.test(line)) return true;
  try {
    if (settingsOf(workload, container, stack).seenWithPrefix("tidesdb_").length > 0) return true;
  } catch (error) {
    if (!(error instanceof NotYetKnown) || mayServe()) throw error;
    return false;
  }
  if (image.firstUnknown && !isServer && !looksLikeServer(container)) return false;
  return engineName.test(imageName(image.text ?? ""));
}

/** Without a command the image's own program gets the arguments. */
function givenTo(container: Field): Field[] {
  const command = container.at("command").items;
  const args = container.at("args").items;
  const isForImage = command.length === 0 && (args[0]?.text ?? "-").startsWith("-");
  return isForImage ? [] : [...command, ...args];
}

/** Whether a container whose image is not known yet may run a database: it offers MySQL's port, or is set up like one. */
function looksLikeServer(container: Field): boolean {
  const offersPort = container
    .at("ports")
    .items.some(
      port => port.at("containerPort").number === 3306 || /^(mysql|mariadb)/.test(port.at("name").text ?? ""),
    );
  const isSetUp = container.at("env").items.some(variable => /^(MARIADB|MYSQL)_/.test(variable.at("name").text ?? ""));
  return offersPort || isSetUp;
}

/** Whether a container mounts something where MariaDB reads its options, or where this project's images do. */
function takesOptions(container: Field): boolean {
  const paths = container.at("volumeMounts").items.map(mount => mount.at("mountPath").text ?? "");
  return paths.some(path => /mysql|mariadb|tidesql|tidesdb|\.cnf$/i.test(path));
}

/** Command and arguments as one text. */
export function commandLine(container: Field): string {
  return [...container.at("command").items, ...container.at("args").items].map(part => part.text ?? "").join(" ");
}

/** `registry/team/tidesql:tag` is `tidesql`. */
function imageName(image: string): string {
  return (image.split("@")[0]!.split("/").pop() ?? "").split(":")[0]!;
}
