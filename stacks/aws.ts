import * as pulumi from "@pulumi/pulumi";
import { ClusterArgs } from "../components/cluster";
import { NetworkArgs } from "../components/network";
import { ObjectStoreArgs } from "../components/objectStore";
import { TideSql, TideSqlArgs } from "../components/tideSql";
import { databaseSettings } from "./database";
import { Settings } from "./settings";

/** The whole deployment on AWS: what `Pulumi.prod.yaml` configures. */
export function awsStack(settings: Settings): Record<string, pulumi.Input<unknown>> {
  const name = settings.optionalText("name") ?? "tidesql";
  const image = settings.optionalText("image");
  const args: TideSqlArgs = {
    ...databaseSettings(settings),
    region: new pulumi.Config("aws").require("region"),
    instanceType: settings.optionalText("instanceType"),
    objectStorePrefix: settings.optionalText("objectStorePrefix"),
    tags: settings.structure("tags"),
    network: settings.structure<NetworkArgs>("network"),
    cluster: {
      administrators: settings.list<string>("administrators"),
      publicAccessCidrs: settings.list<string>("publicAccessCidrs"),
      ...settings.structure<ClusterArgs>("cluster"),
    },
    objectStore: {
      bucketName: settings.optionalText("bucketName"),
      ...settings.structure<ObjectStoreArgs>("objectStore"),
    },
    ...(image !== undefined && { image: { existing: image } }),
  };
  settings.refuseUnknown();
  const tideSql = new TideSql(name, args);
  return {
    bucket: tideSql.bucket,
    image: tideSql.image,
    kubeconfig: tideSql.kubeconfig,
    namespace: tideSql.namespace,
    primaryEndpoint: tideSql.primaryEndpoint,
    replicaEndpoint: tideSql.replicaEndpoint,
    port: tideSql.port,
    connections: tideSql.connections,
    connectionSecretNames: tideSql.connectionSecretNames,
    caCertificate: tideSql.caCertificate,
    passwords: tideSql.passwords,
    databaseId: tideSql.databaseId,
  };
}
