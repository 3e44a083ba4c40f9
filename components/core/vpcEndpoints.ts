import { partitionOf } from "./awsRegion";
import { InputProblem } from "./inputProblem";
import { printable } from "./printable";

/**
 * Services that nodes, add-ons and pods of the cluster call, S3 apart (Amazon EKS User Guide, "Deploy private clusters with limited internet access"). Images are pulled from ECR; the CNI
 * plugin and the EBS driver call EC2; Pod Identity calls eks-auth; the command line's login calls STS.
 */
const servicesOfCluster = ["ec2", "ecr.api", "ecr.dkr", "eks", "eks-auth", "sts"];

/** Interface endpoints that a cluster without NAT needs; undefined in a partition whose names for them are not known here. */
export function defaultInterfaceEndpoints(region: string): string[] | undefined {
  return partitionOf(region) === "aws-cn" ? undefined : servicesOfCluster;
}

/** Name of an endpoint's service in a region; what is a full name already stays as it is. */
export function endpointServiceName(region: string, service: string): string {
  return service.includes("amazonaws") ? service : `com.amazonaws.${region}.${service}`;
}

/** What is wrong with services that interface endpoints were asked for, or with leaving them out where there is no other way out. */
export function validateInterfaceEndpoints(
  region: string,
  services: string[] | undefined,
  hasNat: boolean,
): InputProblem[] {
  const propertyPath = "interfaceEndpoints";
  if (services === undefined) {
    if (hasNat || defaultInterfaceEndpoints(region) !== undefined) return [];
    const reason = `is missing, and without NAT nodes need endpoints whose names in ${region} are not known here: give their full names, or use NAT`;
    return [{ propertyPath, reason }];
  }
  return services.flatMap((service, index) => {
    const path = `${propertyPath}[${index}]`;
    if (!/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(service)) {
      return [{ propertyPath: path, reason: `"${printable(service)}" is no service: write its name, like "ecr.api"` }];
    }
    if (service === "s3" || service.endsWith(".s3")) {
      return [{ propertyPath: path, reason: '"s3" has a gateway endpoint already, which is free: leave it out' }];
    }
    return services.indexOf(service) < index ? [{ propertyPath: path, reason: `"${service}" is there already` }] : [];
  });
}
