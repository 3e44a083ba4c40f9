import { type DescribedResource, inputAt, numberAt, textAt } from "./describedResource";
import { gp3Included, hourly, hoursPerMonth, instanceHourly, monthly } from "./prices";
import { assumedUsage, bucketUseLines, type Usage } from "./bucketUse";

/** One kind of thing on the bill. */
export interface CostLine {
  /** Like `m5.large nodes`. */
  what: string;
  quantity: number;
  /** What is counted, when it is not pieces: `GB`. */
  unit?: string;
  /** US dollars a month for one; undefined when the price is not in the list. */
  dollarsEach: number | undefined;
  /** False for what is billed while it exists; true for what depends on use, where the line says which use was assumed. */
  isEstimate: boolean;
}

/** A month's bill for a plan. */
export interface CostReport {
  lines: CostLine[];
  /** Of what is billed while it exists. US dollars a month. */
  fixedDollars: number;
  /** Of what depends on use. US dollars a month. */
  estimatedDollars: number;
  /** What {@link estimatedDollars} are for. */
  usage: Usage;
}

/**
 * What a deployment costs in a month, by the prices in `prices.ts`: computers, control plane, disks, addresses, keys and the object store. Not counted is what
 * goes by traffic: logs, data between zones and out of AWS, images in ECR.
 */
export function monthlyCost(resources: readonly DescribedResource[], given: Partial<Usage> = {}): CostReport {
  const usage = { ...assumedUsage, ...given };
  const lines = resources.flatMap(resource => linesByType[resource.type]?.(resource, resources) ?? []);
  if (resources.some(({ type }) => bucketTypes.has(type))) {
    lines.push(estimate("S3 storage", usage.storedGigabytes, monthly.s3PerGigabyte, "GB"));
    lines.push(...bucketUseLines(resources, usage));
  }
  const merged = mergeLines(lines);
  const sum = (isEstimate: boolean) =>
    merged.reduce((total, line) => total + (line.isEstimate === isEstimate ? monthlyDollars(line) : 0), 0);
  return { lines: merged, fixedDollars: sum(false), estimatedDollars: sum(true), usage };
}

/** US dollars a month of a line; 0 when its price is not in the list. */
export function monthlyDollars(line: CostLine): number {
  return line.quantity * (line.dollarsEach ?? 0);
}

const bucketTypes: ReadonlySet<string> = new Set(["aws:s3/bucket:Bucket", "aws:s3/bucketV2:BucketV2"]);

/** The lines of one resource; some ask others of the same plan. */
type LineMaker = (resource: DescribedResource, all: readonly DescribedResource[]) => CostLine[];

const linesByType: Record<string, LineMaker> = {
  "aws:eks/cluster:Cluster": () => [perHour("EKS control planes", hourly.eksControlPlane)],
  "eks:index:Cluster": () => [perHour("EKS control planes", hourly.eksControlPlane)],
  "aws:eks/nodeGroup:NodeGroup": nodeGroup,
  "aws:ec2/natGateway:NatGateway": () => [perHour("NAT gateways", hourly.natGateway)],
  "aws:ec2/eip:Eip": () => [perHour("public IPv4 addresses", hourly.publicAddress)],
  "aws:kms/key:Key": () => [fixed("KMS keys", 1, monthly.kmsKey)],
  "aws:ec2/vpcEndpoint:VpcEndpoint": interfaceEndpoint,
  "aws:lb/loadBalancer:LoadBalancer": () => [perHour("load balancers", hourly.networkLoadBalancer)],
  "kubernetes:core/v1:Service": resource =>
    textAt(resource, "spec", "type") === "LoadBalancer" ? [perHour("load balancers", hourly.networkLoadBalancer)] : [],
  "kubernetes:apps/v1:StatefulSet": claimedVolumes,
  "kubernetes:core/v1:PersistentVolumeClaim": (resource, all) => volume(resource, ["spec"], 1, all),
};

/** EKS gives a node such a root volume when nothing else is said. GB. */
const defaultRootVolumeGigabytes = 20;

function nodeGroup(group: DescribedResource, all: readonly DescribedResource[]): CostLine[] {
  const template = all.find(
    ({ urn, type }) => type === "aws:ec2/launchTemplate:LaunchTemplate" && group.dependencies.includes(urn),
  );
  const nodes = numberAt(group, "scalingConfig", "desiredSize") ?? 1;
  const listed = inputAt(group, "instanceTypes");
  const first: unknown = Array.isArray(listed) ? listed[0] : undefined;
  const name = typeof first === "string" ? first : ((template && textAt(template, "instanceType")) ?? "unknown type");
  const price = textAt(group, "capacityType") === "SPOT" ? undefined : instanceHourly(name);
  const disk =
    (template && numberAt(template, "blockDeviceMappings", "ebs", "volumeSize")) ??
    numberAt(group, "diskSize") ??
    defaultRootVolumeGigabytes;
  return [
    fixed(`${name} nodes`, nodes, price === undefined ? undefined : price * hoursPerMonth),
    fixed("gp3 root volumes of nodes", nodes * disk, monthly.gp3PerGigabyte, "GB"),
  ];
}

function interfaceEndpoint(endpoint: DescribedResource): CostLine[] {
  if (textAt(endpoint, "vpcEndpointType") !== "Interface") return [];
  const subnets = inputAt(endpoint, "subnetIds");
  const zones = Array.isArray(subnets) ? subnets.length : 1;
  return [fixed("interface endpoints, per zone", zones, hourly.interfaceEndpointPerZone * hoursPerMonth)];
}

function claimedVolumes(set: DescribedResource, all: readonly DescribedResource[]): CostLine[] {
  const templates = inputAt(set, "spec", "volumeClaimTemplates");
  const pods = numberAt(set, "spec", "replicas") ?? 1;
  return (Array.isArray(templates) ? templates : []).flatMap((template: unknown) =>
    volume({ ...set, inputs: { template } }, ["template", "spec"], pods, all),
  );
}

/** Volumes that EBS makes for a claim; those of other provisioners are not on AWS's bill. */
function volume(
  claim: DescribedResource,
  spec: string[],
  count: number,
  all: readonly DescribedResource[],
): CostLine[] {
  const storageClass = storageClassOf(textAt(claim, ...spec, "storageClassName"), all);
  if (!storageClass || textAt(storageClass, "provisioner") !== "ebs.csi.aws.com") return [];
  const size = gigabytes(textAt(claim, ...spec, "resources", "requests", "storage"));
  const type = textAt(storageClass, "parameters", "type") ?? "gp3";
  if (type !== "gp3") return [fixed(`${type} data volumes`, count * size, undefined, "GB")];
  const lines = [fixed("gp3 data volumes", count * size, monthly.gp3PerGigabyte, "GB")];
  const operations = (numberAt(storageClass, "parameters", "iops") ?? 0) - gp3Included.operationsPerSecond;
  const throughput = (numberAt(storageClass, "parameters", "throughput") ?? 0) - gp3Included.megabytesPerSecond;
  if (operations > 0) {
    lines.push(fixed("gp3 operations above 3000/s", count * operations, monthly.gp3PerExtraOperationPerSecond, "/s"));
  }
  if (throughput > 0) {
    lines.push(
      fixed("gp3 throughput above 125 MB/s", count * throughput, monthly.gp3PerExtraMegabytePerSecond, "MB/s"),
    );
  }
  return lines;
}

function storageClassOf(name: string | undefined, all: readonly DescribedResource[]): DescribedResource | undefined {
  const isDefault = (resource: DescribedResource) =>
    textAt(resource, "metadata", "annotations", "storageclass.kubernetes.io/is-default-class") === "true";
  return all.find(
    resource =>
      resource.type === "kubernetes:storage.k8s.io/v1:StorageClass" &&
      (name === undefined ? isDefault(resource) : textAt(resource, "metadata", "name") === name),
  );
}

/** EBS bills what Kubernetes calls Gi as GB. */
function gigabytes(quantity: string | undefined): number {
  const [, number, suffix = ""] = /^(\d+(?:\.\d+)?)(Ki|Mi|Gi|Ti|k|M|G|T)?$/.exec(quantity ?? "") ?? [];
  const inGigabytes: Record<string, number> = { Mi: 1 / 1024, Gi: 1, Ti: 1024, M: 0.001, G: 1, T: 1000 };
  return Number(number ?? 0) * (inGigabytes[suffix] ?? 1e-9);
}

function perHour(what: string, dollarsPerHour: number): CostLine {
  return fixed(what, 1, dollarsPerHour * hoursPerMonth);
}

function fixed(what: string, quantity: number, dollarsEach: number | undefined, unit?: string): CostLine {
  return { what, quantity, unit, dollarsEach, isEstimate: false };
}

function estimate(what: string, quantity: number, dollarsEach: number, unit?: string): CostLine {
  return { what, quantity, unit, dollarsEach, isEstimate: true };
}

/** Three node groups of one node each are three nodes. What costs most comes first, estimates last. */
function mergeLines(lines: readonly CostLine[]): CostLine[] {
  const merged = new Map<string, CostLine>();
  for (const line of lines) {
    const key = JSON.stringify([line.what, line.unit, line.dollarsEach]);
    const same = merged.get(key);
    merged.set(key, same ? { ...same, quantity: same.quantity + line.quantity } : line);
  }
  return [...merged.values()].sort(
    (a, b) => Number(a.isEstimate) - Number(b.isEstimate) || monthlyDollars(b) - monthlyDollars(a),
  );
}
