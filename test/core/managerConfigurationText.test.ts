import assert from "node:assert/strict";
import { ManagerConfiguration } from "../../components/core/managerConfiguration";
import { managerConfigurationText } from "../../components/core/managerConfigurationText";

describe("manager.json", () => {
  const configuration: ManagerConfiguration = {
    name: "orders",
    namespace: "shop",
    databaseId: "6f9619ff-8b86-4d01-b42d-00cf4fc964ff",
    headlessService: "orders",
    nodes: 3,
    leaseDurationSeconds: 4,
    leaseMarginSeconds: 0.5,
    durability: "interval",
    onNoCandidate: "wait",
    failoverPreference: "availability",
    resumeWithinSeconds: 60,
    maxDataLossSeconds: 5,
    compactAtSstables: 64,
    onObjectStoreOutage: "stopWrites",
    replicaSyncIntervalMicroseconds: 100_000,
    objectStore: { endpoint: "s3", bucket: "b", region: "r", prefix: "orders/", useTls: true, pathStyle: false },
    mariadbPrefix: "/usr/local/mariadb",
    databases: ["b", "a"],
    users: [{ name: "u", host: "%", grants: [{ database: "a", privileges: ["SELECT"] }] }],
    requireTls: true,
  };

  it("says what it was given, lists in their order", () => {
    assert.deepEqual(JSON.parse(managerConfigurationText(configuration)), configuration);
  });

  it("does not change with the order in which it was put together", () => {
    const reversed = Object.fromEntries(Object.entries(configuration).reverse()) as unknown as ManagerConfiguration;
    assert.equal(managerConfigurationText(reversed), managerConfigurationText(configuration));
  });
});
