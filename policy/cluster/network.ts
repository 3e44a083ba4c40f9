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

const isNetworkAcl = ofAwsKind("ec2:NetworkAcl", "ec2:DefaultNetworkAcl");
const isNetworkAclRule = anyType(isNetworkAcl, ofAwsKind("ec2:NetworkAclRule"));

/** Ports that nobody outside needs: of MySQL, and of shells on nodes. */
const inwardPorts = [3306, 22, 3389];
/** A network ACL lets the answers to connections in by a range of ports above 1023, so that a wide range says nothing. */
const widestOnPurpose = 1000;

/** The rules of a network ACL for what comes in, in the order in which AWS reads them. */
function incomingAclRules(resource: Field): Field[] {
  if (!isNetworkAcl(resource.resource.type)) return resource.at("egress").flag === true ? [] : [resource];
  return [...resource.at("ingress").items].sort(
    (one, other) => (one.at("ruleNo").number ?? 0) - (other.at("ruleNo").number ?? 0),
  );
}

/** The ports of `inwardPorts` that a rule of a network ACL is about, `undefined` for a rule about every port. None for a wide range. */
function inwardPortsOf(rule: Field): (number | undefined)[] {
  const isEveryProtocol = ["-1", "all"].includes(rule.at("protocol").text ?? "");
  const [from, to] = [rule.at("fromPort").number ?? 0, rule.at("toPort").number ?? 0];
  if (isEveryProtocol || (from <= 1 && to === 65535)) return [undefined];
  return to - from > widestOnPurpose ? [] : inwardPorts.filter(port => from <= port && port <= to);
}

function aclSources(rule: Field): (string | undefined)[] {
  return [rule.at("cidrBlock").text, rule.at("ipv6CidrBlock").text];
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

  resourceCheck({
    id: "cluster-network-acl",
    description: "No network ACL of any program lets the whole internet reach MySQL, SSH or every port.",
    why: "A network ACL is the second line: it holds when a security group was opened by mistake.",
    fix: "cidrBlock: <the networks that need it>, and 1024-65535 only for answers",
    level: Level.advisory,
    development: { level: Level.disabled },
    applies: isNetworkAclRule,
    *evaluate(resource) {
      const denied = new Set<number | undefined>();
      yield* forEach(incomingAclRules(resource), function* (rule) {
        if (!aclSources(rule).some(isEveryone)) return;
        const action = (rule.at("action").isPresent ? rule.at("action") : rule.at("ruleAction")).text;
        for (const port of inwardPortsOf(rule)) {
          if (action === "deny") denied.add(port);
          else if (!denied.has(port) && !denied.has(undefined)) {
            const what = port === undefined ? "every port" : `port ${port}`;
            yield { path: rule.path, message: `Everyone may reach ${what}, as far as the network ACL goes.` };
          }
        }
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
