import { DatabaseNames } from "../names";
import { objectMetadata } from "./metadata";

/** What the pods show the object store, and know it by. */
export interface ObjectStoreCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  /** PEM of the store's own authority. */
  caCertificate?: string;
}

/** Keys and values of the object store's Secret: the manager reads files of these names. */
export function objectStoreSecretData(credentials: ObjectStoreCredentials): Record<string, string> {
  const { accessKeyId, secretAccessKey, caCertificate } = credentials;
  return { accessKeyId, secretAccessKey, ...(caCertificate !== undefined && { "ca.crt": caCertificate }) };
}

/**
 * The engine's access key.
 * @typeParam Data what {@link objectStoreSecretData} makes, or what becomes it when the plan is carried out
 */
export function objectStoreSecretManifest<Text, Data>(names: DatabaseNames<Text>, stringData: Data) {
  return opaque(names, names.objectStoreSecret, stringData);
}

/** Passwords, one key a user. */
export function usersSecretManifest<Text>(names: DatabaseNames<Text>, passwords: Record<string, Text>) {
  return opaque(names, names.usersSecret, passwords);
}

/**
 * How one user connects, for its applications. Its type is the one that libraries for the Service Binding specification look for.
 * @param namespace where the applications are
 */
export function connectionSecretManifest<Text, Data>(
  names: DatabaseNames<Text>,
  secretName: string,
  namespace: Text,
  stringData: Data,
) {
  const { metadata, ...secret } = opaque(names, secretName, stringData);
  return { ...secret, metadata: { ...metadata, namespace }, type: "servicebinding.io/mysql" };
}

/** The server's certificate, which the managers show one another too. */
export function tlsSecretManifest<Text>(
  names: DatabaseNames<Text>,
  tls: { certificate: Text; privateKey: Text; ca: Text },
) {
  return {
    ...opaque(names, names.tlsSecret, { "tls.crt": tls.certificate, "tls.key": tls.privateKey, "ca.crt": tls.ca }),
    type: "kubernetes.io/tls",
  };
}

function opaque<Text, Data>(names: DatabaseNames<Text>, secretName: string, stringData: Data) {
  return {
    apiVersion: "v1" as const,
    kind: "Secret" as const,
    metadata: objectMetadata(secretName, names),
    type: "Opaque",
    stringData,
  };
}
