import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import {
  connectionCaFile,
  connectionOf,
  connectionSecretData,
  connectionSecretName,
  DatabaseConnection,
} from "../core/connections";
import { connectionSecretManifest } from "../core/manifests/secrets";
import { transformed } from "../transform";
import { Accounts } from "./accounts";
import { DatabaseContext } from "./context";

/** How the users connect. */
export interface DatabaseConnections {
  /** By user. A secret. */
  connections: pulumi.Output<Record<string, DatabaseConnection>>;
  /** By user: the name of the Secret, the same in each namespace. */
  secretNames: Record<string, string>;
}

/**
 * Makes a Secret for each user, in each namespace that is to have it.
 * @param passwords by user
 * @param caCertificate undefined where clients trust the authority already
 */
export function makeConnections(
  context: DatabaseContext,
  accounts: pulumi.Output<Accounts>,
  passwords: pulumi.Output<Record<string, string>>,
  caCertificate: pulumi.Output<string | undefined>,
): DatabaseConnections {
  const { settings } = context;
  const { names, services } = settings;
  // A password that is in a Secret of others is not known here.
  const users = settings.users.filter(({ passwordSecret }) => passwordSecret === undefined);
  const hosts = [serviceHost(settings, names.primaryService), serviceHost(settings, names.replicaService)] as const;
  const known = pulumi.all([passwords, caCertificate, accounts, ...hosts]);
  const connections = pulumi.secret(known).apply(([passwordsByUser, authority, { users: declared }, host, readHost]) =>
    Object.fromEntries(
      users.map(({ name: username }) => [
        username,
        connectionOf({
          host,
          readHost,
          port: services.primary.port,
          username,
          password: passwordsByUser[username] ?? "",
          database: declared.find(({ name }) => name === username)?.grants.find(({ database }) => database !== "*")
            ?.database,
          caCertificate: authority,
          caFile: connectionCaFile(names),
        }),
      ]),
    ),
  );
  for (const { name: username, secretNamespaces } of users) {
    for (const namespace of secretNamespaces ?? [names.namespace]) {
      makeSecret(context, username, namespace, connections);
    }
  }
  const secretNames = users.map(({ name: username }) => [username, connectionSecretName(names, username)]);
  return { connections, secretNames: Object.fromEntries(secretNames) as Record<string, string> };
}

/** A Service's whole name: it is the same from every namespace, and the certificate holds for it. */
export function serviceHost(
  { names, clusterDomain }: DatabaseContext["settings"],
  service: string,
): pulumi.Output<string> {
  return pulumi.interpolate`${service}.${names.namespace}.svc.${clusterDomain}`;
}

function makeSecret(
  { name, settings, transform, inside, outside }: DatabaseContext,
  username: string,
  namespace: pulumi.Input<string>,
  connections: pulumi.Output<Record<string, DatabaseConnection>>,
): void {
  const { names } = settings;
  const data = connections.apply(known => (known[username] ? connectionSecretData(known[username]) : {}));
  const isOwn = namespace === names.namespace;
  const manifest = connectionSecretManifest(names, connectionSecretName(names, username), namespace, data);
  new k8s.core.v1.Secret(
    ...transformed(
      transform.connectionSecret,
      `${name}-connection-${username}${isOwn || typeof namespace !== "string" ? "" : `-${namespace}`}`,
      manifest,
      isOwn ? inside : outside,
    ),
  );
}
