import {
  DatabaseSettingsArgs,
  DatabaseStorageArgs,
  DatabaseSizingArgs,
  DatabaseUserArgs,
} from "../components/database";
import { choices } from "../components/core/suggestion";
import { refusal } from "../components/refuse";
import { argumentName } from "../components/schema/names";
import { packageName, packageSchema, typeOf } from "../components/schema/packageSchema";
import { Settings } from "./settings";

const mebibyte = 1024 * 1024;
const bytes = (mebibytes: number | undefined) => (mebibytes === undefined ? undefined : mebibytes * mebibyte);

/** Arguments that each topology says in its own way, or that have short keys below. */
const saidElsewhere = ["image", "objectStore", "users", "sizing", "storage", "engineSettings"];

/**
 * What both topologies let a stack say of its database: every argument of Database under its own name, and short keys for sizes and storage. Passwords are secrets of the stack
 * (`tidesql:passwords.<user>`), or made.
 */
export function databaseSettings(settings: Settings): DatabaseSettingsArgs {
  const schema = packageSchema();
  const { inputProperties } = schema.resources[`${packageName}:index:Database`]!;
  const underTheirNames = Object.entries(inputProperties)
    .filter(([name]) => !saidElsewhere.includes(name))
    .map(([name, property]) => {
      const isChoice = typeOf(schema, property)?.enum !== undefined;
      return [argumentName(name), settings.argument(argumentName(name), property, isChoice)];
    });
  const args = Object.fromEntries(underTheirNames) as DatabaseSettingsArgs;
  const caCertificate = settings.encryptedPart("tls", "caCertificate");
  return defined({
    ...args,
    ...(caCertificate !== undefined && { tls: { ...args.tls, caCertificate } }),
    users: usersWithPasswords(settings),
    sizing: sizing(settings),
    storage: storage(settings),
    engineSettings: engineSettings(settings),
  });
}

/** `pulumi config set --path` makes a number of what looks like one, and a YAML file holds it as people write it: the argument takes texts. */
function engineSettings(settings: Settings): Record<string, string> | undefined {
  const given = settings.structure<Record<string, unknown>>("engineSettings");
  if (given === undefined || Array.isArray(given)) return given as Record<string, string> | undefined;
  const texts = Object.entries(given).map(([name, value]) => [name, typeof value === "number" ? String(value) : value]);
  return Object.fromEntries(texts) as Record<string, string>;
}

function usersWithPasswords(settings: Settings): DatabaseUserArgs[] {
  const passwords = settings.secrets("passwords");
  const users = settings.list<DatabaseUserArgs>("users");
  const names = users.map(user => user?.name).filter(name => typeof name === "string");
  const nobody = Object.keys(passwords).find(name => !names.includes(name));
  if (nobody !== undefined) {
    throw refusal(
      `tidesql:passwords.${nobody} is the password of a user that tidesql:users does not declare: ${choices(nobody, names)}`,
    );
  }
  return users.map(user => {
    const password = typeof user?.name === "string" ? passwords[user.name] : undefined;
    return password === undefined ? user : { password, ...user };
  });
}

function sizing(settings: Settings): DatabaseSizingArgs {
  return {
    ...settings.structure<DatabaseSizingArgs>("sizing"),
    ...defined({
      memoryBytes: bytes(settings.number("memoryMiB")),
      cpuCores: settings.number("cpuCores"),
      maxMemoryBytes: bytes(settings.number("maxMemoryMiB")),
      blockCacheBytes: bytes(settings.number("blockCacheMiB")),
      writeBufferBytes: bytes(settings.number("writeBufferMiB")),
      maxConnections: settings.number("maxConnections"),
    }),
  };
}

/** `tidesql:storage` is the kind alone, or the whole argument. */
function storage(settings: Settings): DatabaseStorageArgs {
  const given = settings.optionalText("storage");
  const isWhole = given !== undefined && /^\s*[{[]/.test(given);
  return {
    ...(isWhole && settings.structure<DatabaseStorageArgs>("storage")),
    ...(defined({
      kind: isWhole ? undefined : given,
      sizeGiB: settings.number("volumeGiB"),
      storageClassName: settings.optionalText("storageClassName"),
    }) as DatabaseStorageArgs),
  };
}

/** Without what the stack does not say, so that defaults are not overridden with nothing. */
function defined<T extends object>(values: T): T {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T;
}
