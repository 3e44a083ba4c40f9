import { Level, resourceCheck, stackCheck } from "../check";
import { isEksCluster, isEveryone, ofAwsKind } from "../model/aws";
import { vpcCniSettings } from "../model/eks";
import { endOfStandardSupport } from "../../components/core/kubernetesVersions";
import { anyOf, type Field } from "../model/field";

const isRawCluster = ofAwsKind("eks:Cluster");

/** An argument of a control plane, which `eks.Cluster` has at the top and `aws.eks.Cluster` in `vpcConfig`. */
function endpointArgument(cluster: Field, name: string): Field {
  return isRawCluster(cluster.resource.type) ? cluster.at("vpcConfig", name) : cluster.at(name);
}

/** Whether a version came out after all that are known here: that it is supported is likely, and cannot be told. */
function isYounger(version: string, known: readonly string[]): boolean {
  const minor = (text: string) => Number(/^1\.(\d+)$/.exec(text)?.[1] ?? 0);
  return minor(version) > Math.max(0, ...known.map(minor));
}

/** Control-plane logs that an investigation needs. */
const neededLogs = ["api", "audit", "authenticator"];

/** The Kubernetes control plane. */
export const controlPlaneChecks = [
  resourceCheck<{ endOfSupport: Record<string, string> }>({
    id: "cluster-version",
    description: "The control plane has a stated version in standard support.",
    why: "A version out of support costs six times as much and is upgraded by AWS on a day that AWS chooses.",
    fix: 'version: "<a supported version>"',
    level: Level.mandatory,
    development: { level: Level.advisory },
    configuration: {
      endOfSupport: {
        type: "object",
        default: endOfStandardSupport,
        description: "EKS version -> last day of standard support, as YYYY-MM-DD.",
      },
    },
    applies: isEksCluster,
    *evaluate(resource, { endOfSupport, today }) {
      const version = resource.at("version").text;
      const supported = Object.keys(endOfSupport).filter(candidate => endOfSupport[candidate]! >= today);
      const wayOut = `version: "${supported.at(-1) ?? "<a supported version>"}"`;
      if (version === undefined) yield { path: "version", message: "No version is given.", wayOut };
      else if (isYounger(version, Object.keys(endOfSupport))) return;
      else if (!supported.includes(version)) {
        const end = endOfSupport[version];
        const since = end === undefined ? "not in standard support" : `out of standard support since ${end}`;
        yield { path: "version", message: `EKS ${version} is ${since}.`, wayOut };
      }
    },
  }),

  resourceCheck({
    id: "cluster-secrets-encryption",
    description: "Kubernetes Secrets are encrypted with a KMS key of the account.",
    why: "Access to a key of one's own can be audited and withdrawn; the passwords and the engine's key are in those Secrets.",
    fix: 'encryptionConfig: { provider: { keyArn }, resources: ["secrets"] }, or encryptionConfigKeyArn in eks.Cluster',
    level: Level.mandatory,
    development: { level: Level.advisory },
    applies: isEksCluster,
    *evaluate(resource) {
      const configuration = resource.at("encryptionConfig");
      const key = isRawCluster(resource.resource.type)
        ? configuration.isPresent && configuration.at("resources").textList.includes("secrets")
        : resource.at("encryptionConfigKeyArn").firstUnknown !== undefined ||
          resource.at("encryptionConfigKeyArn").isPresent;
      if (key) return;
      const wayOut = isRawCluster(resource.resource.type)
        ? 'encryptionConfig: { provider: { keyArn }, resources: ["secrets"] }'
        : "encryptionConfigKeyArn: <the key's ARN>";
      yield { path: configuration.path, message: "Secrets are not encrypted with a key of the account.", wayOut };
    },
  }),

  resourceCheck({
    id: "cluster-endpoint",
    description: "The Kubernetes API is reachable from within the VPC, and not from the whole internet.",
    why: "An API that is open to the world has only its credentials between an attacker and every Secret.",
    fix: "endpointPrivateAccess: true, and endpointPublicAccess: false or publicAccessCidrs: [<your networks>]",
    level: Level.mandatory,
    development: { level: Level.advisory },
    applies: isEksCluster,
    *evaluate(resource) {
      const isPublic = endpointArgument(resource, "endpointPublicAccess");
      const cidrs = endpointArgument(resource, "publicAccessCidrs");
      const isPrivate = endpointArgument(resource, "endpointPrivateAccess");
      // EKS takes no ranges, and an empty list of them, for all.
      const isUnlimited = !cidrs.isPresent || cidrs.textList.length === 0;
      if (isPublic.flag !== false && (isUnlimited || cidrs.textList.some(isEveryone))) {
        yield {
          path: isPublic.path,
          message: "The API endpoint is open to the world.",
          wayOut: `${isPublic.key}: false, or publicAccessCidrs: [<your networks>]`,
        };
      }
      if (isPrivate.flag !== true) {
        yield {
          path: isPrivate.path,
          message: "Nodes reach the API over its public address.",
          wayOut: `${isPrivate.key}: true`,
        };
      }
    },
  }),

  resourceCheck({
    id: "cluster-logs",
    description: "The control plane logs API calls, audit events and authentication.",
    why: "Without the audit log nobody can tell afterwards who read a Secret or deleted a pod.",
    fix: 'enabledClusterLogTypes: ["api", "audit", "authenticator", "controllerManager", "scheduler"]',
    level: Level.advisory,
    development: { level: Level.disabled },
    applies: isEksCluster,
    *evaluate(resource) {
      const enabled = resource.at("enabledClusterLogTypes");
      const missing = neededLogs.filter(log => !enabled.textList.includes(log));
      if (missing.length === 0) return;
      yield {
        path: enabled.path,
        message: `Not logged: ${missing.join(", ")}.`,
      };
    },
  }),

  resourceCheck({
    id: "cluster-authentication",
    description: "Access to the cluster is granted through the EKS API.",
    why: "The aws-auth ConfigMap locks everyone out with one wrong line, and its changes are in no AWS audit.",
    fix: 'authenticationMode: "API_AND_CONFIG_MAP" with an access entry for everyone in aws-auth, and then "API" (there is no way back)',
    level: Level.advisory,
    applies: isEksCluster,
    *evaluate(resource) {
      const mode = isRawCluster(resource.resource.type)
        ? resource.at("accessConfig", "authenticationMode")
        : resource.at("authenticationMode");
      if (/^API$/i.test(mode.text ?? "")) return;
      yield {
        path: mode.path,
        message: `The authentication mode is ${mode.text ?? "CONFIG_MAP"}.`,
      };
    },
  }),

  resourceCheck({
    id: "cluster-deletion-protection",
    description: "The production cluster cannot be deleted by one call.",
    why: "A destroy in the wrong stack would take every database with it.",
    fix: "deletionProtection: true",
    level: Level.mandatory,
    development: { level: Level.disabled },
    applies: isEksCluster,
    *evaluate(resource) {
      if (resource.at("deletionProtection").flag === true) return;
      yield {
        path: "deletionProtection",
        message: "The cluster can be deleted by one call.",
      };
    },
  }),

  stackCheck({
    id: "cluster-network-policies-enforced",
    description: "The cluster's network plugin enforces NetworkPolicies.",
    why: "The VPC CNI ignores them unless it is told to enforce them, and says nothing about it.",
    fix: `aws.eks.Addon "vpc-cni" with configurationValues: '{"enableNetworkPolicy":"true"}', or vpcCniOptions: { enableNetworkPolicy: true } in eks.Cluster`,
    level: Level.mandatory,
    development: { level: Level.advisory },
    applies: isEksCluster,
    *evaluateInStack(resource, _given, stack) {
      if (anyOf(vpcCniSettings(resource, stack), setting => setting.flag === true)) return;
      yield {
        path: "",
        message: "NetworkPolicies are not enforced.",
      };
    },
  }),
];
