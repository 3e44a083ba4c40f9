import { domainOf } from "./awsRegion";
import { InputProblem } from "./inputProblem";
import { printable } from "./printable";

/** Where a bucket is, as far as it can be judged before anything is contacted. */
export interface BucketLocation {
  /** Host, and port when it is not the scheme's default. */
  endpoint: string;
  bucket: string;
  region: string;
  useTls: boolean;
  pathStyle: boolean;
}

/** The engine's field for the endpoint holds 511 bytes, DNS names end at 253. */
const longestHost = 253;
/** S3 gives a key 1,024 bytes; the engine appends `data/<database>__<table>/<file>`, at most about 200. The rest is left for copies of the bucket. */
const longestPrefix = 128;
/** The engine's field for the region holds 63 bytes. */
const longestRegion = 63;
/** The engine's fields for the two parts of the key hold 127 bytes each. */
const longestKey = 127;

const dnsLabel = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/i;
const ipv4Address = /^\d{1,3}(\.\d{1,3}){3}$/;

/** Names that S3 keeps for itself ("General purpose bucket naming rules" in its user guide). */
const reservedBucketPrefixes = ["xn--", "sthree-", "amzn-s3-demo-"];
const reservedBucketSuffixes = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];

/** What is wrong with an S3 endpoint: it is a host and, when it is not the scheme's own, a port; `useTls` and `pathStyle` say the rest. */
export function validateEndpoint(endpoint: string): InputProblem[] {
  const reason = endpointProblem(endpoint);
  return reason === undefined ? [] : [{ propertyPath: "endpoint", reason }];
}

/** What is wrong with a bucket's name, by S3's own rules, which other stores share or are more lenient than. */
export function validateBucketName(bucket: string): InputProblem[] {
  const reason = bucketNameProblem(bucket);
  return reason === undefined ? [] : [{ propertyPath: "bucket", reason }];
}

/** What is wrong with a database's folder in its bucket. The engine puts it before each key as it is, so it ends with `/`. */
export function validatePrefix(prefix: string): InputProblem[] {
  const reason = prefixProblem(prefix);
  return reason === undefined ? [] : [{ propertyPath: "prefix", reason }];
}

/** What is wrong with the name of a region. Stores outside AWS take any name, most `us-east-1`: it is part of each request's signature. */
export function validateStoreRegion(region: string): InputProblem[] {
  if (region.length <= longestRegion && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(region)) return [];
  return [
    {
      propertyPath: "region",
      reason: `"${printable(region)}" is not a region: write lower-case letters, digits and "-", like "us-east-1" (what most stores outside AWS take, too)`,
    },
  ];
}

/**
 * What is wrong with one part of an access key. The value itself is never shown.
 * @param propertyPath `accessKeyId` or `secretAccessKey`
 */
export function validateKeyPart(propertyPath: string, value: string): InputProblem[] {
  if (value.length === 0) return [{ propertyPath, reason: "is empty: give the store's key" }];
  if (value.length > longestKey) {
    return [
      {
        propertyPath,
        reason: `is longer than ${longestKey} characters, which the engine cuts off: make a shorter key`,
      },
    ];
  }
  if (/^[A-Za-z0-9+/=._~-]+$/.test(value)) return [];
  return [
    {
      propertyPath,
      reason:
        'has a character that no access key has (a quote, a space or a line end, perhaps): only letters, digits and "+/=._~-" are taken',
    },
  ];
}

/** Everything that is wrong with a location, its parts and their combination. */
export function validateBucketLocation(location: BucketLocation): InputProblem[] {
  const { endpoint, bucket, region } = location;
  const problems = [...validateEndpoint(endpoint), ...validateBucketName(bucket), ...validateStoreRegion(region)];
  return problems.length > 0 ? problems : combinationProblems(location);
}

/** The endpoint of a region of S3, under which a gateway endpoint in the VPC catches the traffic. */
export function regionalEndpoint(region: string): string {
  return `s3.${region}.${domainOf(region)}`;
}

function endpointProblem(endpoint: string): string | undefined {
  const shown = printable(endpoint);
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(endpoint)) {
    return `"${shown}" has a scheme: write host or host:port alone, and choose between http and https with useTls`;
  }
  if (endpoint.includes("@")) return "has a user name or password in it: write host or host:port alone";
  if (/[/?#\\]/.test(endpoint)) {
    return `"${shown}" has a path: write host or host:port alone; the bucket and the prefix are arguments of their own`;
  }
  const [host = "", port, ...rest] = endpoint.split(":");
  if (rest.length > 0)
    return `"${shown}" has more than one ":": write host or host:port, with a name or an IPv4 address`;
  if (port !== undefined && !isPort(port)) {
    return `"${shown}" has no valid port: write a number from 1 to 65535 after the ":"`;
  }
  if (!isHost(host)) return `"${shown}" is not a host: write a DNS name or an IPv4 address, and :port if it has one`;
  if (/^s3\.amazonaws\.com$/i.test(host)) {
    return `"${shown}" belongs to no region and answers with redirects, which the engine does not follow: write "s3.<region>.amazonaws.com"`;
  }
  return undefined;
}

function isPort(port: string): boolean {
  return /^[1-9]\d{0,4}$/.test(port) && Number(port) <= 65_535;
}

function isHost(host: string): boolean {
  if (ipv4Address.test(host)) return host.split(".").every(part => Number(part) <= 255);
  return host.length <= longestHost && host.split(".").every(label => dnsLabel.test(label));
}

function bucketNameProblem(bucket: string): string | undefined {
  const shown = printable(bucket);
  if (bucket.length < 3 || bucket.length > 63) {
    return `"${shown}" has ${bucket.length} characters: S3 takes names of 3 to 63`;
  }
  if (!/^[a-z0-9][a-z0-9.-]*[a-z0-9]$/.test(bucket)) {
    return `"${shown}" is not a valid S3 bucket name: write lower-case letters, digits, "-" and ".", with a letter or digit at both ends`;
  }
  if (bucket.includes("..") || /\.-|-\./.test(bucket)) {
    return `"${shown}" has a "." beside a "." or "-": S3 takes parts that begin and end with a letter or digit`;
  }
  if (ipv4Address.test(bucket)) return `"${shown}" looks like an IP address, which S3 refuses: choose a name`;
  const reserved =
    reservedBucketPrefixes.find(prefix => bucket.startsWith(prefix)) ??
    reservedBucketSuffixes.find(suffix => bucket.endsWith(suffix));
  if (reserved !== undefined)
    return `"${shown}" has "${reserved}" in it, which S3 keeps for itself: choose another name`;
  return undefined;
}

function prefixProblem(prefix: string): string | undefined {
  const shown = printable(prefix);
  if (prefix.length > longestPrefix) {
    return `has ${prefix.length} characters: shorten it to ${longestPrefix}`;
  }
  if (prefix.includes("..")) return `"${shown}" has ".." in it: name the folder itself, like "orders/"`;
  if (prefix.startsWith("/")) return `"${shown}" begins with "/", which would be an empty folder: leave it out`;
  if (!prefix.endsWith("/")) {
    return `"${shown}" does not end with "/", so that its keys would run into its neighbours': append "/"`;
  }
  if (prefix.includes("//")) return `"${shown}" has an empty folder in it: write one "/" between names`;
  if (!/^([A-Za-z0-9][A-Za-z0-9._-]*\/)+$/.test(prefix)) {
    return `"${shown}" has characters that need escaping in a request: begin each folder with a letter or digit, go on with letters, digits, ".", "_" and "-"`;
  }
  return undefined;
}

function combinationProblems({ endpoint, bucket, region, useTls, pathStyle }: BucketLocation): InputProblem[] {
  const problems: InputProblem[] = [];
  const host = endpoint.toLowerCase();
  if (host.startsWith(`${bucket}.`)) {
    problems.push({
      propertyPath: "endpoint",
      reason: `"${endpoint}" begins with the bucket's name, which is an argument of its own: write "${host.slice(bucket.length + 1)}"`,
    });
  }
  const ofAws = /(?:^|\.)s3[.-]((?:[a-z]+-)+\d)\.amazonaws\.com(?:\.cn)?$/.exec(host);
  if (ofAws && ofAws[1] !== region) {
    problems.push({
      propertyPath: "region",
      reason: `is "${region}", but the endpoint is in "${ofAws[1]}", and the engine does not follow redirects: write the same in both`,
    });
  }
  if (bucket.includes(".") && useTls && !pathStyle) {
    problems.push({
      propertyPath: "bucket",
      reason: `"${bucket}" has a ".", so that no certificate of the form *.<endpoint> holds for it: set pathStyle to true, or choose a name without one`,
    });
  }
  if (ipv4Address.test(endpoint.split(":")[0]!) && !pathStyle) {
    problems.push({
      propertyPath: "pathStyle",
      reason: "is false, but an IP address has no names below it to hold the bucket's: set it to true",
    });
  }
  return problems;
}
