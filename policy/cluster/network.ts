import { Level, resourceCheck, stackCheck } from "../check";
import { anyType, isEveryone, ofAwsKind } from "../model/aws";
import { anyOf, type Field, forEach } from "../model/field";

const isDefaultGroup = ofAwsKind("ec2:DefaultSecurityGroup");
/** A group with its rules in it. */
const isWholeGroup = ofAwsKind("ec2:SecurityGroup", "ec2:DefaultSecurityGroup");
const isSecurityGroup = anyType(isWholeGroup, ofAwsKind("ec2:SecurityGroupRule", "vpc:SecurityGroupIngressRule"));
const isOutgoing = anyType(isWholeGroup, ofAwsKind("ec2:SecurityGroupRule", "vpc:SecurityGroupEgressRule"));

/** Rules that let connections out. */
function egressRules(resource: Field): Field[] {
  if (isWholeGroup(resource.resource.type)) return resource.at("egress").items;
  const isIncoming =
    ofAwsKind("ec2:SecurityGroupRule")(resource.resource.type) && resource.at("type").text === "ingress";
  return isIncoming ? [] : [resource];
}

/** Whether a rule is for every port of every protocol. */
function isForEveryPort(rule: Field): boolean {
  const protocol = rule.at("protocol").isPresent ? rule.at("protocol").text : rule.at("ipProtocol").text;
  return (
    protocol === "-1" || protocol === "all" || (rule.at("fromPort").number === 0 && rule.at("toPort").number === 65535)
  );
}

/** Rules that let connections in, of a security group or as resources of their own. */
function ingressRules(resource: Field): Field[] {
  if (isWholeGroup(resource.resource.type)) return resource.at("ingress").items;
  const isForEgress =
    ofAwsKind("ec2:SecurityGroupRule")(resource.resource.type) && resource.at("type").text === "egress";
  return isForEgress ? [] : [resource];
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

  resourceCheck({
    id: "cluster-default-security-group",
    description: "A VPC's default security group lets nothing through.",
    why: "Whatever is made without a group of its own is in it, and so trusts everything else that is.",
    fix: "aws.ec2.DefaultSecurityGroup with neither ingress nor egress",
    level: Level.advisory,
    development: { level: Level.disabled },
    applies: isDefaultGroup,
    *evaluate(group) {
      for (const name of ["ingress", "egress"]) {
        const rules = group.at(name);
        if (rules.items.length > 0) yield { path: rules.path, message: `The default group has rules for ${name}.` };
      }
    },
  }),

  resourceCheck({
    id: "cluster-egress",
    description: "No security group of any program lets everything out.",
    why: "Anyone who breaks in fetches tools and takes data out over any port.",
    fix: "egress to the ports and networks that are needed: 443 for registries and AWS",
    level: Level.advisory,
    development: { level: Level.disabled },
    applies: isOutgoing,
    *evaluate(resource) {
      yield* forEach(egressRules(resource), function* (rule) {
        if (!sourcesOfRule(rule).some(isEveryone) || !isForEveryPort(rule)) return;
        yield { path: rule.path, message: "Every connection to everywhere may be made." };
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
