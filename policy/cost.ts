import { Group, group, Level, stackCheck, resourceCheck } from "./check";
import { anyType, isEksCluster, isNodeGroup, ofAwsKind, ofEksKind, userDataText } from "./model/aws";
import { controlPlanePrice } from "./model/eksSupport";
import { anyOf, type Field, forEach } from "./model/field";
import { type Stack } from "./model/stack";

/** Instance families with NVMe disks: those of storage, and those with a `d` after the generation. */
const instanceStoreFamily = /^(?:i[0-9][a-z]*|im4gn|is4gen|i7ie|d[23](?:en)?|[a-z]+[0-9][a-z]*d[a-z]*)\./;

/** Price of a gibibyte through a NAT gateway (us-east-1, November 2026). US dollars. */
const natPricePerGibibyte = 0.045;

/** What makes a node group's machines use their NVMe disks: AL2023's NodeConfig, Bottlerocket's bootstrap command, or a script that formats them. */
const usesInstanceStore = /localStorage[\s\S]{0,200}strategy|ephemeral-storage|\bmkfs\b|\bmdadm\b/;

function instanceTypes(nodeGroup: Field): string[] {
  return [...nodeGroup.at("instanceTypes").textList, ...nodeGroup.at("instanceType").textList];
}

/** Everything that a node group's machines are told at their start: in the group itself, and in its launch template. */
function bootTexts(nodeGroup: Field, stack: Stack): Field[] {
  const templates = stack.where(ofAwsKind("ec2:LaunchTemplate"));
  const own = templates.filter(
    template =>
      nodeGroup.resource.dependencies.includes(template.resource.urn) ||
      (nodeGroup.at("launchTemplate").firstUnknown === undefined &&
        nodeGroup.at("launchTemplate", "name").text !== undefined &&
        nodeGroup.at("launchTemplate", "name").text === template.at("name").text),
  );
  const extra = nodeGroup.at("nodeadmExtraOptions").items.map(option => option.at("content"));
  return [
    ...own.map(template => template.at("userData")),
    ...["userData", "nodeUserData", "nodeUserDataOverride"].map(name => nodeGroup.at(name)),
    ...extra,
    ...nodeGroup.at("bottlerocketSettings").texts(),
  ];
}

/** What is paid for without need. */
export const cost = group(Group.cost, [
  stackCheck({
    id: "cost-nat-for-s3",
    description: "S3 traffic goes through a gateway endpoint.",
    why: "The database sends every write to S3: through a NAT gateway that costs by the gigabyte, through a gateway endpoint nothing.",
    fix: 'aws.ec2.VpcEndpoint with serviceName: "com.amazonaws.<region>.s3", vpcEndpointType: "Gateway" and the private route tables',
    level: Level.advisory,
    applies: ofAwsKind("ec2:Vpc"),
    *evaluateInStack(vpc, _given, stack) {
      if (stack.where(ofAwsKind("ec2:NatGateway")).length === 0) return;
      const vpcs = stack.where(ofAwsKind("ec2:Vpc"));
      const isForS3 = (endpoint: Field) =>
        /\.s3$/.test(endpoint.at("serviceName").text ?? "") &&
        (endpoint.at("vpcEndpointType").text ?? "Gateway") === "Gateway" &&
        stack.refersTo(endpoint.at("vpcId"), vpc, vpcs, candidate => candidate.at("id"));
      if (anyOf(stack.where(ofAwsKind("ec2:VpcEndpoint")), isForS3)) return;
      yield {
        path: "",
        message: `S3 traffic crosses a NAT gateway, at ${natPricePerGibibyte} USD a gigabyte.`,
      };
    },
  }),

  resourceCheck({
    id: "cost-extended-support",
    description: "The cluster is upgraded at the end of standard support, not put into extended support.",
    why: `Extended support is the default, and costs ${controlPlanePrice.extended} in place of ${controlPlanePrice.standard} USD an hour.`,
    fix: 'upgradePolicy: { supportType: "STANDARD" }',
    level: Level.advisory,
    applies: isEksCluster,
    *evaluate(cluster) {
      const support = cluster.at("upgradePolicy", "supportType");
      if (support.text === "STANDARD") return;
      yield {
        path: support.path,
        message: "The cluster goes into extended support.",
      };
    },
  }),

  stackCheck({
    id: "cost-instance-store-unused",
    description: "The NVMe disks of the nodes are used.",
    why: "Machines with NVMe cost more, and Kubernetes does not touch the disks by itself.",
    fix: "user data with a NodeConfig: spec: { instance: { localStorage: { strategy: RAID0 } } }, or a type without NVMe",
    level: Level.advisory,
    applies: anyType(isNodeGroup, ofEksKind("Cluster")),
    *evaluateInStack(nodeGroup, _given, stack) {
      const types = instanceTypes(nodeGroup).filter(type => instanceStoreFamily.test(type));
      if (
        types.length === 0 ||
        anyOf(bootTexts(nodeGroup, stack), field => usesInstanceStore.test(userDataText(field)))
      )
        return;
      yield* forEach(types, function* (type) {
        yield {
          path: nodeGroup.at(nodeGroup.at("instanceType").isPresent ? "instanceType" : "instanceTypes").path,
          message: `The NVMe disks of ${type} are not used.`,
        };
      });
    },
  }),
]);
