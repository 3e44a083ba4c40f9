import * as pulumi from "@pulumi/pulumi";
import { authorityProblem } from "../core/pem";
import { InputProblem, under } from "../core/inputProblem";
import {
  validateBucketLocation,
  validateBucketName,
  validateEndpoint,
  validateKeyPart,
  validatePrefix,
  validateStoreRegion,
} from "../core/objectStoreLocation";
import { ObjectStoreLocation } from "../core/managerConfiguration";
import { validateRoleArn } from "../core/podRole";
import { objectStoreSecretData } from "../core/manifests/secrets";
import { refuseInvalid } from "../refuse";
import { malformedValues } from "../schema/malformed";
import { StoreCredentials } from "../objectStore/credentials";
import { DatabaseObjectStoreArgs } from "./arguments";

/** What is wrong with the store's arguments, as far as they are plain values. */
export function validateObjectStore(objectStore: DatabaseObjectStoreArgs): InputProblem[] {
  const { endpoint, bucket, region, prefix, useTls = true, pathStyle = false } = objectStore;
  const access = isByRole(objectStore) ? roleProblems(objectStore) : keyProblems(objectStore);
  const problems = [...access, ...(typeof prefix === "string" ? validatePrefix(prefix) : [])];
  const location = { endpoint, bucket, region, useTls, pathStyle };
  if (isPlainLocation(location)) {
    problems.push(...validateBucketLocation(location));
  } else {
    problems.push(
      ...(typeof endpoint === "string" ? validateEndpoint(endpoint) : []),
      ...(typeof bucket === "string" ? validateBucketName(bucket) : []),
      ...(typeof region === "string" ? validateStoreRegion(region) : []),
    );
  }
  return under("objectStore", problems);
}

/** The store's location once it is known, judged then. */
export function objectStoreLocation(
  name: string,
  objectStore: DatabaseObjectStoreArgs,
): pulumi.Output<ObjectStoreLocation> {
  const { endpoint, bucket, region, prefix = `${name}/`, useTls = true, pathStyle = false } = objectStore;
  return pulumi.output({ endpoint, bucket, region, prefix, useTls, pathStyle }).apply(location => {
    const malformed = malformedValues("DatabaseObjectStore", location);
    const problems =
      malformed.length > 0 ? malformed : [...validateBucketLocation(location), ...validatePrefix(location.prefix)];
    refuseInvalid(`Database "${name}"`, under("objectStore", problems));
    return location;
  });
}

/** Whether the pods open the bucket by a role. */
export function isByRole({ credentials = StoreCredentials.Key }: DatabaseObjectStoreArgs): boolean {
  return credentials !== StoreCredentials.Key;
}

/** The pods' role. Undefined where there is none, or where its association is made elsewhere. */
export function storeRole(name: string, objectStore: DatabaseObjectStoreArgs): pulumi.Output<string> | undefined {
  const { credentials, roleArn } = objectStore;
  if (!isByRole(objectStore) || roleArn === undefined) return undefined;
  return pulumi.output(roleArn).apply(arn => {
    const isMissing = arn === undefined && credentials === StoreCredentials.Irsa;
    refuseInvalid(`Database "${name}"`, under("objectStore", isMissing ? [missingRole] : []));
    return arn ?? "";
  });
}

/** Keys and values of the store's Secret, judged once they are known. */
export function objectStoreData(
  name: string,
  { accessKeyId, secretAccessKey, caCertificate }: DatabaseObjectStoreArgs,
): pulumi.Output<Record<string, string>> {
  return pulumi.secret(pulumi.output({ accessKeyId, secretAccessKey, caCertificate })).apply(known => {
    const malformed = malformedValues("DatabaseObjectStore", known);
    const key = { accessKeyId: known.accessKeyId ?? "", secretAccessKey: known.secretAccessKey ?? "" };
    const problems =
      malformed.length > 0
        ? malformed
        : [
            ...validateKeyPart("accessKeyId", key.accessKeyId),
            ...validateKeyPart("secretAccessKey", key.secretAccessKey),
            ...validateAuthority(known.caCertificate),
          ];
    refuseInvalid(`Database "${name}"`, under("objectStore", problems));
    return objectStoreSecretData({ ...known, ...key });
  });
}

function validateAuthority(pem: string | undefined): InputProblem[] {
  const reason = pem === undefined ? undefined : authorityProblem(pem);
  return reason === undefined ? [] : [{ propertyPath: "caCertificate", reason }];
}

/** The store's port, for the NetworkPolicy. */
export function objectStorePort(location: pulumi.Output<ObjectStoreLocation>): pulumi.Output<number> {
  return location.apply(({ endpoint, useTls }) => Number(endpoint.split(":")[1] ?? (useTls ? 443 : 80)));
}

const missingRole = {
  propertyPath: "roleArn",
  reason:
    'is missing, and credentials "irsa" needs it: give the output roleArn of an ObjectStore with credentials "irsa"',
};

function roleProblems(objectStore: DatabaseObjectStoreArgs): InputProblem[] {
  const { credentials, roleArn, caCertificate } = objectStore;
  const problems: InputProblem[] = [];
  for (const part of ["accessKeyId", "secretAccessKey"] as const) {
    if (objectStore[part] === undefined || pulumi.Output.isInstance(objectStore[part])) continue;
    problems.push({
      propertyPath: part,
      reason: `is a part of a key, but credentials is "${credentials}": leave it out`,
    });
  }
  if (caCertificate !== undefined && !pulumi.Output.isInstance(caCertificate)) {
    const reason = `is for stores outside AWS, which no role opens: leave it out, or set credentials to "key"`;
    problems.push({ propertyPath: "caCertificate", reason });
  }
  if (roleArn === undefined && credentials === StoreCredentials.Irsa) problems.push(missingRole);
  if (typeof roleArn === "string") problems.push(...validateRoleArn("roleArn", roleArn));
  return problems;
}

function waysToKey(part: string): string {
  return `run "pulumi config set --secret ${part} ..." and pass new pulumi.Config().requireSecret("${part}"), or use the outputs of an ObjectStore`;
}

function keyProblems(objectStore: DatabaseObjectStoreArgs): InputProblem[] {
  const role =
    typeof objectStore.roleArn === "string"
      ? [
          {
            propertyPath: "roleArn",
            reason: 'is a role, but credentials is "key": set that to "podIdentity" or "irsa", or leave this out',
          },
        ]
      : [];
  const parts = (["accessKeyId", "secretAccessKey"] as const).flatMap(part => {
    const value: unknown = objectStore[part];
    if (value === undefined) {
      const reason = `is missing: ${waysToKey(part)}; or, on AWS, set credentials to "podIdentity" or "irsa"`;
      return [{ propertyPath: part, reason }];
    }
    if (value === "") {
      return [
        {
          propertyPath: part,
          reason: `is empty and cannot be made: ${waysToKey(part)}`,
        },
      ];
    }
    return typeof value === "string" ? validateKeyPart(part, value) : [];
  });
  return [...role, ...parts];
}

type LocationInputs = Record<"endpoint" | "bucket" | "region", unknown> & Record<"useTls" | "pathStyle", unknown>;

function isPlainLocation(location: LocationInputs): location is Omit<ObjectStoreLocation, "prefix"> {
  const { endpoint, bucket, region, useTls, pathStyle } = location;
  return (
    [endpoint, bucket, region].every(value => typeof value === "string") &&
    [useTls, pathStyle].every(value => typeof value === "boolean")
  );
}
