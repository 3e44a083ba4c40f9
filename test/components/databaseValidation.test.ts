import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { Database, DatabaseArgs, validateDatabaseArgs } from "../../components/database";
import { objectStoreData, objectStoreLocation } from "../../components/database/objectStoreInputs";
import { gibibyte, mebibyte } from "../../components/core/quantities";
import { databaseArgs, managerBundle, secretValues } from "./databaseFixtures";
import { refusals } from "./mocks";

const { objectStore } = databaseArgs();
const [shop] = databaseArgs().users!;

/** Arguments as JavaScript may pass them. */
function untyped(changes: Record<string, unknown>): Partial<DatabaseArgs> {
  return changes;
}

describe("Database refuses", () => {
  const cases: [what: string, changes: Partial<DatabaseArgs>, propertyPath: string, wayOut: RegExp][] = [
    ["a replica count below 0", { replicas: -1 }, "replicas", /whole number from 0/],
    ["a fractional replica count", { replicas: 1.5 }, "replicas", /whole number/],
    ["an unknown instance type", { sizing: { instanceType: "m5.huge" } }, "sizing.instanceType", /m5 comes as large/],
    [
      "memory that cannot hold the caches",
      { sizing: { memoryBytes: gibibyte, blockCacheBytes: gibibyte } },
      "sizing.memoryBytes",
      /raise it, or lower blockCacheBytes/,
    ],
    [
      "NVMe on a type without",
      { sizing: { instanceType: "m5.large" }, storage: { kind: "nvme" } },
      "storage.kind",
      /choose a type that has/,
    ],
    ["a name that Kubernetes refuses", { namespace: "Shop" }, "namespace", /lower-case/],
    ["a namespace that every cluster has", { namespace: "kube-system" }, "namespace", /createNamespace to false/],
    ["a bucket that S3 refuses", { objectStore: { ...objectStore, bucket: "My_Bucket" } }, "objectStore.bucket", /S3/],
    [
      "a database's name that needs escaping",
      { databases: ["shop", "my-shop"] },
      "databases[1]",
      /letters, digits and _/,
    ],
    ["a database's name that tries SQL", { databases: ["shop", "x`; DROP DATABASE mysql"] }, "databases[1]", /letters/],
    [
      "a user's name that tries SQL",
      { users: [{ ...shop!, name: "x'@'%' IDENTIFIED BY ''" }] },
      "users[0].name",
      /letters/,
    ],
    ["a reserved user", { users: [{ ...shop!, name: "root" }] }, "users[0].name", /choose another/],
    ["two users of one name", { users: [shop!, { ...shop!, host: "10.%" }] }, "users[1].name", /keep one/],
    [
      "a password that the server refuses",
      { users: [{ ...shop!, password: "sesame" }] },
      "users[0].password",
      /leave it out/,
    ],
    ["an image by tag latest", { image: "registry.example/tidesql:latest" }, "image", /digest|sha256/],
    ["an image without a tag", { image: "registry.example/tidesql" }, "image", /digest|sha256/],
    ["no image", untyped({ image: undefined }), "image", /by digest/],
    ["an image of Node by tag latest", { nodeImage: "node:latest" }, "nodeImage", /digest|sha256/],
    [
      "an endpoint with a scheme",
      { objectStore: { ...objectStore, endpoint: "http://10.0.0.5" } },
      "objectStore.endpoint",
      /useTls/,
    ],
    [
      "an endpoint with a path",
      { objectStore: { ...objectStore, endpoint: "10.0.0.5/x" } },
      "objectStore.endpoint",
      /host/,
    ],
    ["a prefix with ..", { objectStore: { ...objectStore, prefix: "../orders/" } }, "objectStore.prefix", /orders\//],
    ["a prefix without its /", { objectStore: { ...objectStore, prefix: "orders" } }, "objectStore.prefix", /append/],
    [
      "a missing secret",
      untyped({ objectStore: { ...objectStore, secretAccessKey: undefined } }),
      "objectStore.secretAccessKey",
      /pulumi config set --secret secretAccessKey/,
    ],
    [
      "an empty secret",
      { objectStore: { ...objectStore, accessKeyId: "" } },
      "objectStore.accessKeyId",
      /pulumi config set --secret/,
    ],
    ["no store", untyped({ objectStore: undefined }), "objectStore", /is missing.*the key for it/],
    [
      "no bucket",
      untyped({ objectStore: { ...objectStore, bucket: undefined } }),
      "objectStore.bucket",
      /is missing.*Name of the bucket/,
    ],
    [
      "durability commit with a huge write buffer",
      { durability: "commit", sizing: { writeBufferBytes: 256 * mebibyte } },
      "sizing.writeBufferBytes",
      /at most 64 MiB/,
    ],
    ["an unknown durability", untyped({ durability: "sometimes" }), "durability", /"commit", "interval"/],
    ["a durability that there is no more", untyped({ durability: "threshold" }), "durability", /"commit", "interval"/],
    ["a restore of itself", { restore: { prefix: "orders/" } }, "restore.prefix", /own prefix.*objectStore\.prefix/],
    ["a restore from within itself", { restore: { prefix: "orders/data/" } }, "restore.prefix", /or around it/],
    ["a restore of no folder", { restore: { prefix: "old" } }, "restore.prefix", /append "\/"/],
    ["a restore of no moment", { restore: { prefix: "old/", at: "2026-11-29 14:03" } }, "restore.at", /with its zone/],
    [
      "a restore onto data that is attached",
      { restore: { prefix: "old/" }, databaseId: "6f9619ff-8b86-4d01-b42d-00cf4fc964ff" },
      "databaseId",
      /leave one of them out/,
    ],
    [
      "a history of no hour",
      { history: { everyPositionHours: 0 } },
      "history.everyPositionHours",
      /from 1 to 168.*dailyCheckpointDays/,
    ],
    [
      "a history of a month of every position",
      { history: { everyPositionHours: 720 } },
      "history.everyPositionHours",
      /from 1 to 168/,
    ],
    [
      "daily checkpoints for ever",
      { history: { dailyCheckpointDays: 1000 } },
      "history.dailyCheckpointDays",
      /from 0 to 365/,
    ],
    [
      "a history in a unit that it does not have",
      untyped({ history: { everyPosition: "1d" } }),
      "history.everyPosition",
      /everyPositionHours/,
    ],
    ["a lease too short to renew", { leaseDurationSeconds: 1 }, "leaseDurationSeconds", /3 to 60/],
    ["a margin that leaves no lease", { leaseMarginSeconds: 2 }, "leaseMarginSeconds", /less than half/],
    [
      "a margin that leaves too little of the lease to renew it",
      { leaseDurationSeconds: 3, leaseMarginSeconds: 1.4 },
      "leaseMarginSeconds",
      /is 1\.4: .*so little that 2 seconds of it are left/,
    ],
    ["a margin below that of the watchdog", { leaseMarginSeconds: 0.1 }, "leaseMarginSeconds", /at least 0\.2/],
    ["no time to hand over", { terminationGracePeriodSeconds: 10 }, "terminationGracePeriodSeconds", /from 30/],
    [
      "an option that would make two primaries",
      { engineSettings: { "read-only": "OFF" } },
      "engineSettings.read-only",
      /leave it out/,
    ],
    ["clients that name nobody", { clients: [{}] }, "clients[0]", /podLabels/],
    [
      "monitoring by a range that is none",
      { monitoring: { allowFrom: [{ cidr: "10.0.0.0" }] } },
      "monitoring.allowFrom[0].cidr",
      /10\.0\.0\.0\/16/,
    ],
    ["labels that Kubernetes refuses", { nodeSelector: { pool: "a b" } }, "nodeSelector.pool", /write letters/],
    ["a taint without a key", { tolerations: [{ value: "x" }] }, "tolerations[0].key", /Exists/],
    [
      "a StorageClass for NVMe",
      { storage: { kind: "nvme", storageClassName: "gp3", sizeGiB: 100 } },
      "storage.storageClassName",
      /leave it out/,
    ],
    ["a volume of half a gibibyte", { storage: { sizeGiB: 0.5 } }, "storage.sizeGiB", /whole number/],
    [
      "a load balancer's class without one",
      { services: { loadBalancerClass: "service.k8s.aws/nlb" } },
      "services.loadBalancerClass",
      /LoadBalancer/,
    ],
    [
      "a validity for a certificate that exists",
      { tls: { existingSecretName: "cert", validityHours: 24 } },
      "tls.validityHours",
      /leave it out/,
    ],
    ["an authority without its Secret", { tls: { caCertificate: "PEM" } }, "tls.caCertificate", /existingSecretName/],
    [
      "an authority that is none",
      { tls: { existingSecretName: "cert", caCertificate: "/etc/ca.pem" } },
      "tls.caCertificate",
      /is not a certificate in PEM/,
    ],
    ["a renewal before the beginning", { tls: { validityHours: 100 } }, "tls.earlyRenewalHours", /every deployment/],
    ["a DNS name that is none", { tls: { additionalDnsNames: ["a b"] } }, "tls.additionalDnsNames[0]", /DNS name/],
    ["an identity that is not a UUID", { databaseId: "mine" }, "databaseId", /owner\.json/],
    ["a folder that is none", { mariadbPrefix: "usr/local" }, "mariadbPrefix", /absolute/],
  ];
  for (const [what, changes, propertyPath, wayOut] of cases) {
    it(`${what}, before anything is registered`, async () => {
      const refused = await refusals(() => new Database("orders", databaseArgs(changes), { managerBundle }));
      assert.deepEqual([...new Set(refused.map(problem => problem.propertyPath))], [propertyPath]);
      assert.match(refused[0]?.reason ?? "", wayOut);
      for (const value of [...Object.values(secretValues), '"sesame"']) {
        assert.ok(!JSON.stringify(refused).includes(value));
      }
    });
  }

  it("a component's name that Kubernetes refuses", async () => {
    const refused = await refusals(
      () => new Database("Orders", databaseArgs({ namespace: "shop" }), { managerBundle }),
    );
    assert.deepEqual(
      refused.map(problem => problem.propertyPath),
      ["name"],
    );
  });

  it("everything at once, in one error", async () => {
    const changes = { replicas: -1, image: "tidesql:latest", databases: ["1"] };
    const refused = await refusals(
      () => new Database("orders", databaseArgs({ ...changes, users: [] }), { managerBundle }),
    );
    assert.deepEqual(
      refused.map(problem => problem.propertyPath),
      ["image", "replicas", "databases[0]"],
    );
  });
});

describe("Database judges what comes later", () => {
  /** An output's value, or its failure. */
  function settled(output: pulumi.Output<unknown>): Promise<unknown> {
    return (output as pulumi.Output<unknown> & { promise(): Promise<unknown> }).promise();
  }

  it("takes outputs as they are while they are unknown", () => {
    const later = pulumi.output("http://anything");
    const store = { ...objectStore, endpoint: later, bucket: later, accessKeyId: later, secretAccessKey: later };
    assert.deepEqual(validateDatabaseArgs("orders", databaseArgs({ image: later, objectStore: store })), []);
  });

  it("refuses a store's authority that is none, without showing it", async () => {
    const caCertificate = pulumi.output("sesame");
    await assert.rejects(settled(objectStoreData("orders", { ...objectStore, caCertificate })), (error: Error) => {
      assert.match(error.message, /objectStore\.caCertificate: is not a certificate in PEM/);
      return !error.message.includes("sesame");
    });
  });

  it("refuses a store's place once it is known", async () => {
    const scheme = { ...objectStore, endpoint: pulumi.output("http://10.0.0.5") };
    await assert.rejects(settled(objectStoreLocation("orders", scheme)), /objectStore\.endpoint: .*has a scheme/);
    const prefix = { ...objectStore, prefix: pulumi.output("orders") };
    await assert.rejects(settled(objectStoreLocation("orders", prefix)), /objectStore\.prefix/);
  });

  it("refuses a key once it is known, without showing it", async () => {
    const output = objectStoreData("orders", { ...objectStore, secretAccessKey: pulumi.output("two words") });
    await assert.rejects(settled(output), (error: pulumi.InputPropertiesError) => {
      assert.match(error.message, /objectStore\.secretAccessKey/);
      assert.ok(!error.message.includes("two words"));
      return true;
    });
  });
});
