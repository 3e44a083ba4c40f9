import * as fs from "node:fs";
import * as path from "node:path";
import { engineConfigurationText } from "../../../components/core/engineConfiguration";
import { ManagerConfiguration } from "../../../components/core/managerConfiguration";
import { managerConfigurationText } from "../../../components/core/managerConfigurationText";
import { podLayout } from "../../../components/core/podLayout";
import { deriveSizing } from "../../../components/core/sizing";
import { ManagerBundle } from "../../../components/managerBundle";
import { TestCertificate } from "../../engine/testCertificate";

/** What a pod that is a process of this machine is made of. */
export interface PodFiles {
  configuration: ManagerConfiguration;
  nodes: number;
  /** That its server listens on. */
  address: string;
  sizing: ReturnType<typeof deriveSizing>;
  manager: ManagerBundle;
  api: TestCertificate;
  peers: TestCertificate;
  applicationPassword: string;
  /** A text with the pod's folders below its root. */
  relocated: (text: string) => string;
}

/** Writes what the manifests mount into a pod below `root`. */
export function writePodFiles(root: string, pod: PodFiles): void {
  const { configuration, nodes, address, sizing, manager, api, peers, applicationPassword, relocated } = pod;
  const { databaseId, nodes: _nodes, ...body } = configuration;
  const engine = engineConfigurationText({
    durability: configuration.durability,
    region: configuration.objectStore.region,
    requireTls: true,
    sizing,
    settings: { bind_address: address },
  });
  const {
    serviceAccountDirectory: account,
    tlsSecretDirectory: tls,
    objectStoreSecretDirectory: keys,
    usersSecretDirectory: users,
  } = podLayout;
  const files = {
    [podLayout.managerConfiguration]: managerConfigurationText(body),
    [podLayout.databaseId]: databaseId,
    [podLayout.nodes]: String(nodes),
    [podLayout.engineConfiguration]: relocated(engine),
    [`${podLayout.managerDirectory}/manager.js`]: relocated(manager.manager),
    [`${podLayout.managerDirectory}/watchdog.js`]: manager.watchdog,
    [`${account}/token`]: "token",
    [`${account}/ca.crt`]: api.certificate,
    [`${tls}/tls.crt`]: peers.certificate,
    [`${tls}/tls.key`]: peers.key,
    [`${tls}/ca.crt`]: peers.certificate,
    [`${keys}/accessKeyId`]: "key",
    [`${keys}/secretAccessKey`]: "secret",
    [`${users}/app`]: applicationPassword,
  };
  for (const [file, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(root + file), { recursive: true });
    fs.writeFileSync(root + file, text);
  }
  for (const folder of [podLayout.dataDirectory, podLayout.runDirectory, podLayout.temporaryDirectory])
    fs.mkdirSync(root + folder, { recursive: true });
}
