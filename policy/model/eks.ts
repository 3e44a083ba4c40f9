import { isEksCluster, isNodeGroup, ofAwsKind, ofEksKind } from "./aws";
import { type Field, NotYetKnown } from "./field";
import { type Stack } from "./stack";

/** The lists of subnets that a cluster's nodes are in: those of its node groups, or its own where `eks.Cluster` makes the nodes. */
export function nodesOfCluster(cluster: Field, stack: Stack): Field[] {
  const clusters = stack.where(isEksCluster);
  const groups = stack
    .where(isNodeGroup)
    .filter(group => clusters.length === 1 || belongsTo(group, cluster, clusters, stack));
  const lists = groups.flatMap(group => present([group.at("subnetIds"), group.at("nodeSubnetIds")]));
  const isComponent = ofEksKind("Cluster")(cluster.resource.type);
  const own = ["nodeSubnetIds", "privateSubnetIds", "subnetIds"].map(name => cluster.at(name));
  const namesNone =
    groups.length === 0 ||
    groups.some(group => present([group.at("subnetIds"), group.at("nodeSubnetIds")]).length === 0);
  return isComponent && namesNone ? [...lists, ...present(own).slice(0, 1)] : lists;
}

function belongsTo(group: Field, cluster: Field, clusters: Field[], stack: Stack): boolean {
  const name = ofAwsKind("eks:NodeGroup")(group.resource.type) ? group.at("clusterName") : group.at("cluster");
  return stack.refersTo(name, cluster, clusters, candidate => candidate.at("name"));
}

function present(fields: Field[]): Field[] {
  return fields.filter(field => field.firstUnknown !== undefined || field.isPresent);
}

/**
 * The zones behind lists of subnets: a subnet of this program has its zone in its inputs; one from elsewhere counts as a zone of its own. Unknown subnets are those
 * that the list's resource depends on.
 */
export function zonesOf(subnetLists: readonly Field[], stack: Stack): Set<string> {
  const subnets = stack.where(ofAwsKind("ec2:Subnet"));
  const zones = new Set<string>();
  for (const list of subnetLists) {
    if (!list.firstUnknown) {
      for (const id of list.textList) zones.add(id);
      continue;
    }
    const dependsOn = subnets.filter(({ resource }) => list.resource.dependencies.includes(resource.urn));
    if (dependsOn.length === 0) throw new NotYetKnown(list.resource.urn, list.path);
    for (const subnet of dependsOn) zones.add(zoneOf(subnet));
  }
  return zones;
}

function zoneOf(subnet: Field): string {
  const zone = subnet.at("availabilityZone");
  return zone.text ?? subnet.at("availabilityZoneId").text ?? subnet.resource.urn;
}

/** Where a cluster's VPC CNI is told to enforce NetworkPolicies, as far as the program says anything about it. */
export function vpcCniSettings(cluster: Field, stack: Stack): Field[] {
  const addons = stack.where(ofAwsKind("eks:Addon")).filter(addon => addon.at("addonName").text === "vpc-cni");
  const components = stack.where(ofEksKind("Addon")).filter(addon => addon.at("addonName").text === "vpc-cni");
  return [
    cluster.at("vpcCniOptions", "enableNetworkPolicy"),
    ...stack.where(ofEksKind("VpcCniAddon")).map(addon => addon.at("enableNetworkPolicy")),
    ...[...addons, ...components].map(addon => addon.at("configurationValues").json.at("enableNetworkPolicy")),
  ];
}
