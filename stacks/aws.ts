import * as pulumi from "@pulumi/pulumi";
import { TideSql } from "../components/tideSql";
import { databaseSettings } from "./database";
import { Settings } from "./settings";

/** The whole deployment on AWS: what `Pulumi.prod.yaml` configures. */
export function awsStack(settings: Settings): Record<string, pulumi.Input<unknown>> {
  const image = settings.optionalText("image");
  const tideSql = new TideSql(settings.optionalText("name") ?? "tidesql", {
    ...databaseSettings(settings),
    region: new pulumi.Config("aws").require("region"),
    instanceType: settings.optionalText("instanceType"),
    cluster: {
      administrators: settings.list<string>("administrators"),
      publicAccessCidrs: settings.list<string>("publicAccessCidrs"),
    },
    objectStore: { bucketName: settings.optionalText("bucketName") },
    ...(image !== undefined && { image: { existing: image } }),
  });
  return {
    bucket: tideSql.bucket,
    image: tideSql.image,
    kubeconfig: tideSql.kubeconfig,
    namespace: tideSql.namespace,
    primaryEndpoint: tideSql.primaryEndpoint,
    replicaEndpoint: tideSql.replicaEndpoint,
    port: tideSql.port,
    connectionString: tideSql.connectionString,
    caCertificate: tideSql.caCertificate,
    passwords: tideSql.passwords,
    databaseId: tideSql.databaseId,
  };
}
