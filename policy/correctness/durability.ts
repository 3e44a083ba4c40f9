import { inMebibytes } from "../../components/core/quantities";
import { largestWriteBuffer } from "../../components/core/sizing";
import { Level } from "../check";
import { databaseCheck, optionFinding } from "../databaseCheck";

/** What the engine takes when the option is absent (TideSQL 4.5, "Variables"). Bytes. */
const defaultThreshold = 1024 ** 2;
const defaultWriteBuffer = 256 * 1024 ** 2;

/** An empty WAL is 8 bytes long: below 9 a replica ships its own empty WAL over the primary's. */
const leastThreshold = 9;

/** Options with one value that loses nothing; each is the engine's default, or set in docs/engine-options.md. */
const lossless: readonly (readonly [name: string, right: RegExp, write: string, otherwise: string])[] = [
  ["tidesdb_object_store_backend", /^s3$/i, "S3", "nothing reaches the bucket"],
  ["tidesdb_unified_memtable", /^(on|true|1)$/i, "ON", "each table has a WAL of its own, which no replica follows"],
  ["tidesdb_unified_memtable_sync_mode", /^full$/i, "FULL", "a crash loses what was committed"],
  ["tidesdb_objstore_replicate_wal", /^(on|true|1)$/i, "ON", "the WAL stays on one disk"],
  ["tidesdb_objstore_replica_replay_wal", /^(on|true|1)$/i, "ON", "a replica does not read the WAL"],
  ["tidesdb_objstore_sync_manifest_to_object", /^(on|true|1)$/i, "ON", "the bucket does not say what is in it"],
];

/** When acknowledged rows reach the bucket. */
export const durabilityChecks = [
  databaseCheck({
    id: "correctness-lossless-options",
    description: "No option of the engine gives up what makes a commit durable and seen by replicas.",
    why: "Each of these options has one value with which an acknowledged row survives its node.",
    fix: lossless.map(([name, , write]) => `${name}=${write}`).join(", "),
    level: Level.mandatory,
    *evaluateDatabase(database) {
      for (const [name, right, write, otherwise] of lossless) {
        const setting = database.settings.seen(name);
        if (!setting || right.test(setting.value)) continue;
        const message = `With ${name}=${setting.value} ${otherwise}.`;
        yield optionFinding(database, setting, message, `${name}=${write}`);
      }
      // The others are right where they are absent; without this one nothing is known of the engine's configuration.
      database.settings.get("tidesdb_object_store_backend");
    },
  }),

  databaseCheck<{ maximumThresholdBytes: number }>({
    id: "correctness-wal-shipping",
    description: "The WAL is shipped within a bounded time after a commit.",
    why: "A threshold of a megabyte ships by volume only: at low write rates acknowledged rows stay on one disk for hours, and replicas do not see them.",
    fix: "tidesdb_objstore_wal_sync_threshold=16, or tidesdb_objstore_wal_sync_on_commit=ON (new Database(...) needs neither: its manager ships the WAL)",
    level: Level.mandatory,
    development: { level: Level.advisory },
    configuration: {
      maximumThresholdBytes: {
        type: "integer",
        minimum: leastThreshold,
        default: 64,
        description:
          "Largest tidesdb_objstore_wal_sync_threshold. Bytes. Smaller than any commit's WAL entry, so that each tick (0.1 s) ships what was committed.",
      },
    },
    *evaluateDatabase(database, { maximumThresholdBytes }) {
      const { settings } = database;
      if (settings.isOn("tidesdb_objstore_wal_sync_on_commit", false)) return;
      const setting = settings.get("tidesdb_objstore_wal_sync_threshold");
      // The manager reads the WAL itself, and ships what is new.
      if (database.runsManager && setting === undefined) return;
      const bytes = settings.bytes("tidesdb_objstore_wal_sync_threshold", defaultThreshold);
      if (bytes === 0 || bytes > maximumThresholdBytes) {
        const shown = bytes === 0 ? "never" : `after ${bytes} bytes`;
        yield optionFinding(database, setting, `The WAL is shipped ${shown}, without a bound in time.`);
      } else if (bytes < leastThreshold) {
        const message = `With a threshold of ${bytes} a replica ships its own empty WAL over the primary's.`;
        yield optionFinding(database, setting, message);
      }
    },
  }),

  databaseCheck<{ maximumBytes: number }>({
    id: "correctness-write-buffer",
    description: "The write buffer is small enough to be shipped again and again.",
    why: "The engine uploads the whole active WAL at each shipment, and the WAL grows to the buffer's size: commits wait for it with `sync_on_commit`, and shipments overtake each other without. A manager uploads only what is new, but a takeover replays as much as the buffer holds.",
    fix: "tidesdb_unified_memtable_write_buffer_size=8M",
    level: Level.advisory,
    configuration: {
      maximumBytes: {
        type: "integer",
        minimum: 1024 ** 2,
        default: 16 * 1024 ** 2,
        description: "Largest tidesdb_unified_memtable_write_buffer_size. Bytes.",
      },
    },
    *evaluateDatabase(database, { maximumBytes }) {
      const name = "tidesdb_unified_memtable_write_buffer_size";
      const setting = database.settings.get(name);
      const bytes = database.settings.bytes(name, defaultWriteBuffer);
      // A manager ships what is new in the WAL, once.
      if (bytes <= (database.runsManager ? Math.max(maximumBytes, largestWriteBuffer) : maximumBytes)) return;
      const everyCommit = database.settings.isOn("tidesdb_objstore_wal_sync_on_commit", false);
      const cost = everyCommit ? "every commit uploads up to that much" : "every shipment uploads up to that much";
      yield optionFinding(database, setting, `The write buffer is ${inMebibytes(bytes)}: ${cost}.`);
    },
  }),

  databaseCheck({
    id: "correctness-cache-eviction",
    description: "The engine does not evict files from a disk that it may start on again.",
    why: "On a start with local files the engine does not look in the bucket for those that it evicted: their rows are missing, without an error.",
    fix: "tidesdb_objstore_local_cache_max=0, and a volume that holds the data",
    level: Level.mandatory,
    *evaluateDatabase(database) {
      const name = "tidesdb_objstore_local_cache_max";
      const setting = database.settings.get(name);
      if (database.settings.bytes(name, 0) === 0) return;
      yield optionFinding(
        database,
        setting,
        `The cache evicts at ${setting?.value}, and the volume outlives a restart of the container.`,
      );
    },
  }),

  databaseCheck({
    id: "correctness-compaction",
    description: "Level 1 is not compacted by the tree's shape.",
    why: "A node that loads its tables from the bucket reads such compacted files as empty: rows are missing on every later replica.",
    fix: "tidesdb_default_l1_file_count_trigger=1000, tidesdb_default_min_levels=2, tidesdb_default_tombstone_density_trigger=1, tidesdb_default_tombstone_density_min_entries=1",
    level: Level.mandatory,
    *evaluateDatabase(database) {
      const name = "tidesdb_default_l1_file_count_trigger";
      const setting = database.settings.get(name);
      if (Number(setting?.value ?? 0) >= 1000) return;
      yield optionFinding(database, setting, `Compaction starts at ${setting?.value ?? "the engine's default"}.`);
    },
  }),
];
