import assert from "node:assert/strict";
import { monthlyCost, monthlyDollars } from "../../../components/core/planning/cost";
import type { DescribedResource } from "../../../components/core/planning/describedResource";
import { instanceHourly } from "../../../components/core/planning/prices";
import { assumedOfDatabase } from "../../../components/core/planning/storeRequests";
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

const claims = (storageClassName: string | undefined, storage: string, replicas = 3) =>
  resource("kubernetes:apps/v1:StatefulSet", {
    spec: { replicas, volumeClaimTemplates: [{ spec: { storageClassName, resources: { requests: { storage } } } }] },
  });

const database = (replicas?: number, replicaSyncIntervalMilliseconds?: number, durability?: string) =>
  resource("tidesql:index:Database", { replicas, replicaSyncIntervalMilliseconds, durability });

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

  it("estimates what replicas ask of the bucket: it grows with their number and with how often they ask", () => {
    const bucket = resource("aws:s3/bucket:Bucket", {});
    const listings = (replicas?: number, milliseconds?: number) =>
      line([bucket, database(replicas, milliseconds)], "S3 listings")!.quantity;
    assert.equal(listings(2, 100), (2 * 10 * 730 * 3600) / 1e6);
    assert.equal(listings(4, 100), 2 * listings(2, 100));
    assert.equal(listings(2, 1000), listings(2, 100) / 10);
    assert.equal(listings(), listings(2, 100));
  });

  it("assumes of a database what a database does that nothing is said of", () => {
    const objectStore = {
      endpoint: "s3.example",
      bucket: "a",
      region: "us-east-1",
      accessKeyId: "a",
      secretAccessKey: "b",
    };
    const { nodes, durability, replicaSyncIntervalMicroseconds } = settleDatabase("orders", {
      image: "a@b",
      objectStore,
    });
    assert.deepEqual(assumedOfDatabase, {
      replicas: nodes - 1,
      durability,
      replicaSyncIntervalMilliseconds: replicaSyncIntervalMicroseconds / 1000,
    });
  });

  it("estimates the WAL's uploads by the durability, and leaves out what goes by volume or has no replica", () => {
    const bucket = resource("aws:s3/bucket:Bucket", {});
    const uploads = (durability: string) => line([bucket, database(2, 100, durability)], "S3 WAL uploads")?.quantity;
    assert.equal(uploads("commit"), 2 * uploads("interval")!);
    assert.equal(uploads("threshold"), undefined);
    assert.equal(line([bucket, database(0)], "S3 listings"), undefined);
  });

  it("estimates the history of a database on the log: every position by hours, single days by their number", () => {
    const bucket = resource("aws:s3/bucket:Bucket", {});
    const gigabytes = (history?: object) => {
      const onLog = resource("tidesql:index:Database", { store: "log", ...(history && { history }) });
      return line([bucket, onLog], "S3 history")!.quantity;
    };
    // 50 kB/s are 4.32 GB a day: once in the log, three times in files.
    assert.ok(Math.abs(gigabytes({ everyPositionHours: 24, dailyCheckpointDays: 0 }) - 4 * 4.32) < 1e-9);
    assert.ok(Math.abs(gigabytes({ everyPositionHours: 48, dailyCheckpointDays: 1 }) - 11 * 4.32) < 1e-9);
    assert.equal(gigabytes(), gigabytes(settledHistory()));
    const plain = resource("tidesql:index:Database", { store: "log" });
    assert.equal(line([bucket, plain], "S3 listings"), undefined);
    assert.match(line([bucket, plain], "S3 history")!.what, /24 h and 7 daily checkpoints/);
    assert.equal(line([bucket, database()], "S3 history"), undefined);
  });

  it("keeps what depends on use apart from what is billed anyway", () => {
    const bucket = resource("aws:s3/bucket:Bucket", {});
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
