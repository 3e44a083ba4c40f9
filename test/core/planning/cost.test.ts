import assert from "node:assert/strict";
import { monthlyCost, monthlyDollars } from "../../../components/core/planning/cost";
import type { DescribedResource } from "../../../components/core/planning/describedResource";
import { instanceHourly } from "../../../components/core/planning/prices";
import {
  assumedOfDatabase,
  assumedUsage,
  entriesPerSecond,
  idleDollars,
  intervalEntries,
} from "../../../components/core/planning/bucketUse";
import { shipAtBytes, shipEvery } from "../../../components/manager/transitions/walShipping";
import { settledHistory, settleDatabase } from "../../../components/database/settings";

function resource(type: string, inputs: Record<string, unknown>, dependencies: string[] = []): DescribedResource {
  const name = JSON.stringify(inputs).slice(0, 40);
  return { urn: `${type}::${name}`, type, name, inputs, dependencies };
}

const nodeGroup = (inputs: Record<string, unknown>, dependencies?: string[]) =>
  resource("aws:eks/nodeGroup:NodeGroup", { scalingConfig: { desiredSize: 1 }, ...inputs }, dependencies);

const ebsClass = (parameters: Record<string, unknown>, annotations: Record<string, string> = {}) =>
  resource("kubernetes:storage.k8s.io/v1:StorageClass", {
    metadata: { name: "fast", annotations },
    provisioner: "ebs.csi.aws.com",
    parameters,
  });

const bucket = resource("aws:s3/bucket:Bucket", {});

const claims = (storageClassName: string | undefined, storage: string, replicas = 3) =>
  resource("kubernetes:apps/v1:StatefulSet", {
    spec: { replicas, volumeClaimTemplates: [{ spec: { storageClassName, resources: { requests: { storage } } } }] },
  });

const database = (replicas?: number, durability?: string, history?: object) =>
  resource("tidesql:index:Database", { replicas, durability, history });

/** The line whose text begins so. */
function line(resources: DescribedResource[], start: string) {
  return monthlyCost(resources).lines.find(({ what }) => what.startsWith(start));
}

describe("monthly cost", () => {
  it("counts the nodes of all groups of one type together, by the hours of a month", () => {
    const groups = ["a", "b", "c"].map(zone => nodeGroup({ instanceTypes: ["m5.large"], labels: { zone } }));
    const nodes = line(groups, "m5.large nodes");
    assert.equal(nodes?.quantity, 3);
    assert.equal(monthlyDollars(nodes).toFixed(2), "210.24");
  });

  it("takes the desired size, not the number of groups", () => {
    const groups = [nodeGroup({ instanceTypes: ["m5.xlarge"], scalingConfig: { desiredSize: 4 } })];
    assert.equal(line(groups, "m5.xlarge nodes")?.quantity, 4);
  });

  it("takes type and root volume from the launch template that a group depends on", () => {
    const template = resource("aws:ec2/launchTemplate:LaunchTemplate", {
      instanceType: "i4i.large",
      blockDeviceMappings: [{ ebs: { volumeSize: 40 } }],
    });
    const other = resource("aws:ec2/launchTemplate:LaunchTemplate", { instanceType: "m5.large" });
    const resources = [other, template, nodeGroup({}, [template.urn])];
    assert.equal(line(resources, "i4i.large nodes")?.quantity, 1);
    assert.equal(line(resources, "gp3 root volumes")?.quantity, 40);
  });

  it("says that it knows no price instead of leaving nodes out", () => {
    const cost = monthlyCost([
      nodeGroup({ instanceTypes: ["x9.huge"] }),
      nodeGroup({ instanceTypes: ["m5.large"], capacityType: "SPOT" }),
    ]);
    const unpriced = cost.lines.filter(({ dollarsEach }) => dollarsEach === undefined).map(({ what }) => what);
    assert.deepEqual(unpriced.sort(), ["m5.large nodes", "x9.huge nodes"]);
  });

  it("bills a volume for every pod, with what exceeds a gp3 volume's share", () => {
    const resources = [ebsClass({ type: "gp3", iops: "4000", throughput: "250" }), claims("fast", "100Gi")];
    assert.equal(monthlyDollars(line(resources, "gp3 data volumes")!), 3 * 100 * 0.08);
    assert.equal(monthlyDollars(line(resources, "gp3 operations")!), 3 * 1000 * 0.005);
    assert.equal(monthlyDollars(line(resources, "gp3 throughput")!), 3 * 125 * 0.04);
  });

  it("finds the default storage class, and bills nothing for volumes that EBS does not make", () => {
    const byDefault = ebsClass({ type: "gp3" }, { "storageclass.kubernetes.io/is-default-class": "true" });
    assert.equal(line([byDefault, claims(undefined, "1Ti")], "gp3 data volumes")?.quantity, 3 * 1024);
    assert.deepEqual(monthlyCost([ebsClass({}), claims("local-path", "100Gi")]).lines, []);
    assert.deepEqual(monthlyCost([claims(undefined, "100Gi")]).lines, []);
  });

  it("bills interface endpoints by zone, and gateway endpoints not at all", () => {
    const type = "aws:ec2/vpcEndpoint:VpcEndpoint";
    const resources = [
      resource(type, { vpcEndpointType: "Gateway" }),
      resource(type, { vpcEndpointType: "Interface", subnetIds: ["a", "b", "c"] }),
    ];
    assert.equal(monthlyCost(resources).fixedDollars, 3 * 0.01 * 730);
  });

  it("bills control planes, NAT gateways, addresses and keys", () => {
    const resources = [
      "aws:eks/cluster:Cluster",
      "aws:ec2/natGateway:NatGateway",
      "aws:ec2/eip:Eip",
      "aws:kms/key:Key",
    ].map(type => resource(type, {}));
    const { fixedDollars } = monthlyCost(resources);
    assert.ok(Math.abs(fixedDollars - (73 + 32.85 + 3.65 + 1)) < 1e-9, String(fixedDollars));
  });

  it("bills nothing for a load balancer that is none", () => {
    const service = (type: string) => resource("kubernetes:core/v1:Service", { spec: { type } });
    assert.deepEqual(monthlyCost([service("ClusterIP")]).lines, []);
    assert.equal(monthlyCost([service("LoadBalancer")]).lines.length, 1);
  });

  it("estimates what replicas ask of the bucket: it grows with their number", () => {
    const reads = (replicas?: number) => line([bucket, database(replicas)], "S3 reads")!.quantity;
    // As counted: 308 by a follower and 17 by the primary in ten minutes.
    assert.ok(Math.abs(reads(2) - ((2 * 308 + 17) / 600) * 2.628) < 1e-9);
    assert.ok(Math.abs(reads(4) - reads(2) - (2 * 308 * 2.628) / 600) < 1e-9);
    assert.equal(reads(), reads(2));
  });

  it("assumes of a database what a database does that nothing is said of", () => {
    const objectStore = {
      endpoint: "s3.example",
      bucket: "a",
      region: "us-east-1",
      accessKeyId: "a",
      secretAccessKey: "b",
    };
    const { nodes, durability, history } = settleDatabase("orders", {
      image: "a@b",
      objectStore,
    });
    assert.deepEqual(assumedOfDatabase, {
      replicas: nodes - 1,
      durability,
      history,
    });
  });

  it("estimates the log's entries by the durability, and in interval as often as the manager ships", () => {
    const entries = (durability?: string) => line([bucket, database(2, durability)], "S3 log entries")!;
    assert.deepEqual(intervalEntries, { seconds: shipEvery / 1000, bytes: shipAtBytes });
    assert.ok(Math.abs(entries().quantity - (1000 / shipEvery) * 2.628) < 1e-9);
    assert.ok(entries("commit").quantity > entries("interval").quantity);
    assert.equal(entries().dollarsEach, 5);
  });

  it("estimates the log's entries by the rows, their size and the durability", () => {
    const entries = (durability: string, rowsPerSecond: number, rowBytes = 200) =>
      entriesPerSecond(durability, { ...assumedUsage, rowsPerSecond, rowBytes });
    assert.deepEqual(
      [0.1, 1, 2, 50, 2000].map(rows => entries("interval", rows)),
      [0.1, 1, 2, 2, 2],
    );
    assert.equal(entries("interval", 8, shipAtBytes), 8, "10 MB/s are no longer two entries");
    assert.deepEqual(
      [0, 50].map(rows => entries("commit", rows)),
      [0, 20],
    );
    assert.ok(entries("commit", 1) > 0.9 && entries("commit", 1) < 1, "nobody shares an append");
    assert.ok(entries("commit", 100_000) < 34, "one after the other");
  });

  it("takes the use that is known, and never less than what an idle database asks for", () => {
    const cost = (usage: object) => monthlyCost([bucket, database()], usage);
    assert.deepEqual(cost({ rowBytes: 1000 }).usage, { rowsPerSecond: 50, rowBytes: 1000, storedGigabytes: 100 });
    const idle = cost({ rowsPerSecond: 0, storedGigabytes: 0 });
    assert.ok(Math.abs(idle.estimatedDollars - idleDollars(2)) < 1e-9);
    assert.ok(cost({ rowsPerSecond: 5000 }).estimatedDollars > 2 * cost({}).estimatedDollars);
  });

  it("costs at most $6 a month for the requests of a database that nobody writes to", () => {
    assert.ok(idleDollars(2) > 3 && idleDollars(2) < 6, String(idleDollars(2)));
    assert.ok(idleDollars(0) < idleDollars(2));
  });

  it("estimates the history of a database: every position by hours, single days by their number", () => {
    const gigabytes = (history?: object) => line([bucket, database(2, undefined, history)], "S3 history")!.quantity;
    // 10 kB/s are 0.864 GB a day: once in the log, three times in files.
    assert.ok(Math.abs(gigabytes({ everyPositionHours: 24, dailyCheckpointDays: 0 }) - 4 * 0.864) < 1e-9);
    assert.ok(Math.abs(gigabytes({ everyPositionHours: 48, dailyCheckpointDays: 1 }) - 11 * 0.864) < 1e-9);
    assert.equal(gigabytes(), gigabytes(settledHistory()));
    assert.match(line([bucket, database()], "S3 history")!.what, /24 h and 7 daily checkpoints/);
  });

  it("counts what a versioned bucket keeps of deleted objects, for as long as its lifecycle says", () => {
    const versioning = (status: string) =>
      resource("aws:s3/bucketVersioning:BucketVersioning", { versioningConfiguration: { status } });
    const lifecycle = (noncurrentDays: number) =>
      resource("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", {
        rules: [{ noncurrentVersionExpiration: { noncurrentDays } }],
      });
    const gigabytes = (...around: DescribedResource[]) =>
      line([bucket, database(), ...around], "S3 versions")?.quantity;
    assert.equal(gigabytes(), undefined);
    assert.equal(gigabytes(versioning("Suspended"), lifecycle(7)), undefined);
    assert.ok(Math.abs(gigabytes(versioning("Enabled"), lifecycle(2))! - 2 * 4 * 0.864) < 1e-9);
    assert.ok(Math.abs(gigabytes(versioning("Enabled"))! - 7 * 4 * 0.864) < 1e-9);
  });

  it("keeps what depends on use apart from what is billed anyway", () => {
    const cost = monthlyCost([bucket], { storedGigabytes: 1000 });
    assert.equal(cost.fixedDollars, 0);
    assert.equal(cost.estimatedDollars, 23);
  });

  it("reckons no requests without a bucket of AWS", () => {
    assert.deepEqual(monthlyCost([database()]).lines, []);
  });
});

describe("price of an instance type", () => {
  for (const [name, dollars] of Object.entries({
    "m5.large": 0.096,
    "m5.xlarge": 0.192,
    "m7g.large": 0.0816,
    "m8g.large": 0.08976,
    "m8gd.large": 0.11532,
    "i4i.large": 0.172,
    "i4i.xlarge": 0.343,
    "t3.medium": 0.0416,
  })) {
    it(`is right for ${name}`, () => {
      const price = instanceHourly(name);
      assert.ok(price !== undefined && Math.abs(price - dollars) <= 0.0005, `${price} instead of ${dollars}`);
    });
  }

  it("is unknown for what is in no list", () => {
    assert.equal(instanceHourly("m5.giant"), undefined);
    assert.equal(instanceHourly("constructor.large"), undefined);
  });
});
