import { databaseNames } from "../../components/core/names";
import type { ManagerConfiguration, UserDeclaration } from "../../components/core/managerConfiguration";
import type { FoundDatabase } from "./databaseState";
import { getJson, type Kubectl } from "./kubectl";
import type { ConfigMap, Secret } from "./kubernetesObjects";
import { Refused } from "./surroundings";

/** What a client needs to know of a database, passwords apart. */
export interface ClientAccess {
  configuration: ManagerConfiguration;
  /** Authority of the server's certificate, PEM. */
  authority: string;
  /** The Secret with the passwords, a key for each user but those that have one elsewhere. */
  usersSecret: string;
  /** Where the passwords of other users are, by user. */
  passwordsElsewhere: Record<string, { secret: string; key: string }>;
}

/** Where a forwarded port comes from, seen by the server. */
const forwardedAddresses = ["127.0.0.1", "localhost"];

/**
 * Reads what the database was deployed with.
 * @throws KubectlError when it may not be read
 */
export async function readAccess(kubectl: Kubectl, database: FoundDatabase): Promise<ClientAccess> {
  const { name, namespace, statefulSet } = database;
  const names = databaseNames(name, namespace, 1);
  const mounted = (volume: string) =>
    statefulSet.spec.template.spec.volumes?.find(candidate => candidate.name === volume)?.secret?.secretName;
  const [configMap, tls] = await Promise.all([
    getJson<ConfigMap>(kubectl, ["configmap", names.configuration, "-n", namespace]),
    getJson<Secret>(kubectl, ["secret", mounted("tls") ?? names.tlsSecret, "-n", namespace]),
  ]);
  return {
    configuration: parsedConfiguration(configMap, names.configuration),
    authority: decoded(tls, "ca.crt"),
    usersSecret: mounted("users") ?? names.usersSecret,
    passwordsElsewhere: passwordsElsewhere(statefulSet),
  };
}

/** Passwords that were there before the database are mounted beside the others, as files named by the users. */
function passwordsElsewhere({ spec }: FoundDatabase["statefulSet"]): ClientAccess["passwordsElsewhere"] {
  const sources = spec.template.spec.volumes?.find(({ name }) => name === "users")?.projected?.sources ?? [];
  const items = sources.flatMap(({ secret }) =>
    (secret?.items ?? []).map(({ key, path }) => [path, { secret: secret?.name ?? "", key }] as const),
  );
  return Object.fromEntries(items);
}

function parsedConfiguration({ data }: ConfigMap, name: string): ManagerConfiguration {
  try {
    const configuration = JSON.parse(data?.["manager.json"] ?? "") as ManagerConfiguration;
    if (Array.isArray(configuration.users)) return configuration;
  } catch {
    // Said below.
  }
  throw new Refused(`The ConfigMap ${name} does not describe the database: was it made by another version?`);
}

/** A user's password. @throws KubectlError when the Secret may not be read */
export async function readPassword(
  kubectl: Kubectl,
  { namespace }: FoundDatabase,
  { usersSecret, passwordsElsewhere: elsewhere }: ClientAccess,
  user: string,
): Promise<string> {
  const { secret, key } = elsewhere[user] ?? { secret: usersSecret, key: user };
  return decoded(await getJson<Secret>(kubectl, ["secret", secret, "-n", namespace]), key);
}

function decoded({ metadata, data }: Secret, key: string): string {
  const value = data?.[key];
  if (value === undefined) throw new Refused(`The Secret ${metadata.name} has no ${key}.`);
  return Buffer.from(value, "base64")
    .toString("utf8")
    .replace(/\r?\n$/, "");
}

/**
 * The user to log in as over a forwarded port.
 * @param wanted default: the first that may
 * @throws Refused when there is none
 */
export function userFor({ configuration }: ClientAccess, wanted?: string): UserDeclaration {
  const { users } = configuration;
  const named = users.map(({ name, host }) => `${name} (from ${host})`).join(", ") || "none";
  if (wanted === undefined) {
    const user = users.find(mayUseForwardedPort);
    if (user) return user;
    throw new Refused(
      `No declared user may log in over a forwarded port, which comes from 127.0.0.1. The declared users: ${named}.`,
    );
  }
  const user = users.find(({ name }) => name === wanted);
  if (user === undefined) throw new Refused(`There is no user "${wanted}". The declared users: ${named}.`);
  if (mayUseForwardedPort(user)) return user;
  throw new Refused(`${user.name} may connect from ${user.host} only, and a forwarded port comes from 127.0.0.1.`);
}

/** Whether a user's host pattern admits connections from the server's own pod. */
export function mayUseForwardedPort({ host }: UserDeclaration): boolean {
  const pattern = host
    .replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
    .replaceAll("%", ".*")
    .replaceAll("_", ".");
  return forwardedAddresses.some(address => new RegExp(`^${pattern}$`, "i").test(address));
}
