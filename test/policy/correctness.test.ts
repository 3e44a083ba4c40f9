import { type RawResource, notYetKnown } from "../../policy/model/resource";
import { describePolicy } from "./describePolicy";
import { goodDatabase, option, withoutManager } from "./goodProgram";
import { changed, manifests, plus, resource, set, without, type Change } from "./program";

const good = [goodDatabase];
const container = "spec.template.spec.containers[0]";
const optionsNotSeen = changed(goodDatabase, set("orders-config", "data", notYetKnown));

const inEmptyDir = changed(
  goodDatabase,
  set("orders", "spec.volumeClaimTemplates", undefined),
  set("orders", "spec.template.spec.volumes[2]", { name: "data", emptyDir: {} }),
);

/** A second database beside `orders`, its names changed. */
const secondDatabase: Change = program => [
  ...program,
  ...program
    .filter(({ name }) => name === "orders" || name === "orders-config")
    .map(({ type, name, inputs }) => {
      const renamed = JSON.parse(JSON.stringify(inputs).replaceAll("orders-config", "billing-config")) as Record<
        string,
        unknown
      >;
      const newName = name.replace("orders", "billing");
      return resource(type, newName, { ...renamed, metadata: { name: newName, namespace: "shop" } });
    }),
];

/** A database whose options are all on the command line of the image's entrypoint. */
const onCommandLine = (...options: string[]): RawResource[] =>
  manifests(`
apiVersion: apps/v1
kind: Deployment
metadata: { name: tides }
spec:
  replicas: 2
  template:
    metadata: { labels: { app: tides } }
    spec: { containers: [{ name: server, image: "ghcr.io/x/tidesql:4.5.7-11.8.6", args: ${JSON.stringify(options)} }] }
`);

const script = (text: string) =>
  resource("kubernetes:core/v1:ConfigMap", "scripts", {
    metadata: { name: "scripts", namespace: "shop" },
    data: { "failover.sh": text },
  });

const build = (type: string, inputs: Record<string, unknown>) => [resource(type, "engine-image", inputs)];
const pinned = { MARIADB_VERSION: "mariadb-11.8.6", TIDESDB_VERSION: "v9.3.14", WITH_S3: "1" };

describe("correctness", () => {
  describePolicy("correctness-second-writer", {
    passes: [
      goodDatabase,
      changed(goodDatabase, option("tidesdb_replica_mode", undefined)),
      changed(goodDatabase, withoutManager),
      onCommandLine("--tidesdb-replica-mode=on"),
    ],
    fails: {
      program: changed(goodDatabase, withoutManager, option("tidesdb_replica_mode", undefined)),
      resource: "orders",
      says: /tidesdb_replica_mode is not set, which means OFF/,
    },
    unknown: changed(goodDatabase, withoutManager, set("orders-config", "data", notYetKnown)),
    handWritten: {
      program: onCommandLine("--tidesdb-replica-mode=OFF"),
      resource: "tides",
      says: /tidesdb_replica_mode is OFF/,
    },
  });

  describePolicy("correctness-failover-script", {
    passes: [
      goodDatabase,
      changed(
        goodDatabase,
        plus(
          resource("kubernetes:core/v1:ConfigMap", "orders-manager", {
            metadata: { name: "orders-manager", namespace: "shop" },
            data: { "manager.js": "q('SET GLOBAL tidesdb_promote_primary=ON')" },
          }),
        ),
        set("orders", "spec.template.spec.volumes[2]", { name: "manager", configMap: { name: "orders-manager" } }),
        set("orders", `${container}.volumeMounts[3]`, { name: "manager", mountPath: "/opt/tidesql/manager" }),
      ),
    ],
    fails: {
      program: changed(goodDatabase, plus(script('mariadb -e "SET GLOBAL tidesdb_promote_primary = ON"'))),
      resource: "scripts",
      says: /failover.sh promotes a replica/,
    },
    unknown: changed(goodDatabase, set("orders-config", "data.more", notYetKnown)),
    handWritten: {
      program: manifests(`
apiVersion: batch/v1
kind: CronJob
metadata: { name: failover }
spec: { jobTemplate: { spec: { template: { spec: { containers: [{ name: c, image: mariadb:11.8.6, command: [sh, -c, "mariadb -h replica -e 'set global tidesdb_promote_primary=1'"] }] } } } } }
`),
      resource: "failover",
      says: /promotes a replica/,
    },
  });

  describePolicy("correctness-primary-service", {
    passes: [
      goodDatabase,
      changed(goodDatabase, set("orders-primary", "spec", { clusterIP: "None", selector: { app: "orders" } })),
    ],
    fails: {
      program: changed(goodDatabase, set("orders-primary", "spec.selector", { app: "orders" })),
      resource: "orders-primary",
      says: /labels that never change/,
    },
    unknown: changed(goodDatabase, set("orders-primary", "spec.selector", notYetKnown)),
    handWritten: {
      program: [
        ...onCommandLine("--port=3306"),
        ...manifests(
          "{ apiVersion: v1, kind: Service, metadata: { name: tides-rw }, spec: { selector: { app: tides } } }",
        ),
      ],
      resource: "tides-rw",
      says: /labels that never change/,
    },
  });

  describePolicy("correctness-replica-read-only", {
    passes: [goodDatabase, changed(goodDatabase, withoutManager, option("read_only", "1"))],
    fails: { program: changed(goodDatabase, withoutManager), resource: "orders", says: /misleading error/ },
    unknown: changed(goodDatabase, withoutManager, set("orders-config", "data", notYetKnown)),
    handWritten: {
      program: onCommandLine("--tidesdb_replica_mode", "--skip-read-only"),
      resource: "tides",
      says: /misleading error/,
    },
  });

  describePolicy("correctness-orderly-stop", {
    passes: [goodDatabase, changed(goodDatabase, withoutManager)],
    fails: {
      program: changed(goodDatabase, set("orders", `${container}.command`, ["/usr/local/bin/tidesql-entrypoint.sh"])),
      resource: "orders",
      says: /does not receive SIGTERM/,
    },
    unknown: changed(goodDatabase, set("orders", `${container}.command`, notYetKnown)),
    handWritten: { program: onCommandLine("--port=3306"), resource: "tides", says: /does not receive SIGTERM/ },
  });

  describePolicy("correctness-wal-shipping", {
    passes: [
      goodDatabase,
      changed(
        goodDatabase,
        option("tidesdb_objstore_wal_sync_threshold", "1M"),
        option("tidesdb_objstore_wal_sync_on_commit", "ON"),
      ),
    ],
    fails: {
      program: changed(goodDatabase, option("tidesdb_objstore_wal_sync_threshold", "1M")),
      resource: "orders",
      says: /shipped after 1048576 bytes, without a bound in time/,
    },
    unknown: optionsNotSeen,
    handWritten: {
      program: onCommandLine("--loose-tidesdb-objstore-wal-sync-threshold=1"),
      resource: "tides",
      says: /With a threshold of 1 a replica ships its own empty WAL/,
    },
    configured: { configuration: { "correctness-wal-shipping": { maximumThresholdBytes: 1048576 } }, violations: 0 },
  });

  describePolicy("correctness-lossless-options", {
    passes: good,
    fails: {
      program: changed(goodDatabase, option("tidesdb_objstore_replicate_wal", "OFF")),
      resource: "orders",
      says: /With tidesdb_objstore_replicate_wal=OFF the WAL stays on one disk \(orders-config, .*line \d+\)/,
    },
    unknown: optionsNotSeen,
    handWritten: {
      program: onCommandLine("--tidesdb-unified-memtable-sync=INTERVAL", "--skip-tidesdb-unified-memtable"),
      resource: "tides",
      says: /With tidesdb_unified_memtable=OFF each table has a WAL of its own/,
    },
  });

  describePolicy("correctness-data-volume", {
    passes: [goodDatabase, changed(inEmptyDir, option("tidesdb_objstore_wal_sync_on_commit", "ON"))],
    fails: { program: inEmptyDir, resource: "orders", says: /The data in \/var\/lib\/tidesql is on an emptyDir/ },
    unknown: changed(inEmptyDir, set("orders-config", "data", notYetKnown)),
    handWritten: {
      program: changed(inEmptyDir, withoutManager, option("datadir", "/var/lib/tidesql/mysql")),
      resource: "orders",
      says: /is on an emptyDir/,
    },
  });

  describePolicy("correctness-write-buffer", {
    passes: good,
    fails: {
      program: changed(
        goodDatabase,
        option("tidesdb_unified_memtable_write_buffer_size", "128M"),
        option("tidesdb_objstore_wal_sync_on_commit", "ON"),
      ),
      resource: "orders",
      says: /write buffer is 128 MiB: every commit uploads/,
    },
    unknown: optionsNotSeen,
    handWritten: {
      program: onCommandLine("--tidesdb_log_level=WARN"),
      resource: "tides",
      says: /write buffer is 256 MiB: every shipment/,
    },
    configured: { configuration: { "correctness-write-buffer": { maximumBytes: 134217728 } }, violations: 0 },
  });

  describePolicy("correctness-cache-eviction", {
    passes: [goodDatabase, changed(goodDatabase, option("tidesdb_objstore_local_cache_max", undefined))],
    fails: {
      program: changed(goodDatabase, option("tidesdb_objstore_local_cache_max", "512M")),
      resource: "orders",
      says: /evicts at 512M/,
    },
    unknown: optionsNotSeen,
    handWritten: {
      program: onCommandLine("--tidesdb-objstore-local-cache-max", "--tidesdb-objstore-local-cache-max=1073741824"),
      resource: "tides",
      says: /evicts/,
    },
  });

  describePolicy("correctness-compaction", {
    passes: good,
    fails: {
      program: changed(goodDatabase, option("tidesdb_default_l1_file_count_trigger", "4")),
      resource: "orders",
      says: /Compaction starts at 4/,
    },
    unknown: optionsNotSeen,
    handWritten: {
      program: onCommandLine("--tidesdb_log_level=WARN"),
      resource: "tides",
      says: /the engine's default/,
    },
  });

  describePolicy("correctness-shared-prefix", {
    passes: [
      goodDatabase,
      changed(
        goodDatabase,
        plus(
          ...onCommandLine(
            "--tidesdb_s3_bucket=shop-tidesql",
            "--tidesdb_s3_prefix=orders/",
            "--tidesdb_replica_mode=ON",
          ),
        ),
      ),
      changed(goodDatabase, plus(...onCommandLine("--tidesdb_s3_bucket=shop-tidesql", "--tidesdb_s3_prefix=billing/"))),
    ],
    fails: { program: changed(goodDatabase, secondDatabase), resource: "billing", says: /belongs to orders too/ },
    unknown: changed(goodDatabase, secondDatabase, set("billing-config", "data", notYetKnown)),
    handWritten: {
      program: changed(
        goodDatabase,
        plus(
          ...onCommandLine(
            "--tidesdb-s3-bucket=shop-tidesql",
            "--tidesdb-s3-prefix=orders",
            "--tidesdb_s3_endpoint=s3.us-east-1.amazonaws.com",
          ),
        ),
      ),
      resource: "tides",
      says: /belongs to orders too/,
    },
  });

  describePolicy("correctness-object-store-address", {
    passes: good,
    fails: {
      program: changed(goodDatabase, option("tidesdb_s3_endpoint", "s3.amazonaws.com")),
      resource: "orders",
      says: /endpoint is the global one/,
    },
    unknown: optionsNotSeen,
    handWritten: {
      program: changed(goodDatabase, option("tidesdb-s3-prefix", "'orders'")),
      resource: "orders",
      says: /does not end with a slash/,
    },
  });

  describePolicy("correctness-data-directory", {
    passes: [
      goodDatabase,
      changed(goodDatabase, withoutManager, option("datadir", "/var/lib/tidesql/mysql")),
      changed(
        goodDatabase,
        withoutManager,
        set("orders", `${container}.volumeMounts[0].mountPath`, "/usr/local/mariadb/data/"),
      ),
    ],
    fails: {
      program: changed(goodDatabase, withoutManager),
      resource: "orders",
      says: /in \/usr\/local\/mariadb\/data\/default, and the volume at \/var\/lib\/tidesql stays empty/,
    },
    unknown: changed(goodDatabase, withoutManager, without("orders-config")),
    handWritten: {
      program: onCommandLine("--datadir=/data"),
      resource: "tides",
      says: /keeps its data in \/data, where no volume is mounted/,
    },
  });

  describePolicy("correctness-engine-image", {
    passes: [goodDatabase, onCommandLine()],
    fails: {
      program: changed(goodDatabase, set("orders", `${container}.image`, "tidesql:stable")),
      resource: "orders",
      says: /image is stable/,
    },
    unknown: changed(goodDatabase, set("orders", `${container}.image`, notYetKnown)),
    handWritten: {
      program: manifests(
        "{ apiVersion: v1, kind: Pod, metadata: { name: single }, spec: { containers: [{ name: s, image: 'registry:5000/tidesql' }] } }",
      ),
      resource: "single",
      says: /without a tag/,
    },
  });

  describePolicy("correctness-image-build", {
    passes: [
      build("docker:index/image:Image", { imageName: "x/tidesql:1", build: { args: pinned } }),
      build("docker-build:index:Image", { tags: ["x/web:1"], buildArgs: {} }),
      build("docker:index/registryImage:RegistryImage", { name: "x/tidesql:1", build: { buildArgs: pinned } }),
    ],
    fails: {
      program: build("docker:index/image:Image", {
        imageName: "x/tidesql:1",
        build: { args: { ...pinned, TIDESDB_VERSION: undefined } },
      }),
      resource: "engine-image",
      says: /TIDESDB_VERSION is the newest/,
    },
    unknown: build("docker:index/image:Image", {
      imageName: "x/tidesql:1",
      build: { args: { ...pinned, MARIADB_VERSION: notYetKnown } },
    }),
    handWritten: {
      program: build("docker-build:index:Image", {
        tags: ["x/db:1"],
        buildArgs: { ...pinned, MARIADB_VERSION: "main" },
      }),
      resource: "engine-image",
      says: /MARIADB_VERSION/,
    },
  });

  describePolicy("correctness-default-engine", {
    passes: good,
    fails: {
      program: changed(goodDatabase, option("default_storage_engine", "InnoDB")),
      resource: "orders",
      says: /become InnoDB tables/,
    },
    unknown: optionsNotSeen,
    handWritten: { program: onCommandLine("--port=3306"), resource: "tides", says: /become InnoDB tables/ },
  });

  describePolicy("correctness-open-sstables", {
    passes: good,
    fails: {
      program: changed(goodDatabase, option("tidesdb_max_open_sstables", undefined)),
      resource: "orders",
      says: /At most 256/,
    },
    unknown: optionsNotSeen,
    handWritten: { program: onCommandLine("--tidesdb-max-open-sstables=512"), resource: "tides", says: /At most 512/ },
  });
});
