import { readFileSync } from "node:fs";
import { podLayout } from "../core/podLayout";
import { certificateCheckMilliseconds, CertificateWatch } from "./peers/certificates";
import { systemClock } from "./base/clock";
import { configurationFiles } from "./base/configurationFiles";
import { collectGarbage } from "./base/heap";
import { clusterIdentity } from "./cluster/clusterIdentity";
import { kubernetesApi } from "./cluster/kubernetesApi";
import { jsonLog } from "./base/log";
import { readKeyFiles } from "./transitions/openStore";
import { managerPages } from "./serve/pages";
import { startManager } from "./start";
import { peerNetwork, servePeers } from "./peers/peerNetwork";
import { serveStatus } from "./serve/statusServer";
import { supervise } from "./base/supervision";
import { widenThreadPool } from "./base/threadPool";
import { startWatchdog } from "./cluster/watchdogThread";

/** Until the server reads its certificate again. Milliseconds. */
const certificateTimeout = 5000;

/** Process 1 of a database pod. */
async function main(): Promise<void> {
  widenThreadPool(process.env);
  const pod = fromEnvironment("POD_NAME");
  const podUid = fromEnvironment("POD_UID");
  const log = jsonLog(pod);
  const configuration = configurationFiles(log);
  const { name, namespace, leaseDurationSeconds } = configuration;
  const peers = peerNetwork(configuration, pod, log);
  const common = {
    kubernetes: kubernetesApi({ namespace, name, pod, podUid, leaseDurationSeconds, log }),
    peers,
    watchdog: startWatchdog(`${podLayout.managerDirectory}/watchdog.js`, log),
    log,
    cluster: clusterIdentity({ namespace, name }, readFileSync(`${podLayout.serviceAccountDirectory}/ca.crt`)),
    exit: (code: number) => process.exit(code),
  };
  const identity = `${pod}_${podUid}`;
  const { manager, engine, ports, gateway } = await startManager(
    configuration,
    pod,
    identity,
    readKeyFiles,
    common,
    peers.pushEntry,
  );
  collectGarbage(log);
  serveStatus(managerPages(manager, ports, gateway), systemClock);
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
  log("info", "the manager is starting", { node: process.env.NODE_NAME, name, namespace });
  supervise(process, manager, log);
}

function fromEnvironment(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: the StatefulSet passes it with fieldRef`);
  return value;
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(70);
});
