import { InputProblem } from "./inputProblem";
import { printable } from "./printable";

/** The part of AWS that a region belongs to: ARNs begin with it, and hosts end with its domain. */
interface Partition {
  /** Beginning of its regions' names. */
  regionPrefix: string;
  name: string;
  domain: string;
}

/** Partitions other than the commercial one ("AWS partitions" in the AWS documentation, November 2026). The isolated ones and the European Sovereign Cloud are not among them. */
const partitions: Partition[] = [
  { regionPrefix: "cn-", name: "aws-cn", domain: "amazonaws.com.cn" },
  { regionPrefix: "us-gov-", name: "aws-us-gov", domain: "amazonaws.com" },
];
const commercial: Partition = { regionPrefix: "", name: "aws", domain: "amazonaws.com" };

/**
 * Letters of zones where they are not `a`, `b` and `c` for every account ("AWS Regions and Availability Zones", November 2026). In us-west-1 an account sees two of three,
 * and which ones differs.
 */
const zoneLetters: Record<string, string[] | undefined> = {
  "ap-northeast-1": ["a", "c", "d"],
  "ca-central-1": ["a", "b", "d"],
  "cn-north-1": ["a", "b", "d"],
  "us-west-1": undefined,
};

/** EKS places nodes and control plane in at least two zones; a database has a primary and up to so many replicas a zone each. */
const fewestZones = 2;
const mostZones = 4;

const regionName = /^[a-z]{2,4}(-gov)?-(north|south|east|west|central|northeast|northwest|southeast|southwest)-\d$/;

/** Name of the partition of a region, as ARNs begin with it: `aws`, `aws-cn`, `aws-us-gov`. */
export function partitionOf(region: string): string {
  return partitionOfRegion(region).name;
}

/** Domain under which a region's services are: `amazonaws.com` almost everywhere. */
export function domainOf(region: string): string {
  return partitionOfRegion(region).domain;
}

/** Three zones of a region; undefined where it has no three that every account sees. Nothing is looked up. */
export function defaultZones(region: string): string[] | undefined {
  const letters = Object.hasOwn(zoneLetters, region) ? zoneLetters[region] : ["a", "b", "c"];
  return letters?.map(letter => `${region}${letter}`);
}

/** What is wrong with a region's name. */
export function validateAwsRegion(region: string): InputProblem[] {
  const propertyPath = "region";
  if (/^([a-z]+-iso[a-z]?|eusc)-/.test(region)) {
    return [{ propertyPath, reason: `"${printable(region)}" is in a partition whose services are not known here` }];
  }
  if (regionName.test(region)) return [];
  return [{ propertyPath, reason: `"${printable(region)}" is not an AWS region: write one like "us-east-1"` }];
}

/** What is wrong with the zones that were asked for, or with leaving them out. */
export function validateZones(region: string, zones: string[] | undefined): InputProblem[] {
  if (zones === undefined) {
    if (defaultZones(region) !== undefined) return [];
    return [
      {
        propertyPath: "zones",
        reason: `is missing, and ${region} has no three zones that every account sees: name them, from "aws ec2 describe-availability-zones --region ${region}"`,
      },
    ];
  }
  const problems: InputProblem[] = [];
  if (zones.length < fewestZones || zones.length > mostZones) {
    problems.push({
      propertyPath: "zones",
      reason: `has ${zones.length}: name ${fewestZones} to ${mostZones} zones; 3 are usual`,
    });
  }
  zones.forEach((zone, index) => {
    const reason = zoneProblem(region, zone, zones.indexOf(zone) < index);
    if (reason !== undefined) problems.push({ propertyPath: `zones[${index}]`, reason });
  });
  return problems;
}

function zoneProblem(region: string, zone: string, isRepeated: boolean): string | undefined {
  const shown = printable(zone);
  if (!/^[a-z]$/.test(zone.slice(region.length)) || !zone.startsWith(region)) {
    return `"${shown}" is not a zone of ${region}: write its name, like "${region}a" (not its id, and no local zone)`;
  }
  return isRepeated ? `"${shown}" is there already: name each zone once` : undefined;
}

function partitionOfRegion(region: string): Partition {
  return partitions.find(({ regionPrefix }) => region.startsWith(regionPrefix)) ?? commercial;
}
