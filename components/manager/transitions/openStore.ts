import { existsSync, readFileSync } from "node:fs";
import { ManagerConfiguration } from "../../core/managerConfiguration";
import { podLayout } from "../../core/podLayout";
import { readSecret } from "../engine/mariadbEngine";
import { RestorableBucket } from "../store/bucket/bucket";
import { s3Bucket, Signer } from "../store/bucket/s3Bucket";

/** A key that opens the bucket. */
export interface StoreCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  /** PEM file of the store's own authority, when it has one. */
  caFile?: string;
}

/** The deployment's folder in the bucket, with a role's credentials or with the key that is read. */
export function openStore(
  { objectStore }: Pick<ManagerConfiguration, "objectStore">,
  role: Signer | undefined,
  readKey: () => StoreCredentials,
): RestorableBucket {
  if (role) return s3Bucket(objectStore, role);
  const { accessKeyId, secretAccessKey, caFile } = readKey();
  const location = { ...objectStore, ...(caFile && { ca: readFileSync(caFile) }) };
  return s3Bucket(location, { current: () => Promise.resolve({ accessKeyId, secretAccessKey }) });
}

/** The bucket's key, as its Secret is mounted. */
export function readKeyFiles(): StoreCredentials {
  const directory = podLayout.objectStoreSecretDirectory;
  const caFile = `${directory}/ca.crt`;
  return {
    accessKeyId: readSecret(`${directory}/accessKeyId`),
    secretAccessKey: readSecret(`${directory}/secretAccessKey`),
    ...(existsSync(caFile) && { caFile }),
  };
}
