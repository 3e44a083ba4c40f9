import { existsSync } from "node:fs";
import { podLayout } from "../core/podLayout";
import { certificateCheckMilliseconds, CertificateWatch } from "./certificates";
import { systemClock } from "./clock";
import { configurationFiles } from "./configurationFiles";
import { dataVolume } from "./dataVolume";
import { collectGarbage } from "./heap";
import { kubernetesApi } from "./kubernetesApi";
import { jsonLog } from "./log";
import { Manager } from "./manager";
import { mariadbEngine, readSecret } from "./mariadbEngine";
import { objectStore } from "./objectStore";
import { peerNetwork, servePeers } from "./peerNetwork";
import { retryingStore } from "./retryingStore";
import { serveStatus } from "./statusServer";
import { startWatchdog } from "./watchdogThread";

/** For the server to read its certificate anew. Milliseconds. */
const certificateTimeout = 5000;

/** Process 1 of a database pod. */
function main(): void {
  const pod = fromEnvironment("POD_NAME");
  const podUid = fromEnvironment("POD_UID");
  const log = jsonLog(pod);
  const configuration = configurationFiles(log);
  const { name, namespace, leaseDurationSeconds } = configuration;
  const caFile = `${podLayout.objectStoreSecretDirectory}/ca.crt`;
  const credentials = {
    accessKeyId: readSecret(`${podLayout.objectStoreSecretDirectory}/accessKeyId`),
    secretAccessKey: readSecret(`${podLayout.objectStoreSecretDirectory}/secretAccessKey`),
    ...(existsSync(caFile) && { caFile }),
  };
  const engine = mariadbEngine(configuration, credentials, log);
  const peers = peerNetwork(configuration, pod, log);
  const manager = new Manager(configuration, pod, `${pod}_${podUid}`, {
    clock: systemClock,
    kubernetes: kubernetesApi({ namespace, name, pod, podUid, leaseDurationSeconds, log }),
    store: retryingStore(objectStore(configuration.objectStore, credentials), systemClock),
    engine,
    volume: dataVolume(configuration.mariadbPrefix),
    peers,
    watchdog: startWatchdog(`${podLayout.managerDirectory}/watchdog.js`, log),
    log,
    exit: code => process.exit(code),
  });
  // Whatever goes wrong unforeseen: end, and take mariadbd along. A restart in place loses nothing; a manager in an unknown state might.
  process.on("uncaughtException", error => {
    log("error", "uncaught exception", { error: error.stack });
    process.exit(70);
  });
  process.on("SIGTERM", () => manager.requestStop());
  process.on("SIGINT", () => manager.requestStop());
  collectGarbage(log);
  serveStatus(manager, systemClock);
  const peerServer = servePeers(configuration, manager.peerDesk, log);
  const certificates = new CertificateWatch(
    podLayout.tlsSecretDirectory,
    async identity => {
      await engine.reloadCertificate(certificateTimeout);
      peerServer.setSecureContext(identity);
      peers.useIdentity(identity);
    },
    log,
  );
  setInterval(() => void certificates.check(), certificateCheckMilliseconds).unref();
  log("info", "the manager starts", { node: process.env.NODE_NAME, name, namespace });
  manager.run().catch((error: unknown) => {
    log("error", "the manager ends", { error: String(error) });
    process.exit(70);
  });
}

function fromEnvironment(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: the StatefulSet passes it with fieldRef`);
  return value;
}

main();
