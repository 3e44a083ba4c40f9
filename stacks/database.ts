import {
  DatabaseSettingsArgs,
  DatabaseUserArgs,
  Durability,
  FailoverPreference,
  OnNoCandidate,
  OnObjectStoreOutage,
  StorageKind,
} from "../components/database";
import { Settings } from "./settings";

const mebibyte = 1024 * 1024;
const bytes = (mebibytes: number | undefined) => (mebibytes === undefined ? undefined : mebibytes * mebibyte);

/** What both topologies let a stack say of its database. Passwords are secrets of the stack (`tidesql:passwords.<user>`), or made. */
export function databaseSettings(settings: Settings): DatabaseSettingsArgs {
  const passwords = settings.secrets("passwords");
  return {
    namespace: settings.optionalText("namespace"),
    replicas: settings.number("replicas"),
    durability: settings.optionalText("durability") as Durability | undefined,
    failoverPreference: settings.optionalText("failoverPreference") as FailoverPreference | undefined,
    resumeWithinSeconds: settings.number("resumeWithinSeconds"),
    maxDataLossSeconds: settings.number("maxDataLossSeconds"),
    onObjectStoreOutage: settings.optionalText("onObjectStoreOutage") as OnObjectStoreOutage | undefined,
    onNoCandidate: settings.optionalText("onNoCandidate") as OnNoCandidate | undefined,
    databases: settings.list<string>("databases"),
    users: settings
      .list<DatabaseUserArgs>("users")
      .map(user => ({ ...user, password: user.password ?? passwords[user.name] })),
    sizing: defined({
      memoryBytes: bytes(settings.number("memoryMiB")),
      cpuCores: settings.number("cpuCores"),
      maxMemoryBytes: bytes(settings.number("maxMemoryMiB")),
      blockCacheBytes: bytes(settings.number("blockCacheMiB")),
      writeBufferBytes: bytes(settings.number("writeBufferMiB")),
      maxConnections: settings.number("maxConnections"),
    }),
    storage: defined({
      kind: settings.optionalText("storage") as StorageKind | undefined,
      sizeGiB: settings.number("volumeGiB"),
      storageClassName: settings.optionalText("storageClassName"),
    }),
    nodeImage: settings.optionalText("nodeImage"),
    engineSettings: settings.structure<Record<string, string>>("engineSettings"),
    databaseId: settings.optionalText("databaseId"),
  };
}

/** Without what the stack does not say, so that defaults are not overridden with nothing. */
function defined<T extends object>(values: T): T {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T;
}
