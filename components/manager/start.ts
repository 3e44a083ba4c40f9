import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { access } from "node:fs/promises";
import { ManagerConfiguration, RestoreConfiguration } from "../core/managerConfiguration";
import { podLayout } from "../core/podLayout";
import { systemClock, systemStoreClock } from "./base/clock";
import { onWrite } from "./base/folderWatch";
import { credentialSource } from "./credentials/choose";
import { CredentialKeeper } from "./credentials/keeper";
import { mariadbEngine } from "./engine/mariadbEngine";
import { Ports } from "./base/ports";
import { prepareTemplate, SpareServer } from "./engine/serverTemplate";
import { RestorableBucket } from "./store/bucket/bucket";
import { EngineHandler, Gateway } from "./store/gateway/gateway";
import { countingBucket } from "./transitions/countingBucket";
import { openStore, StoreCredentials } from "./transitions/openStore";
import { SendEntry } from "./peers/entryPusher";
import { Manager } from "./manager";
import { EngineDoor, NodePorts, RestorePorts } from "./transitions/nodePorts";

/** The share of the pod's memory that a follower's replayed rows may take before its engine is restarted. */
const followerShare = 0.25;
const fallbackMemoryBytes = 1024 * 1024 * 1024;

/** The node's parts that are the same whatever its store is. */
export type CommonPorts = Pick<NodePorts, "kubernetes" | "peers" | "watchdog" | "log" | "exit" | "cluster">;

/** A manager with everything that it stands on. */
export interface StartedManager {
  manager: Manager;
  engine: Ports["engine"];
  ports: NodePorts;
  gateway: Gateway;
}

/**
 * Puts a manager together: the port that the engine is told, the bucket, mariadbd.
 * @param readKey the bucket's key; not called where the credentials are a role's
 */
export async function startManager(
  configuration: ManagerConfiguration,
  pod: string,
  identity: string,
  readKey: () => StoreCredentials,
  common: CommonPorts,
  pushEntry: SendEntry,
): Promise<StartedManager> {
  const { log } = common;
  const door = new Door();
  const started: Partial<StartedManager> = {};
  const gateway = await Gateway.listen({
    bucket: configuration.objectStore.bucket,
    accessKeyId: () => door.accessKeyId,
    handler: () => door.handler,
    lost: error => started.manager?.engine.kill(`a commit could not be appended to the log: ${String(error)}`),
    failed: (what, error) => log("info", "a request of the engine was not answered", { what, error: String(error) }),
    broken: error => {
      log("error", "the engine's object store has failed", { error: String(error) });
      // Its child goes with it.
      common.exit(70);
    },
  });
  const engine = mariadbEngine(
    configuration,
    () => engineLines(gateway, configuration.objectStore.bucket, door.accessKeyId),
    log,
  );
  // It takes seconds on a new volume: a first takeover need not wait for it.
  const prepared = prepareTemplate(configuration.mariadbPrefix, podLayout.templateDirectory);
  prepared.catch((error: unknown) =>
    log("warning", "an empty data directory could not be prepared yet", { error: String(error) }),
  );
  const clock = systemStoreClock;
  const keeper = roleCredentials(configuration, pod, clock, common);
  const servers = new SpareServer(
    configuration.mariadbPrefix,
    podLayout,
    ms => systemClock.sleep(ms),
    (error: unknown) => log("warning", "a second empty data directory could not be prepared", { error: String(error) }),
  );
  const ports: NodePorts = {
    ...common,
    clock,
    engine,
    bucket: countingBucket(openStore(configuration, keeper, readKey), systemClock),
    ...(keeper && { credentials: keeper }),
    door,
    pushEntry,
    ...(configuration.restore && {
      restore: restorePorts(configuration, configuration.restore, location => openStore(location, keeper, readKey)),
    }),
    files: {
      directory: podLayout.tidesdbDirectory,
      server: podLayout.mariadbDirectory,
      own: podLayout.storeDirectory,
      followerMemoryBytes: followerShare * podMemoryBytes(),
      async freshServer() {
        await prepared.catch(() => undefined);
        await servers.place();
      },
      isPrepared: () => servers.isReady,
      onWrite: changed => onWrite(podLayout.tidesdbDirectory, changed),
      // Not by a call that would have this process wait for the volume.
      hasServer: () =>
        access(`${podLayout.mariadbDirectory}/mysql`).then(
          () => true,
          () => false,
        ),
    },
  };
  const manager = (started.manager = new Manager(configuration, pod, identity, ports));
  return { manager, engine, ports, gateway };
}

/** What mariadbd is told of its object store; these lines win over those of `engine.cnf`. The bucket's name is for people who ask the server. */
export function engineLines({ endpoint }: Pick<Gateway, "endpoint">, bucket: string, accessKeyId: string): string[] {
  return [
    `tidesdb_s3_endpoint=${endpoint}`,
    `tidesdb_s3_bucket=${bucket}`,
    "tidesdb_s3_prefix=",
    "tidesdb_s3_use_ssl=OFF",
    "tidesdb_s3_path_style=ON",
    `tidesdb_s3_access_key=${accessKeyId}`,
    "tidesdb_s3_secret_key=worthless",
    // The manager reads the WAL itself.
    "tidesdb_objstore_wal_sync_threshold=0",
  ];
}

const nobody: EngineHandler = { handle: () => Promise.resolve({ status: 503 }) };

class Door implements EngineDoor {
  accessKeyId = randomBytes(16).toString("hex");
  handler = nobody;

  open(handler: EngineHandler): void {
    this.handler = handler;
  }

  shut(): void {
    this.handler = nobody;
  }

  renewKey(): void {
    this.accessKeyId = randomBytes(16).toString("hex");
  }
}

/** A role's credentials, kept fresh from now on. @returns undefined where the bucket's key is in a Secret */
function roleCredentials(
  configuration: ManagerConfiguration,
  pod: string,
  clock: NodePorts["clock"],
  { log, kubernetes }: CommonPorts,
): CredentialKeeper | undefined {
  const source = credentialSource(configuration, pod);
  if (!source) return undefined;
  const keeper = new CredentialKeeper(source, { clock, log, event: (...event) => kubernetes.event(...event) });
  void keeper.run();
  return keeper;
}

/** The same credentials read the source: it is in the same object store. */
function restorePorts(
  configuration: ManagerConfiguration,
  { bucket, prefix, at }: RestoreConfiguration,
  open: (configuration: ManagerConfiguration) => RestorableBucket,
): RestorePorts {
  const target = open(configuration);
  const objectStore = { ...configuration.objectStore, bucket, prefix };
  return {
    target,
    source: open({ ...configuration, objectStore }),
    copy: (key, size) => target.copyFrom({ bucket, prefix }, key, size),
    place: `s3://${bucket}/${prefix}`,
    at,
  };
}

/** The container's limit, in either version of cgroups. */
function podMemoryBytes(): number {
  for (const file of ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"]) {
    if (!existsSync(file)) continue;
    const bytes = Number(readFileSync(file, "utf8"));
    // Without a limit it is a number larger than any machine's memory, or the word `max`.
    if (bytes > 0 && bytes < 2 ** 50) return bytes;
  }
  return fallbackMemoryBytes;
}
