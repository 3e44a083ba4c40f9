import * as os from "node:os";
import * as path from "node:path";
import { fileDisk } from "../disk/fileDisk";
import { Engine, reaperIntervalMilliseconds } from "../model/engine";
import { EngineStopped } from "../model/errors";
import { Environment, EngineLog, ObjectStore } from "../model/ports";
import { EngineSettings } from "../model/settings";
import { MemoryObjectStore } from "../objectStore/memoryObjectStore";
import { s3ObjectStore } from "../objectStore/s3ObjectStore";
import { StartRefused } from "./configuration/optionFiles";
import { Variables } from "./execute/variables";

const realClock = {
  now: () => performance.now(),
  sleep: (milliseconds: number) => new Promise<void>(resolve => setTimeout(resolve, milliseconds)),
};

/** Opens the engine as the server's variables say. Its folder is beside the data directory. @throws StartRefused */
export function openEngine(variables: Variables, dataDirectory: string, log: EngineLog): Promise<Engine> {
  const home = variables.get("tidesdb_data_home_dir") || path.join(dataDirectory, "..", "tidesdb_data");
  const environment: Environment = {
    disk: fileDisk(path.resolve(home)),
    store: storeOf(variables),
    clock: realClock,
    random: Math.random,
    log,
  };
  return Engine.open(environment, engineSettings(variables));
}

/** Does what the engine's own threads do, for as long as it lives. @param onFailure what ends the process */
export function runEngine(engine: Engine, onFailure: (error: unknown) => void): void {
  const repeat = async (milliseconds: number, step: () => Promise<void>) => {
    while (engine.alive) {
      await realClock.sleep(milliseconds);
      if (engine.alive) await step();
    }
  };
  const notice = (error: unknown) => {
    if (!(error instanceof EngineStopped)) onFailure(error);
  };
  repeat(reaperIntervalMilliseconds, () => engine.tick()).catch(notice);
  repeat(engine.settings.replicaSyncIntervalMilliseconds, () => engine.poll()).catch(notice);
}

function engineSettings(variables: Variables): Partial<EngineSettings> {
  const number = (name: string) => variables.number(`tidesdb_${name}`);
  return {
    replicaMode: variables.isOn("tidesdb_replica_mode"),
    replicaSyncIntervalMilliseconds: number("replica_sync_interval") / 1000,
    walSyncThresholdBytes: number("objstore_wal_sync_threshold"),
    walSyncOnCommit: variables.isOn("tidesdb_objstore_wal_sync_on_commit"),
    writeBufferBytes: number("unified_memtable_write_buffer_size"),
    maxConcurrentUploads: number("objstore_max_concurrent_uploads") || 4,
    maxOpenSstables: number("max_open_sstables"),
    memoryLimitBytes: memoryLimit(number("max_memory_usage")),
  };
}

/** The engine looks at the machine's memory, not at the container's: three quarters of it by default, and never less than a twentieth. */
function memoryLimit(given: number): number {
  const machine = os.totalmem();
  return Math.floor(given === 0 ? 0.75 * machine : Math.max(given, 0.05 * machine));
}

function storeOf(variables: Variables): ObjectStore {
  const text = (name: string) => variables.get(`tidesdb_${name}`);
  const backend = text("object_store_backend");
  // Without an object store nothing leaves the node.
  if (backend === "LOCAL") return new MemoryObjectStore();
  if (backend !== "S3") throw new StartRefused(`the simulation has no object store ${backend}`);
  for (const name of ["s3_endpoint", "s3_bucket", "s3_access_key", "s3_secret_key"]) {
    if (text(name) === "") throw new StartRefused(`[TIDESDB] tidesdb_${name} is required for the S3 object store`);
  }
  return s3ObjectStore({
    endpoint: text("s3_endpoint"),
    bucket: text("s3_bucket"),
    region: text("s3_region") || "us-east-1",
    prefix: text("s3_prefix"),
    accessKeyId: text("s3_access_key"),
    secretAccessKey: text("s3_secret_key"),
    useTls: variables.isOn("tidesdb_s3_use_ssl"),
    pathStyle: variables.isOn("tidesdb_s3_path_style"),
    verifyTls: !variables.isOn("tidesdb_s3_tls_insecure_skip_verify"),
    ...(text("s3_tls_ca_path") && { authorityFile: text("s3_tls_ca_path") }),
  });
}
