import * as pulumi from "@pulumi/pulumi";
import { posix } from "node:path";
import { InputProblem, under } from "../core/inputProblem";
import { validateObjectName } from "../core/names";
import { validateLabelKeys, validateLabels } from "../core/networkPeers";
import { labels as ownLabels, podLayout } from "../core/podLayout";
import { printable } from "../core/printable";
import { oneOf, wholeNumber } from "../core/valueProblems";
import {
  DatabaseAffinityArgs,
  DatabaseEgressArgs,
  DatabasePodsArgs,
  EnvironmentVariableArgs,
  ExtraVolumeArgs,
  LabelRequirementArgs,
  PodTermArgs,
  SecretKeyArgs,
} from "./podArguments";

const largestId = 2_147_483_647;
/** Set by the database's own container. */
const ownVariables = ["POD_NAME", "POD_UID", "POD_NAMESPACE", "POD_IP", "NODE_NAME"];
const ownVolumes = ["run", "tmp", "node", "data", "config", "manager", "object-store", "users", "tls"];
/** Folders that the database's container mounts or fills. */
const ownFolders = [
  podLayout.dataDirectory,
  podLayout.runDirectory,
  podLayout.temporaryDirectory,
  posix.dirname(podLayout.nodeBinary),
  podLayout.managerDirectory,
  podLayout.configurationDirectory,
  podLayout.objectStoreSecretDirectory,
  podLayout.usersSecretDirectory,
  podLayout.tlsSecretDirectory,
  podLayout.serviceAccountDirectory,
];

/** What is wrong with what is added to the pods. Paths begin inside `pods`. */
export function podProblems(pods: DatabasePodsArgs): InputProblem[] {
  const { environment = [], volumes = [], assignedIds = false } = pods;
  const problems = [
    ...under("labels", labelProblems(pods.labels ?? {})),
    ...under("annotations", validateLabelKeys(pods.annotations ?? {})),
    ...under("serviceAccountAnnotations", validateLabelKeys(pods.serviceAccountAnnotations ?? {})),
    ...environment.flatMap((variable, index) => under(`environment[${index}]`, variableProblems(variable))),
    ...volumes.flatMap((volume, index) => under(`volumes[${index}]`, volumeProblems(volume, volumes.slice(0, index)))),
    ...under("affinity", affinityProblems(pods.affinity ?? {})),
    ...(pods.topologySpreadConstraints ?? []).flatMap(
      ({ topologyKey, maxSkew, minDomains, whenUnsatisfiable }, index) =>
        under(`topologySpreadConstraints[${index}]`, [
          ...topologyKeyProblems(topologyKey),
          ...wholeNumber("maxSkew", maxSkew, 1, 100),
          ...wholeNumber("minDomains", minDomains, 1, 100),
          ...(minDomains !== undefined && whenUnsatisfiable !== "DoNotSchedule"
            ? [
                {
                  propertyPath: "minDomains",
                  reason: 'means nothing without whenUnsatisfiable "DoNotSchedule": leave it out',
                },
              ]
            : []),
        ]),
    ),
    ...wholeNumber("userId", pods.userId, 1, largestId, "never the administrator's 0"),
    ...wholeNumber("groupId", pods.groupId, 1, largestId),
  ];
  for (const key of ["userId", "groupId"] as const) {
    if (assignedIds && pods[key] !== undefined) {
      problems.push({
        propertyPath: key,
        reason: "cannot go with assignedIds, by which the cluster chooses: leave one of them out",
      });
    }
  }
  return problems;
}

/** What is wrong with the ports that pods may connect to. Paths begin inside `egress`. */
export function egressProblems({ apiServerPorts, dnsPorts, otherPorts }: DatabaseEgressArgs): InputProblem[] {
  return Object.entries({ apiServerPorts, dnsPorts, otherPorts }).flatMap(([path, ports]) => [
    ...(ports?.length === 0 && path !== "otherPorts"
      ? [{ propertyPath: path, reason: "is empty, and the managers need it: name a port, or leave it out" }]
      : []),
    ...(ports ?? []).flatMap((port, index) => wholeNumber(`${path}[${index}]`, port, 1, 65_535)),
  ]);
}

/** What is wrong with where a password is. @param path of it */
export function secretKeyProblems(path: string, { secretName, key }: SecretKeyArgs): InputProblem[] {
  return [
    ...objectNameProblems(`${path}.secretName`, secretName),
    ...(typeof key === "string" ? secretKeyNameProblems(`${path}.key`, key) : []),
  ];
}

function labelProblems(given: Record<string, pulumi.Input<string>>): InputProblem[] {
  const plain = Object.fromEntries(
    Object.entries(given).map(([key, value]) => [key, typeof value === "string" ? value : ""]),
  );
  const isOwn = (key: string) =>
    key === ownLabels.role || key === ownLabels.reads || /^app\.kubernetes\.io\/(name|instance)$/.test(key);
  return [
    ...validateLabels(plain),
    ...Object.keys(given)
      .filter(isOwn)
      .map(key => ({ propertyPath: key, reason: "is how the Services and the managers know the pods: leave it out" })),
  ];
}

function variableProblems({ name, value, secretName, configMapName, key }: EnvironmentVariableArgs): InputProblem[] {
  const problems = [
    ...objectNameProblems("secretName", secretName),
    ...objectNameProblems("configMapName", configMapName),
    ...(key === undefined ? [] : secretKeyNameProblems("key", key)),
  ];
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    problems.push({
      propertyPath: "name",
      reason: `"${printable(name)}" is not a variable's name: write letters, digits and _`,
    });
  } else if (ownVariables.includes(name)) {
    problems.push({ propertyPath: "name", reason: `"${name}" is set for the manager: choose another` });
  }
  const sources = [value, secretName, configMapName].filter(source => source !== undefined).length;
  if (sources !== 1) {
    problems.push({
      propertyPath: "value",
      reason: `is one of ${sources} sources: give value, secretName or configMapName, one of them`,
    });
  }
  if (key !== undefined && value !== undefined) {
    problems.push({ propertyPath: "key", reason: "is for a Secret or a ConfigMap: leave it out" });
  }
  return problems;
}

function volumeProblems(volume: ExtraVolumeArgs, before: ExtraVolumeArgs[]): InputProblem[] {
  const { name, mountPath, readOnly, secretName, configMapName, claimName, scratchGiB, csiDriver, csiAttributes } =
    volume;
  const problems = [
    ...objectNameProblems("secretName", secretName),
    ...objectNameProblems("configMapName", configMapName),
    ...objectNameProblems("claimName", claimName),
    ...wholeNumber("scratchGiB", scratchGiB, 1, 65_536),
  ];
  if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name)) {
    problems.push({
      propertyPath: "name",
      reason: `"${printable(name)}" is no volume's name: write lower-case letters, digits and "-", at most 63`,
    });
  } else if (ownVolumes.includes(name) || before.some(other => other.name === name)) {
    problems.push({ propertyPath: "name", reason: `"${name}" is there already: choose another` });
  }
  problems.push(...mountPathProblems(mountPath, before));
  const sources = [secretName, configMapName, claimName, scratchGiB, csiDriver].filter(source => source !== undefined);
  if (sources.length !== 1) {
    problems.push({
      propertyPath: "",
      reason: `has ${sources.length} sources: give one of secretName, configMapName, claimName, scratchGiB, csiDriver`,
    });
  }
  if (readOnly === false && scratchGiB === undefined && claimName === undefined) {
    problems.push({ propertyPath: "readOnly", reason: "is false for a source that nobody writes to: leave it out" });
  }
  if (csiAttributes !== undefined && csiDriver === undefined) {
    problems.push({
      propertyPath: "csiAttributes",
      reason: "means nothing without csiDriver: give that, or leave it out",
    });
  }
  return problems;
}

function mountPathProblems(mountPath: string, before: ExtraVolumeArgs[]): InputProblem[] {
  const propertyPath = "mountPath";
  if (!/^(\/[A-Za-z0-9._-]+)+$/.test(mountPath) || mountPath.split("/").includes("..")) {
    return [
      {
        propertyPath,
        reason: `"${printable(mountPath)}" is not a folder: write an absolute path without a "/" at its end`,
      },
    ];
  }
  const within = (inner: string, outer: string) => inner === outer || inner.startsWith(`${outer}/`);
  const taken = [...ownFolders, ...before.map(other => other.mountPath)].find(
    folder => within(mountPath, folder) || within(folder, mountPath),
  );
  return taken === undefined
    ? []
    : [{ propertyPath, reason: `"${printable(mountPath)}" would hide ${taken}, or be hidden by it: choose another` }];
}

function affinityProblems(affinity: DatabaseAffinityArgs): InputProblem[] {
  const { requiredNodes, preferredNodes, requiredPods, preferredPods, avoidedPods, dislikedPods } = affinity;
  const nodes = Object.entries({ requiredNodes, preferredNodes }).flatMap(([path, terms]) =>
    (terms ?? []).flatMap(({ matchExpressions }, at) =>
      under(
        `${path}[${at}].matchExpressions`,
        matchExpressions.length === 0
          ? [{ propertyPath: "", reason: "is empty, which no node satisfies: write a condition" }]
          : matchExpressions.flatMap((requirement, index) => under(`[${index}]`, requirementProblems(requirement))),
      ),
    ),
  );
  const pods = Object.entries({ requiredPods, preferredPods, avoidedPods, dislikedPods }).flatMap(([path, terms]) =>
    (terms ?? []).flatMap((term, at) => under(`${path}[${at}]`, podTermProblems(term))),
  );
  const weights = Object.entries({ preferredNodes, preferredPods, dislikedPods }).flatMap(([path, terms]) =>
    (terms ?? []).flatMap(({ weight }, at) => wholeNumber(`${path}[${at}].weight`, weight, 1, 100)),
  );
  return [...nodes, ...pods, ...weights];
}

function podTermProblems({ podLabels, topologyKey, namespaceLabels }: PodTermArgs): InputProblem[] {
  return [
    ...under("podLabels", validateLabels(podLabels)),
    ...under("namespaceLabels", validateLabels(namespaceLabels ?? {})),
    ...topologyKeyProblems(topologyKey),
  ];
}

function requirementProblems({ key, operator, values = [] }: LabelRequirementArgs): InputProblem[] {
  const operators = ["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"];
  const problems = [
    ...validateLabelKeys({ [key]: "" }).map(({ reason }) => ({ propertyPath: "key", reason })),
    ...oneOf("operator", operator, Object.fromEntries(operators.map(name => [name, name]))),
  ];
  const wanted = { Exists: "none", DoesNotExist: "none", Gt: "one", Lt: "one" }[operator] ?? "some";
  const isRight = { none: values.length === 0, one: values.length === 1, some: values.length > 0 }[wanted];
  if (!isRight)
    problems.push({
      propertyPath: "values",
      reason: `has ${values.length}: operator "${printable(operator)}" takes ${wanted}`,
    });
  return problems;
}

function topologyKeyProblems(topologyKey: string): InputProblem[] {
  return validateLabelKeys({ [topologyKey]: "" }).map(({ reason }) => ({ propertyPath: "topologyKey", reason }));
}

function objectNameProblems(path: string, name: pulumi.Input<string> | undefined): InputProblem[] {
  return typeof name === "string" ? validateObjectName(path, name) : [];
}

function secretKeyNameProblems(path: string, key: string): InputProblem[] {
  if (/^[-._a-zA-Z0-9]{1,253}$/.test(key)) return [];
  return [
    { propertyPath: path, reason: `"${printable(key)}" is not a key of a Secret: write letters, digits, -, _ and .` },
  ];
}
