import { validateImageReference } from "../core/imageReference";
import { InputProblem, under } from "../core/inputProblem";
import { oneOf, wholeNumber } from "../core/valueProblems";
import { validateSizingType } from "../core/instanceTypes";
import { validateEngineSettings } from "../core/engineSettings";
import { validateLease } from "../core/leaseTiming";
import { isDnsName, validateDatabaseName, validateNamespaceName, validateObjectName } from "../core/names";
import { validateLabels, validateNetworkPeers } from "../core/networkPeers";
import { passwordProblem } from "../core/passwords";
import { authorityProblem } from "../core/pem";
import { printable } from "../core/printable";
import { validateSizing } from "../core/sizingProblems";
import { accountProblems } from "./accounts";
import {
  DatabaseArgs,
  DatabaseTlsArgs,
  Durability,
  OnObjectStoreOutage,
  StorageKind,
  TolerationArgs,
} from "./arguments";
import { judgeArguments } from "../schema/malformed";
import { validateObjectStore } from "./objectStoreInputs";
import { restoreProblems } from "./restore";
import { egressProblems, podProblems, secretKeyProblems } from "./podProblems";
import { serviceProblems } from "./serviceProblems";
import { sizingRequest } from "./settings";

/** Ten years. The authority is valid for five times as long. */
const longestValidityHours = 87_600;

/**
 * Everything that is wrong with a database's arguments, as far as it can be told before anything is registered: values that are still to come are judged when they do.
 * @param name the component's name, which names everything else
 */
export function validateDatabaseArgs(name: string, args: DatabaseArgs): InputProblem[] {
  return judgeArguments("Database", args, () => meaningProblems(name, args));
}

function meaningProblems(name: string, args: DatabaseArgs): InputProblem[] {
  const { sizing = {} } = args;
  return [
    ...validateDatabaseName(name),
    ...namespaceProblems(name, args),
    ...imageProblems(args),
    ...validateObjectStore(args.objectStore),
    ...durabilityProblems(args),
    ...restoreProblems(name, args),
    ...numberProblems(args),
    ...accountProblems(args),
    ...under("users", passwordProblems(args.users ?? [])),
    ...under("tls", tlsProblems(args.tls ?? {})),
    ...(sizing.instanceType === undefined
      ? []
      : validateSizingType(
          "sizing.instanceType",
          sizing.instanceType,
          sizing.memoryBytes !== undefined && sizing.cpuCores !== undefined,
        )),
    ...validateSizing(sizingRequest(args)),
    ...placementProblems(args),
    ...under("pods", podProblems(args.pods ?? {})),
    ...under("egress", egressProblems(args.egress ?? {})),
    ...under("services", serviceProblems(args.services ?? {}, args.clients)),
    ...under("clients", validateNetworkPeers(args.clients ?? [])),
    ...under("monitoring.allowFrom", validateNetworkPeers(args.monitoring?.allowFrom ?? [])),
    ...validateEngineSettings(args.engineSettings ?? {}),
    ...textProblems(args),
  ];
}

function imageProblems({ image, nodeImage, imagePullSecrets = [] }: DatabaseArgs): InputProblem[] {
  return [
    ...(typeof image === "string" ? validateImageReference("image", image) : []),
    ...(nodeImage === undefined ? [] : validateImageReference("nodeImage", nodeImage)),
    ...imagePullSecrets.flatMap((secret, index) => validateObjectName(`imagePullSecrets[${index}]`, secret)),
  ];
}

function durabilityProblems(args: DatabaseArgs): InputProblem[] {
  const { durability, onObjectStoreOutage } = args;
  const problems: InputProblem[] = [];
  if (durability === Durability.Commit && onObjectStoreOutage === OnObjectStoreOutage.Continue) {
    problems.push({
      propertyPath: "onObjectStoreOutage",
      reason: `is "continue" with durability "commit", which promises that every acknowledged write is in the bucket: leave it out, or choose durability "interval"`,
    });
  }
  return problems;
}

function numberProblems(args: DatabaseArgs): InputProblem[] {
  const { leaseDurationSeconds = 4, leaseMarginSeconds = 0.5 } = args;
  const problems: InputProblem[] = [
    ...wholeNumber("replicas", args.replicas, 0, 100, "replicas beside the primary; 0 is a primary alone"),
    ...wholeNumber(
      "terminationGracePeriodSeconds",
      args.terminationGracePeriodSeconds,
      30,
      86_400,
      "seconds, so that a primary can hand over",
    ),
    ...wholeNumber(
      "history.everyPositionHours",
      args.history?.everyPositionHours,
      1,
      168,
      "hours; dailyCheckpointDays reaches further back",
    ),
    ...wholeNumber("history.dailyCheckpointDays", args.history?.dailyCheckpointDays, 0, 365, "days; 0 keeps none"),
    ...wholeNumber("resumeWithinSeconds", args.resumeWithinSeconds, 5, 3600, "seconds"),
    ...wholeNumber(
      "maxDataLossSeconds",
      args.maxDataLossSeconds,
      2,
      3600,
      "seconds: the bucket is looked at once a second",
    ),
  ];
  return [...problems, ...validateLease({ leaseDurationSeconds, leaseMarginSeconds })];
}

/** One that comes later is judged when it does. */
function namespaceProblems(name: string, { namespace = name, createNamespace = true }: DatabaseArgs): InputProblem[] {
  return typeof namespace === "string" ? validateNamespaceName(namespace, createNamespace) : [];
}

function passwordProblems(users: NonNullable<DatabaseArgs["users"]>): InputProblem[] {
  return users.flatMap(({ name, password, passwordSecret }, index) => {
    if (passwordSecret !== undefined) {
      const path = `[${index}].passwordSecret`;
      if (password === undefined) return secretKeyProblems(path, passwordSecret);
      return [{ propertyPath: path, reason: "cannot go with password: leave one of them out" }];
    }
    const reason = typeof password === "string" ? passwordProblem(name, password) : undefined;
    return reason === undefined ? [] : [{ propertyPath: `[${index}].password`, reason }];
  });
}

function tlsProblems(tls: DatabaseTlsArgs): InputProblem[] {
  const { existingSecretName, additionalDnsNames = [], validityHours, earlyRenewalHours } = tls;
  const problems: InputProblem[] = [];
  if (existingSecretName !== undefined) {
    problems.push(...validateObjectName("existingSecretName", existingSecretName));
    for (const key of ["additionalDnsNames", "validityHours", "earlyRenewalHours"] as const) {
      if (tls[key] !== undefined)
        problems.push({
          propertyPath: key,
          reason: "is for the certificate that is made: leave it out with existingSecretName",
        });
    }
    const wrongAuthority = typeof tls.caCertificate === "string" ? authorityProblem(tls.caCertificate) : undefined;
    if (wrongAuthority !== undefined) problems.push({ propertyPath: "caCertificate", reason: wrongAuthority });
    return problems;
  }
  if (tls.caCertificate !== undefined) {
    problems.push({
      propertyPath: "caCertificate",
      reason: "is that of an existing Secret: give existingSecretName, or leave it out",
    });
  }
  additionalDnsNames.forEach((dnsName, index) => {
    if (!isDnsName(dnsName)) {
      problems.push({
        propertyPath: `additionalDnsNames[${index}]`,
        reason: `"${printable(dnsName)}" is not a DNS name`,
      });
    }
  });
  problems.push(...wholeNumber("validityHours", validityHours, 24, longestValidityHours, "hours"));
  problems.push(...wholeNumber("earlyRenewalHours", earlyRenewalHours, 1, longestValidityHours, "hours"));
  const [validity, early] = [validityHours ?? 17_520, earlyRenewalHours ?? 4_380];
  if (problems.length === 0 && early >= validity) {
    problems.push({
      propertyPath: "earlyRenewalHours",
      reason: `is ${early}, not less than the ${validity} hours of validity: every deployment would make a new certificate`,
    });
  }
  return problems;
}

function placementProblems(args: DatabaseArgs): InputProblem[] {
  const { storage = {}, priorityClassName, tolerations = [] } = args;
  const problems: InputProblem[] = [...under("nodeSelector", validateLabels(args.nodeSelector ?? {}))];
  if (storage.storageClassName !== undefined) {
    if (storage.kind === StorageKind.Nvme) {
      problems.push({
        propertyPath: "storage.storageClassName",
        reason: 'means nothing with kind "nvme": leave it out',
      });
    } else {
      problems.push(...validateObjectName("storage.storageClassName", storage.storageClassName));
    }
  }
  if (priorityClassName !== undefined) problems.push(...validateObjectName("priorityClassName", priorityClassName));
  tolerations.forEach((toleration, index) =>
    problems.push(...under(`tolerations[${index}]`, tolerationProblems(toleration))),
  );
  return problems;
}

function tolerationProblems({ key, operator, value, effect, tolerationSeconds }: TolerationArgs): InputProblem[] {
  const operators = { Equal: "Equal", Exists: "Exists" };
  const effects = { NoSchedule: "NoSchedule", PreferNoSchedule: "PreferNoSchedule", NoExecute: "NoExecute" };
  const problems = [...oneOf("operator", operator, operators), ...oneOf("effect", effect, effects)];
  if (operator === "Exists" && value !== undefined) {
    problems.push({ propertyPath: "value", reason: 'cannot go with operator "Exists": leave it out' });
  }
  if (key === undefined && operator !== "Exists") {
    problems.push({
      propertyPath: "key",
      reason: 'is missing: name the taint, or set operator to "Exists" to tolerate every taint',
    });
  }
  if (tolerationSeconds !== undefined && effect !== "NoExecute") {
    problems.push({
      propertyPath: "tolerationSeconds",
      reason: 'only means something with effect "NoExecute": leave it out',
    });
  }
  return problems;
}

function textProblems({ databaseId, mariadbPrefix, clusterDomain }: DatabaseArgs): InputProblem[] {
  const problems: InputProblem[] = [];
  if (databaseId !== undefined && !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(databaseId)) {
    problems.push({
      propertyPath: "databaseId",
      reason: `"${printable(databaseId)}" is not a UUID: copy it from owner.json in the bucket, or leave it out`,
    });
  }
  if (mariadbPrefix !== undefined && !/^(\/[A-Za-z0-9][A-Za-z0-9._-]*)+$/.test(mariadbPrefix)) {
    problems.push({
      propertyPath: "mariadbPrefix",
      reason: `"${printable(mariadbPrefix)}" is not a folder: write an absolute path without a "/" at its end`,
    });
  }
  if (clusterDomain !== undefined) problems.push(...validateObjectName("clusterDomain", clusterDomain));
  return problems;
}
