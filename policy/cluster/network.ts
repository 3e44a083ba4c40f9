import { Level, resourceCheck, stackCheck } from "../check";
import { isEveryone, ofAwsKind } from "../model/aws";
import { anyOf, type Field, forEach } from "../model/field";

const isSecurityGroup = ofAwsKind("ec2:SecurityGroup", "ec2:SecurityGroupRule", "vpc:SecurityGroupIngressRule");

/** Rules that let connections in, of a security group or as resources of their own. */
function ingressRules(resource: Field): Field[] {
  if (ofAwsKind("ec2:SecurityGroup")(resource.resource.type)) return resource.at("ingress").items;
  const isOutgoing =
    ofAwsKind("ec2:SecurityGroupRule")(resource.resource.type) && resource.at("type").text === "egress";
  return isOutgoing ? [] : [resource];
}

function sourcesOfRule(rule: Field): (string | undefined)[] {
  const single = [rule.at("cidrIpv4").text, rule.at("cidrIpv6").text];
  return [...rule.at("cidrBlocks").textList, ...rule.at("ipv6CidrBlocks").textList, ...single];
}

/** Who may connect, and who did. */
export const networkChecks = [
  resourceCheck<{ publicPorts: number[] }>({
    id: "cluster-security-group",
    description: "No security group lets the whole internet in.",
    why: "A database port that is open to the world is found within minutes.",
    fix: "the networks or security groups that need it, in place of 0.0.0.0/0",
    level: Level.mandatory,
    configuration: {
      publicPorts: {
        type: "array",
        items: { type: "integer" },
        default: [443],
        description: "Ports that may be open to everyone.",
      },
    },
    applies: isSecurityGroup,
    *evaluate(resource, { publicPorts }) {
      yield* forEach(ingressRules(resource), function* (rule) {
        if (!sourcesOfRule(rule).some(isEveryone)) return;
        const port = rule.at("fromPort").number;
        if (port !== undefined && port === rule.at("toPort").number && publicPorts.includes(port)) return;
        yield {
          path: rule.path,
          message: `Everyone may connect to ${port === undefined || port === 0 ? "every port" : `port ${port}`}.`,
        };
      });
    },
  }),

  stackCheck({
    id: "cluster-flow-logs",
    description: "A VPC has flow logs.",
    why: "They are the only record of who connected to the database, and from where.",
    fix: 'aws.ec2.FlowLog with vpcId and trafficType: "ALL"',
    level: Level.advisory,
    development: { level: Level.disabled },
    applies: ofAwsKind("ec2:Vpc"),
    *evaluateInStack(vpc, _given, stack) {
      const vpcs = stack.where(ofAwsKind("ec2:Vpc"));
      const logs = stack.where(ofAwsKind("ec2:FlowLog"));
      if (anyOf(logs, log => stack.refersTo(log.at("vpcId"), vpc, vpcs, candidate => candidate.at("id")))) return;
      yield {
        path: "",
        message: "The VPC has no flow logs.",
      };
    },
  }),
];
