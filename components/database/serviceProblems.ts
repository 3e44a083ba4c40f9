import { InputProblem, under } from "../core/inputProblem";
import { isCidr } from "../core/networkPeers";
import { isDnsName } from "../core/names";
import { printable } from "../core/printable";
import { wholeNumber } from "../core/valueProblems";
import { NetworkPeerArgs } from "./arguments";
import { DatabaseServiceArgs, DatabaseServicesArgs, ServiceExposureArgs, ServiceType } from "./serviceArguments";

/**
 * What is wrong with how the two Services are offered. Paths begin inside `services`.
 * @param clients those that are let in; undefined where the default holds, which is pods alone
 */
export function serviceProblems(
  services: DatabaseServicesArgs,
  clients: NetworkPeerArgs[] | undefined,
): InputProblem[] {
  const { primary, replica, ...both } = services;
  const problems = [
    ...exposureProblems(both, typeOf(both)),
    ...under("primary", ownProblems(both, primary ?? {})),
    ...under("replica", ownProblems(both, replica ?? {})),
  ];
  const preset = both.preset === undefined ? (primary?.preset ?? replica?.preset) : both.preset;
  if (preset !== undefined && !clients?.some(({ cidr }) => cidr !== undefined)) {
    const path =
      both.preset !== undefined ? "preset" : primary?.preset !== undefined ? "primary.preset" : "replica.preset";
    problems.push({
      propertyPath: path,
      reason:
        'needs the nodes\' addresses in "clients", since the load balancer\'s connections reach the pods from there: add { cidr: "10.0.0.0/16" } with the VPC\'s range',
    });
  }
  return problems;
}

function ownProblems(both: ServiceExposureArgs, own: DatabaseServiceArgs): InputProblem[] {
  const { port, nodePort, dnsName } = own;
  const type = typeOf({ ...both, ...own });
  const problems = [
    ...exposureProblems(own, type),
    ...wholeNumber("port", port, 1, 65_535),
    ...wholeNumber("nodePort", nodePort, 30_000, 32_767, "the range that clusters have unless told otherwise"),
  ];
  if (nodePort !== undefined && type === ServiceType.ClusterIP) {
    problems.push({ propertyPath: "nodePort", reason: meansNothing("NodePort") });
  }
  if (dnsName !== undefined && !isDnsName(dnsName)) {
    problems.push({ propertyPath: "dnsName", reason: `"${printable(dnsName)}" is not a DNS name` });
  }
  return problems;
}

function exposureProblems(exposure: ServiceExposureArgs, type: ServiceType): InputProblem[] {
  const { preset, loadBalancerClass, loadBalancerSourceRanges = [], externalTrafficPolicy } = exposure;
  const problems: InputProblem[] = [];
  if (type !== ServiceType.LoadBalancer) {
    for (const [propertyPath, value] of Object.entries({ preset, loadBalancerClass })) {
      if (value !== undefined) problems.push({ propertyPath, reason: meansNothing("LoadBalancer") });
    }
    if (exposure.loadBalancerSourceRanges !== undefined) {
      problems.push({ propertyPath: "loadBalancerSourceRanges", reason: meansNothing("LoadBalancer") });
    }
  }
  if (type === ServiceType.ClusterIP && externalTrafficPolicy !== undefined) {
    problems.push({ propertyPath: "externalTrafficPolicy", reason: meansNothing("LoadBalancer") });
  }
  loadBalancerSourceRanges.forEach((range, index) => {
    if (isCidr(range)) return;
    const reason = `"${printable(range)}" is not a range of addresses: write one like 203.0.113.0/24`;
    problems.push({ propertyPath: `loadBalancerSourceRanges[${index}]`, reason });
  });
  return problems;
}

function meansNothing(type: string): string {
  return `means nothing without type "${type}": set that, or leave it out`;
}

function typeOf({ type, preset }: ServiceExposureArgs): ServiceType {
  return type ?? (preset === undefined ? ServiceType.ClusterIP : ServiceType.LoadBalancer);
}
