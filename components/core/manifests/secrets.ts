import { DatabaseNames } from "../names";
import { objectMetadata } from "./metadata";

/** Keys of the object store's Secret: the manager reads files of these names. */
export interface ObjectStoreCredentials<Text> {
  accessKeyId: Text;
  secretAccessKey: Text;
  /** PEM of the store's own authority. */
  caCertificate?: Text;
}

/** The engine's access key. */
export function objectStoreSecretManifest<Text>(names: DatabaseNames, credentials: ObjectStoreCredentials<Text>) {
  const { accessKeyId, secretAccessKey, caCertificate } = credentials;
  return opaque(names, names.objectStoreSecret, {
    accessKeyId,
    secretAccessKey,
    ...(caCertificate !== undefined && { "ca.crt": caCertificate }),
  });
}

/** Passwords, one key a user. */
export function usersSecretManifest<Text>(names: DatabaseNames, passwords: Record<string, Text>) {
  return opaque(names, names.usersSecret, passwords);
}

/** The server's certificate, which the managers show one another too. */
export function tlsSecretManifest<Text>(names: DatabaseNames, tls: { certificate: Text; privateKey: Text; ca: Text }) {
  return {
    ...opaque(names, names.tlsSecret, { "tls.crt": tls.certificate, "tls.key": tls.privateKey, "ca.crt": tls.ca }),
    type: "kubernetes.io/tls",
  };
}

function opaque<Text>(names: DatabaseNames, secretName: string, stringData: Record<string, Text>) {
  return {
    apiVersion: "v1" as const,
    kind: "Secret" as const,
    metadata: objectMetadata(secretName, names),
    type: "Opaque",
    stringData,
  };
}
