import assert from "node:assert/strict";
import * as fc from "fast-check";
import { transpileModule } from "typescript";
import { written, withStandIns } from "../../../cli/importGuide/code";
import { equivalentOf } from "../../../cli/importGuide/equivalent";
import { handMadeOf } from "../../../cli/importGuide/handMade";
import { programText } from "../../../cli/importGuide/programText";
import { accountsIn } from "../../../cli/importGuide/sqlAccounts";
import type { ManifestObject } from "../../../cli/importGuide/yamlFiles";
import type { DatabaseArgs } from "../../../components/database/arguments";
import { validateDatabaseArgs } from "../../../components/database/validation";

const odd = fc.oneof(fc.string({ maxLength: 20 }), fc.string({ unit: "binary", maxLength: 8 }), fc.nat().map(String));
const either = (...good: string[]) => fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...good) }, odd);
const size = either("0", "1", "16", "8M", "64M", "512M", "4G", "9999999T");
const flag = either("ON", "OFF", "1", "0");
const options: Record<string, fc.Arbitrary<string>> = {
  tidesdb_s3_endpoint: either("s3.amazonaws.com", "https://minio:9000", "s3.eu-west-1.amazonaws.com", "10.0.0.5:9000"),
  tidesdb_s3_bucket: either("shop-data", "with.dots", "UPPER"),
  tidesdb_s3_prefix: either("", "old/", "tidesql/", "/x"),
  tidesdb_s3_region: either("us-east-1", "eu-west-1", "nowhere at all"),
  tidesdb_s3_use_ssl: flag,
  tidesdb_s3_path_style: flag,
  tidesdb_s3_tls_ca_path: odd,
  tidesdb_objstore_wal_sync_on_commit: flag,
  tidesdb_objstore_wal_sync_threshold: size,
  tidesdb_unified_memtable_write_buffer_size: size,
  tidesdb_block_cache_size: size,
  tidesdb_flush_threads: either("0", "4", "1000"),
  tidesdb_compaction_threads: either("0", "4", "1000"),
  max_connections: either("0", "100", "999999"),
  max_allowed_packet: odd,
  log_bin: flag,
};
const quantity = either("0", "1", "500m", "2", "256Mi", "8Gi", "-1", "900Ti");
const workload = fc.record({
  image: either("tidesql", "tidesql:latest", "registry.example/tidesql:4.5.7", "no image"),
  memory: quantity,
  cpu: quantity,
  cpuLimit: quantity,
  storage: quantity,
  storageClass: either("gp3", "Not A Name"),
  volume: fc.constantFrom("claim", "hostPath"),
  instanceType: either("m5.large", "i4i.xlarge", "z9.mega"),
  label: odd,
  toleration: fc.record({ key: odd, operator: either("Equal", "Exists"), effect: either("NoSchedule") }),
  replicas: fc.oneof(fc.integer({ min: -3, max: 9 }), odd),
  settings: fc.record(options, { requiredKeys: [] }),
  serviceType: either("ClusterIP", "LoadBalancer"),
  ranges: fc.array(either("10.0.0.0/8", "nowhere"), { maxLength: 2 }),
  sql: either(
    "CREATE DATABASE shop; CREATE USER 'app'@'%' IDENTIFIED BY 'x'; GRANT SELECT, SUPER ON shop.* TO 'app'@'%';",
    "CREATE USER root IDENTIFIED BY 'x'; GRANT ALL ON *.* TO root; CREATE DATABASE a__b; CREATE DATABASE a__b;",
    "GRANT SELECT ON nowhere.* TO nobody",
  ),
});

type Workload = typeof workload extends fc.Arbitrary<infer T> ? T : never;

function objectsOf(w: Workload): ManifestObject[] {
  const cnf = [
    "[mariadb]",
    "tidesdb_unified_memtable=ON",
    ...Object.entries(w.settings).map(([key, value]) => `${key}=${value}`),
  ];
  const pod = (config: string) => ({
    metadata: { labels: { app: "tidesql" } },
    spec: {
      nodeSelector: { "node.kubernetes.io/instance-type": w.instanceType, [w.label]: w.label },
      tolerations: [w.toleration],
      containers: [
        {
          name: "db",
          image: w.image,
          command: ["/usr/local/bin/tidesql-entrypoint.sh"],
          resources: { requests: { cpu: w.cpu }, limits: { memory: w.memory, cpu: w.cpuLimit } },
          volumeMounts: [
            { name: "config", mountPath: "/etc/mysql/custom" },
            { name: "data", mountPath: "/data" },
          ],
        },
      ],
      volumes: [
        { name: "config", configMap: { name: config } },
        ...(w.volume === "hostPath" ? [{ name: "data", hostPath: { path: "/mnt" } }] : []),
      ],
    },
  });
  const claim = {
    metadata: { name: "data" },
    spec: { storageClassName: w.storageClass, resources: { requests: { storage: w.storage } } },
  };
  const claims = w.volume === "claim" ? [claim] : [];
  const bodies: [string, string, Record<string, unknown>][] = [
    ["ConfigMap", "primary", { data: { "server.cnf": cnf.join("\n") } }],
    ["ConfigMap", "replica", { data: { "server.cnf": `${cnf.join("\n")}\ntidesdb_replica_mode=ON` } }],
    ["ConfigMap", "accounts", { data: { "accounts.sql": w.sql } }],
    ["StatefulSet", "tidesql-primary", { spec: { template: pod("primary"), volumeClaimTemplates: claims } }],
    ["Deployment", "tidesql-replica", { spec: { replicas: w.replicas, template: pod("replica") } }],
    [
      "Service",
      "tidesql",
      { spec: { type: w.serviceType, selector: { app: "tidesql" }, loadBalancerSourceRanges: w.ranges } },
    ],
  ];
  return bodies.map(([kind, name, body], index) => ({
    title: `${kind} ${name}`,
    place: `all.yaml:${index}`,
    resource: {
      type: `kubernetes:any/v1:${kind}`,
      name,
      urn: String(index),
      dependencies: [],
      inputs: { kind, metadata: { name }, ...body },
    },
  }));
}

describe("the equivalent of a hand-made deployment", function () {
  this.timeout(60_000);

  it("is always a program that the component takes, and that TypeScript reads", () => {
    fc.assert(
      fc.property(workload, w => {
        const objects = objectsOf(w);
        const equivalent = equivalentOf(handMadeOf(objects), objects);
        const args = withStandIns(equivalent.args) as DatabaseArgs;
        assert.deepEqual(validateDatabaseArgs(equivalent.name, args), []);
        const { diagnostics } = transpileModule(programText(equivalent, "read"), { reportDiagnostics: true });
        assert.deepEqual(
          diagnostics?.map(({ messageText }) => messageText),
          [],
        );
      }),
      { numRuns: 150 },
    );
  });

  it("writes values as TypeScript that gives them back", () => {
    const value = fc.letrec(tie => ({
      any: fc.oneof(
        { depthSize: "small" },
        fc.string({ unit: "binary" }),
        fc.integer(),
        fc.boolean(),
        tie("list"),
        tie("record"),
      ),
      list: fc.array(tie("any"), { maxLength: 4 }),
      record: fc.dictionary(
        fc.string().filter(key => key !== "__proto__"),
        tie("any"),
        { maxKeys: 4 },
      ),
    })).record;
    fc.assert(
      fc.property(value, original => {
        const text = written(original as Parameters<typeof written>[0]);
        assert.deepEqual(JSON.parse(JSON.stringify(evaluated(text))), JSON.parse(JSON.stringify(original)));
      }),
    );
  });

  it("reads accounts out of SQL however it is written", () => {
    const { databases, users } = accountsIn([
      "create schema if not exists `shop`;\nCREATE OR REPLACE USER app@localhost IDENTIFIED BY 'x';",
      'GRANT select,\n insert ON shop.* TO "app"@"localhost"; GRANT UPDATE ON `shop`.* TO app; GRANT SELECT ON shop.* TO ghost',
    ]);
    assert.deepEqual(databases, ["shop"]);
    assert.deepEqual(users, [
      { name: "app", host: "localhost", grants: [{ database: "shop", privileges: ["SELECT", "INSERT", "UPDATE"] }] },
    ]);
  });
});

function evaluated(text: string): unknown {
  // eslint-disable-next-line @typescript-eslint/no-implied-eval, @typescript-eslint/no-unsafe-call -- the text under test is an expression
  return new Function(`return (${text});`)();
}
