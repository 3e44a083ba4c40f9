import { readFileSync } from "node:fs";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { Database, DatabaseUserArgs, Durability, OnNoCandidate, StorageKind } from "../components/database";
import { Settings } from "./settings";

const mebibyte = 1024 * 1024;

/** A database on a Kubernetes that is there already, with any S3-compatible store: what `Pulumi.local.yaml` configures. */
export function kubernetesStack(settings: Settings): Record<string, pulumi.Input<unknown>> {
  const name = settings.optionalText("name") ?? "tidesql";
  const memoryMiB = settings.number("memoryMiB");
  const passwords = settings.secrets("passwords");
  const users = settings.list<DatabaseUserArgs>("users");

  const database = new Database(
    name,
    {
      image: settings.text("image"),
      namespace: settings.optionalText("namespace"),
      replicas: settings.number("replicas"),
      durability: settings.optionalText("durability") as Durability | undefined,
      onNoCandidate: settings.optionalText("onNoCandidate") as OnNoCandidate | undefined,
      objectStore: {
        endpoint: settings.text("endpoint"),
        bucket: settings.text("bucketName"),
        region: settings.optionalText("region") ?? "us-east-1",
        prefix: settings.optionalText("prefix"),
        useTls: settings.boolean("useTls"),
        pathStyle: settings.boolean("pathStyle"),
        accessKeyId: settings.secret("accessKeyId"),
        secretAccessKey: settings.secret("secretAccessKey"),
      },
      databases: settings.list<string>("databases"),
      users: users.map(user => ({ ...user, password: user.password ?? passwords[user.name] })),
      sizing: {
        ...(memoryMiB !== undefined && { memoryBytes: memoryMiB * mebibyte }),
        cpuCores: settings.number("cpuCores"),
        maxMemoryBytes: byMebibyte(settings.number("maxMemoryMiB")),
        blockCacheBytes: byMebibyte(settings.number("blockCacheMiB")),
        maxConnections: settings.number("maxConnections"),
      },
      storage: {
        kind: settings.optionalText("storage") as StorageKind | undefined,
        sizeGiB: settings.number("volumeGiB"),
        storageClassName: settings.optionalText("storageClassName"),
      },
      nodeImage: settings.optionalText("nodeImage"),
      engineSettings: settings.structure<Record<string, string>>("engineSettings"),
    },
    { provider: kubernetesProvider(settings) },
  );
  return {
    namespace: database.namespace,
    primaryEndpoint: database.primaryEndpoint,
    replicaEndpoint: database.replicaEndpoint,
    port: database.port,
    connectionString: database.connectionString,
    caCertificate: database.caCertificate,
    passwords: database.passwords,
  };
}

const byMebibyte = (count: number | undefined) => (count === undefined ? undefined : count * mebibyte);

/** The cluster that kubectl would reach, unless the stack names another. */
function kubernetesProvider(settings: Settings): k8s.Provider | undefined {
  const file = settings.optionalText("kubeconfig");
  const context = settings.optionalText("context");
  if (file === undefined && context === undefined) return undefined;
  return new k8s.Provider("cluster", {
    context,
    kubeconfig: file === undefined ? undefined : pulumi.secret(readFileSync(file, "utf8")),
  });
}
