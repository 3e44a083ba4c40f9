import { ManagerConfiguration } from "../core/managerConfiguration";
import { podLayout } from "../core/podLayout";
import { certificateCheckMilliseconds, CertificateWatch } from "./certificates";
import { systemClock } from "./clock";
import { configurationFiles } from "./configurationFiles";
import { dataVolume } from "./dataVolume";
import { collectGarbage } from "./heap";
import { kubernetesApi } from "./kubernetesApi";
import { jsonLog } from "./log";
import { Manager } from "./manager";
import { mariadbEngine } from "./mariadbEngine";
import { objectStore, StoreCredentials } from "./objectStore";
import { readKeyFiles } from "./onLog/openStore";
import { logPages } from "./onLog/pages";
import { CommonPorts, StartedLog, startOnLog } from "./onLog/start";
import { peerNetwork, servePeers } from "./peerNetwork";
import { retryingStore } from "./retryingStore";
import { managerPages, serveStatus } from "./statusServer";
import { supervise } from "./supervision";
import { noRequests } from "./usage";
import { startWatchdog } from "./watchdogThread";

/** Until the server reads its certificate again. Milliseconds. */
const certificateTimeout = 5000;

/** Process 1 of a database pod. */
async function main(): Promise<void> {
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
    exit: (code: number) => process.exit(code),
  };
  const identity = `${pod}_${podUid}`;
  const { manager, engine, pages } =
    configuration.store === "log"
      ? onLog(await startOnLog(configuration, pod, identity, readKeyFiles, common, peers.pushEntry))
      : onBucket(configuration, pod, identity, readKeyFiles(), common);
  collectGarbage(log);
  serveStatus(pages, systemClock);
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

/** The engine keeps its own files in the bucket. */
function onBucket(
  configuration: ManagerConfiguration,
  pod: string,
  identity: string,
  credentials: StoreCredentials,
  common: CommonPorts,
) {
  const engine = mariadbEngine(configuration, credentials, common.log);
  const requests = noRequests();
  const store = objectStore(configuration.objectStore, credentials, kind => requests[kind]++);
  const manager = new Manager(configuration, pod, identity, {
    ...common,
    clock: systemClock,
    store: retryingStore(store, systemClock),
    engine,
    volume: dataVolume(configuration.mariadbPrefix),
  });
  const { replicaSyncIntervalMicroseconds } = configuration;
  const usage = { requests, enginePid: () => engine.pid(), replicaSyncIntervalMicroseconds };
  return { manager, engine, pages: managerPages(manager, usage) };
}

/** The manager keeps a log in the bucket, and is the engine's object store. */
function onLog({ manager, engine, ports, gateway }: StartedLog) {
  return { manager, engine, pages: logPages(manager, ports, gateway) };
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
