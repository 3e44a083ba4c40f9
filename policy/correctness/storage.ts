import { Level } from "../check";
import { databaseCheck, optionFinding } from "../databaseCheck";
import { type Database, databaseOf } from "../model/database";
import { forEach } from "../model/field";
import { isLongRunning, nameOf, ofKind } from "../model/kubernetes";
import { mountHolding } from "../model/mounts";
import { type Stack } from "../model/stack";

/** Where the image keeps MariaDB's data when it is not told otherwise (TideSQL, docker/ubuntu). TidesDB's files are beside it. */
const imageDataDirectory = "/usr/local/mariadb/data/default";

/** Where the manager keeps it. */
const managerDataDirectory = "/var/lib/tidesql";

/** Volumes that a process can write to. */
const writableKinds = [
  "persistentVolumeClaim",
  "emptyDir",
  "ephemeral",
  "hostPath",
  "csi",
  "awsElasticBlockStore",
  "nfs",
  "local",
];

/** The folder in the object store that a database owns; undefined when the database does not say. */
function locationOf({ settings }: Database): { bucket: string; folder: string } | undefined {
  const bucket = settings.text("tidesdb_s3_bucket");
  if (bucket === undefined) return undefined;
  const endpoint = (settings.text("tidesdb_s3_endpoint") ?? "")
    .toLowerCase()
    .replace(/^https?:\/\//, "")
    .replace(/\/+$/, "")
    .replace(/^s3\.[\w-]+\.amazonaws\.com$/, "s3.amazonaws.com");
  const prefix = (settings.text("tidesdb_s3_prefix") ?? "").replace(/\/+$/, "");
  return { bucket: `${endpoint}/${bucket}`, folder: prefix === "" ? "" : `${prefix}/` };
}

/** Whether two databases have files in the same folder, or one has its folder inside the other's. */
function overlap(one: Database, other: Database): boolean {
  const [first, second] = [locationOf(one), locationOf(other)];
  if (!first || !second || first.bucket !== second.bucket) return false;
  return first.folder.startsWith(second.folder) || second.folder.startsWith(first.folder);
}

/** Whether a pod of this database may write to the bucket: as the primary from the start, or once the manager promotes it. */
function mayWrite({ settings, runsManager }: Database): boolean {
  return runsManager || !settings.isOn("tidesdb_replica_mode", false);
}

/** The databases that come before this one and own the same folder, or one around it or in it. */
function earlierOwners(database: Database, stack: Stack): Database[] {
  const workloads = stack.where(isLongRunning);
  const earlier = workloads.slice(0, workloads.indexOf(database.workload));
  return earlier.flatMap(workload => {
    const other = databaseOf(workload, stack);
    return other && mayWrite(other) && overlap(database, other) ? [other] : [];
  });
}

/** Where the data is. */
export const storageChecks = [
  databaseCheck({
    id: "correctness-shared-prefix",
    description: "Two databases never share a folder of a bucket.",
    why: "Each overwrites the other's WAL and manifests, and both lose rows.",
    fix: "a tidesdb_s3_prefix of its own for the newer one, ending with /. A database in use looks empty under a new prefix: dump it first and load it there",
    level: Level.mandatory,
    *evaluateDatabase(database, _given, stack) {
      if (!mayWrite(database)) return;
      for (const other of earlierOwners(database, stack)) {
        yield optionFinding(
          database,
          database.settings.get("tidesdb_s3_prefix") ?? database.settings.get("tidesdb_s3_bucket"),
          `Its folder in the bucket, or a part of it, belongs to ${other.workload.resource.name} too.`,
        );
      }
    },
  }),

  databaseCheck({
    id: "correctness-object-store-address",
    description: "The object store is addressed by a regional endpoint and a prefix that ends with a slash.",
    why: "The engine follows no redirect to another region, and joins prefix and key as they are.",
    fix: "tidesdb_s3_endpoint=s3.<region>.amazonaws.com, and for a new database tidesdb_s3_prefix=<name>/ (one in use looks empty under another prefix)",
    level: Level.advisory,
    *evaluateDatabase(database) {
      const { settings } = database;
      const endpoint = settings.get("tidesdb_s3_endpoint");
      const prefix = settings.get("tidesdb_s3_prefix");
      if (endpoint && /^(https?:\/\/)?s3\.amazonaws\.com\/?$/i.test(endpoint.value)) {
        const wayOut = `tidesdb_s3_endpoint=s3.${settings.text("tidesdb_s3_region") ?? "<region>"}.amazonaws.com`;
        yield optionFinding(database, endpoint, "The endpoint is the global one.", wayOut);
      }
      if (!prefix) {
        const message = "The database owns the whole bucket, since no prefix is set.";
        yield optionFinding(
          database,
          undefined,
          message,
          "for a new database tidesdb_s3_prefix=<name>/ (one in use looks empty under another prefix)",
        );
      } else if (!prefix.value.endsWith("/")) {
        yield optionFinding(
          database,
          prefix,
          "The prefix does not end with a slash.",
          `for a new database tidesdb_s3_prefix=${prefix.value}/ (one in use looks empty under another prefix)`,
        );
      }
    },
  }),

  databaseCheck({
    id: "correctness-data-volume",
    description: "The data is on a volume that outlives the pod, unless every commit waits for the bucket.",
    why: "An emptyDir is deleted with its pod, and with it whatever had not reached the bucket.",
    fix: "volumeClaimTemplates for the data, or tidesdb_objstore_wal_sync_on_commit=ON",
    level: Level.advisory,
    development: { level: Level.disabled },
    *evaluateDatabase({ mounts, settings, runsManager }) {
      const directory = settings.seen("datadir")?.value ?? (runsManager ? managerDataDirectory : imageDataDirectory);
      const mount = mountHolding(mounts, directory);
      if (mount?.kind !== "emptyDir" || settings.isOn("tidesdb_objstore_wal_sync_on_commit", false)) return;
      yield { path: mount.field.path, message: `The data in ${mount.path} is on an emptyDir.` };
    },
  }),

  databaseCheck({
    id: "correctness-volume-reclaim",
    description: "The volumes of a database without an object store outlive their claims.",
    why: "Its rows are on these volumes alone, and a claim is deleted with its namespace.",
    fix: 'tidesdb_object_store_backend=S3, or a new StorageClass with reclaimPolicy: "Retain" (the field of an old one cannot be changed) and the same in the spec of the volumes that exist',
    level: Level.mandatory,
    development: { level: Level.disabled },
    *evaluateDatabase({ workload, settings, runsManager }, _given, stack) {
      const backend = settings.text("tidesdb_object_store_backend") ?? "";
      if (runsManager || /^s3$/i.test(backend) || settings.seen("tidesdb_s3_bucket")) return;
      const classes = stack.where(ofKind("StorageClass"));
      for (const claim of workload.at("spec", "volumeClaimTemplates").items) {
        const wanted = claim.at("spec", "storageClassName").text;
        const storageClass = classes.find(candidate => nameOf(candidate) === wanted);
        if (!storageClass || storageClass.at("reclaimPolicy").text === "Retain") continue;
        yield {
          path: claim.at("spec", "storageClassName").path,
          message: `The StorageClass ${wanted} deletes a volume with its claim, and no object store has its rows.`,
        };
      }
    },
  }),

  databaseCheck({
    id: "correctness-data-directory",
    description: "The server's data directory is on a volume.",
    why: "What is written beside the volume fills the node's disk, and is gone with the container.",
    fix: "mountPath: /usr/local/mariadb/data, or datadir=<a folder of the volume>",
    level: Level.mandatory,
    *evaluateDatabase({ container, mounts, settings, runsManager }) {
      const writable = mounts.filter(
        ({ kind, readOnly }) => !readOnly && kind !== undefined && writableKinds.includes(kind),
      );
      const directory = settings.seen("datadir")?.value;
      if (runsManager && directory === undefined) {
        if (writable.length > 0) return;
        yield {
          path: container.path,
          message: "No volume is mounted for the data.",
          wayOut: "a volume at /var/lib/tidesql",
        };
        return;
      }
      if (directory === undefined) settings.get("datadir");
      const path = directory ?? imageDataDirectory;
      if (mountHolding(writable, path)) return;
      yield* forEach(writable.length > 0 ? writable : [undefined], function* (mount) {
        yield {
          path: mount?.field.at("mountPath").path ?? container.path,
          message: mount
            ? `The server keeps its data in ${path}, and the volume at ${mount.path} stays empty.`
            : `The server keeps its data in ${path}, where no volume is mounted.`,
          wayOut: `mountPath: ${path.replace(/\/[^/]+$/, "")} (or datadir=<a folder of the volume>)`,
        };
      });
    },
  }),
];
