import { readFileSync } from "node:fs";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { Database, DatabaseArgs } from "../components/database";
import { changeInPlace } from "../components/core/providerSettings";
import { StoreCredentials } from "../components/objectStore";
import { databaseSettings } from "./database";
import { Settings } from "./settings";

/** A database on a Kubernetes that is there already, with any S3-compatible store: what `Pulumi.local.yaml` configures. */
export function kubernetesStack(settings: Settings): Record<string, pulumi.Input<unknown>> {
  const name = settings.optionalText("name") ?? "tidesql";
  const credentials = settings.optionalText("credentials") as StoreCredentials | undefined;
  const args: DatabaseArgs = {
    ...databaseSettings(settings),
    image: settings.input("image"),
    objectStore: {
      endpoint: settings.input("endpoint"),
      bucket: settings.input("bucketName"),
      region: settings.optionalInput("region") ?? "us-east-1",
      prefix: settings.optionalInput("prefix"),
      useTls: settings.boolean("useTls"),
      pathStyle: settings.boolean("pathStyle"),
      ...(credentials === undefined || credentials === StoreCredentials.Key
        ? { accessKeyId: settings.secret("accessKeyId"), secretAccessKey: settings.secret("secretAccessKey") }
        : { credentials, roleArn: settings.optionalInput("roleArn") }),
      caCertificate: settings.optionalInput("caCertificate"),
    },
  };
  const kubeconfig = settings.optionalText("kubeconfig");
  const context = settings.optionalText("context");
  settings.refuseUnknown();
  const database = new Database(name, args, { provider: kubernetesProvider(kubeconfig, context) });
  return {
    namespace: database.namespace,
    primaryEndpoint: database.primaryEndpoint,
    replicaEndpoint: database.replicaEndpoint,
    port: database.port,
    connections: database.connections,
    connectionSecretNames: database.connectionSecretNames,
    caCertificate: database.caCertificate,
    passwords: database.passwords,
    databaseId: database.databaseId,
  };
}

/** The cluster that kubectl would reach, unless the stack names another. */
function kubernetesProvider(file: string | undefined, context: string | undefined): k8s.Provider {
  const kubeconfig = file === undefined ? undefined : pulumi.secret(readFileSync(file, "utf8"));
  return new k8s.Provider("cluster", { context, kubeconfig, ...changeInPlace });
}
