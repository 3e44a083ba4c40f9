import { instanceType } from "../instanceTypes";

/** Region and month of every price in this file: AWS's public price list, Linux, on demand, in US dollars without tax. */
export const priceList = { region: "us-east-1", month: "November 2026" } as const;

/** AWS's own convention for a month of an hourly price. */
export const hoursPerMonth = 730;

/** Prices per hour of what is billed while it exists. */
export const hourly = {
  eksControlPlane: 0.1,
  natGateway: 0.045,
  /** A public IPv4 address, in use or not. */
  publicAddress: 0.005,
  /** A network load balancer, before what flows through it. */
  networkLoadBalancer: 0.0225,
  /** An interface endpoint in one zone, before what flows through it. Gateway endpoints are free. */
  interfaceEndpointPerZone: 0.01,
} as const;

/** Prices per month. */
export const monthly = {
  gp3PerGigabyte: 0.08,
  /** Above what each gp3 volume includes. */
  gp3PerExtraOperationPerSecond: 0.005,
  gp3PerExtraMegabytePerSecond: 0.04,
  s3PerGigabyte: 0.023,
  kmsKey: 1,
} as const;

/** What each gp3 volume includes. */
export const gp3Included = { operationsPerSecond: 3000, megabytesPerSecond: 125 } as const;

/** Prices per request of S3. */
export const s3Request = {
  /** PUT, COPY, POST and LIST. */
  write: 0.005 / 1000,
  /** GET and HEAD. */
  read: 0.0004 / 1000,
} as const;

/** Price of a gigabyte through a NAT gateway. */
export const natPerGigabyte = 0.045;

/** Aurora MySQL, for comparison. */
export const aurora = {
  hourlyByClass: { "db.r6g.large": 0.26, "db.r7g.large": 0.276 },
  storagePerGigabyte: 0.1,
  perMillionRequests: 0.2,
} as const;

/** Price per hour of the size `large` of each family. Within a family the price goes with the cores. */
const largeByFamily: Record<string, number> = {
  c5: 0.085,
  c6g: 0.068,
  c6i: 0.085,
  c7g: 0.0725,
  c7i: 0.08925,
  m5: 0.096,
  m5d: 0.113,
  m6i: 0.096,
  m6id: 0.11865,
  m6a: 0.0864,
  m6g: 0.077,
  m7g: 0.0816,
  m7gd: 0.1068,
  m7i: 0.1008,
  m8g: 0.08976,
  m8gd: 0.11532,
  c5d: 0.096,
  r5: 0.126,
  r5d: 0.144,
  r6i: 0.126,
  r6id: 0.1512,
  r7i: 0.1323,
  r6g: 0.1008,
  r6gd: 0.1152,
  r7g: 0.1071,
  r7gd: 0.1361,
  r8g: 0.11782,
  i3: 0.156,
  i4i: 0.1716,
  t3: 0.0832,
  t4g: 0.0672,
};

/** Types whose price does not go with their cores: burstable ones of a size share the cores, not the credits. */
const exceptions: Record<string, number> = { "t3.medium": 0.0416, "t4g.medium": 0.0336 };

/** Price per hour of an instance type on demand; undefined for one that is not in the list. */
export function instanceHourly(name: string): number | undefined {
  if (Object.hasOwn(exceptions, name)) return exceptions[name];
  const family = name.split(".")[0] ?? "";
  const large = Object.hasOwn(largeByFamily, family) ? largeByFamily[family] : undefined;
  const cores = instanceType(name)?.cpuCores;
  const coresOfLarge = instanceType(`${family}.large`)?.cpuCores;
  return large === undefined || !cores || !coresOfLarge ? undefined : (large * cores) / coresOfLarge;
}
