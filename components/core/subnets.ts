import { InputProblem } from "./inputProblem";
import { printable } from "./printable";

/** A range of IPv4 addresses. */
interface AddressRange {
  /** First address, as a number from 0 to 2^32 - 1. */
  base: number;
  prefixLength: number;
}

/** Subnets of a VPC, one of each kind per zone, in the order of the zones. CIDR notation. */
export interface SubnetLayout {
  /** Nodes and pods. Each is the size of a whole block, since every pod takes an address of its subnet. */
  privateCidrs: string[];
  /** NAT gateways and load balancers that the world reaches. They share the block that is left. */
  publicCidrs: string[];
}

/** A VPC's largest range. */
const largestVpc = 16;
/** In three zones its private subnets have 256 addresses each, of which AWS keeps 5 and a node takes up to 30 or so; public ones have 64. */
const smallestVpc = 22;

/**
 * Private ranges: those of RFC 1918, and the carriers' range of RFC 6598. Addresses of the internet would hide their owners from the VPC. EKS takes its Services' addresses from 172.20.0.0/16,
 * or from 10.100.0.0/16 where the VPC overlaps that.
 */
const privateRanges = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"];

/** What is wrong with a VPC's CIDR. */
export function validateVpcCidr(propertyPath: string, cidr: string): InputProblem[] {
  const reason = vpcCidrProblem(cidr);
  return reason === undefined ? [] : [{ propertyPath, reason }];
}

/**
 * Cuts a VPC into equal blocks, one for each zone's private subnet and one for all public subnets. Adding a zone within the same number of blocks leaves the others where they are.
 * @param vpcCidr one that `validateVpcCidr` finds nothing wrong with
 * @param zoneCount number of zones, from 1
 */
export function layOutSubnets(vpcCidr: string, zoneCount: number): SubnetLayout {
  const vpc = parseCidr(vpcCidr)!;
  const bits = Math.floor(Math.log2(zoneCount)) + 1;
  const blocks = divide(vpc, bits);
  const publicBlock = blocks.at(-1)!;
  return {
    privateCidrs: blocks.slice(0, zoneCount).map(formatCidr),
    publicCidrs: divide(publicBlock, bits).slice(0, zoneCount).map(formatCidr),
  };
}

/** Whether text is an IPv4 range whose bits behind the prefix are 0. */
export function isCidr(cidr: string): boolean {
  return parseCidr(cidr) !== undefined;
}

function vpcCidrProblem(cidr: string): string | undefined {
  const vpc = parseCidr(cidr);
  if (vpc === undefined) {
    return `"${printable(cidr)}" is not a range of IPv4 addresses: write one like "10.0.0.0/16", with zeros behind the prefix`;
  }
  if (vpc.prefixLength < largestVpc || vpc.prefixLength > smallestVpc) {
    return `"${cidr}" is a /${vpc.prefixLength}: a VPC here has /${largestVpc} to /${smallestVpc}, since every pod takes an address`;
  }
  if (!privateRanges.some(range => contains(parseCidr(range)!, vpc))) {
    return `"${cidr}" holds addresses of the internet: take a part of ${privateRanges.join(", ")}`;
  }
  return undefined;
}

function parseCidr(cidr: string): AddressRange | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(cidr);
  if (match === null) return undefined;
  const [prefixLength, ...octets] = [Number(match[5]), ...match.slice(1, 5).map(Number)];
  if (octets.some(octet => octet > 255) || prefixLength > 32) return undefined;
  const base = octets.reduce((sum, octet) => sum * 256 + octet, 0);
  return base % size(prefixLength) === 0 ? { base, prefixLength } : undefined;
}

function formatCidr({ base, prefixLength }: AddressRange): string {
  const octets = [24, 16, 8, 0].map(shift => Math.floor(base / 2 ** shift) % 256);
  return `${octets.join(".")}/${prefixLength}`;
}

/** Equal parts of a range, 2^bits of them. */
function divide({ base, prefixLength }: AddressRange, bits: number): AddressRange[] {
  const length = prefixLength + bits;
  return Array.from({ length: 2 ** bits }, (_, index) => ({ base: base + index * size(length), prefixLength: length }));
}

function contains(outer: AddressRange, inner: AddressRange): boolean {
  return (
    inner.prefixLength >= outer.prefixLength &&
    Math.floor(inner.base / size(outer.prefixLength)) * size(outer.prefixLength) === outer.base
  );
}

/** Number of addresses behind a prefix. */
function size(prefixLength: number): number {
  return 2 ** (32 - prefixLength);
}
