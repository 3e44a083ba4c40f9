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
import { objectStoreSecretData } from "../core/manifests/secrets";
import { refuseInvalid } from "../refuse";
import { malformedValues } from "../schema/malformed";
import { DatabaseObjectStoreArgs } from "./arguments";

/** What is wrong with the store's arguments, as far as they are plain values. */
export function validateObjectStore(objectStore: DatabaseObjectStoreArgs): InputProblem[] {
  const { endpoint, bucket, region, prefix, useTls = true, pathStyle = false } = objectStore;
  const problems = [...keyProblems(objectStore), ...(typeof prefix === "string" ? validatePrefix(prefix) : [])];
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

/** Keys and values of the store's Secret, judged once they are known. */
export function objectStoreData(
  name: string,
  { accessKeyId, secretAccessKey, caCertificate }: DatabaseObjectStoreArgs,
): pulumi.Output<Record<string, string>> {
  return pulumi.secret(pulumi.output({ accessKeyId, secretAccessKey, caCertificate })).apply(known => {
    const malformed = malformedValues("DatabaseObjectStore", known);
    const problems =
      malformed.length > 0
        ? malformed
        : [
            ...validateKeyPart("accessKeyId", known.accessKeyId),
            ...validateKeyPart("secretAccessKey", known.secretAccessKey),
            ...validateAuthority(known.caCertificate),
          ];
    refuseInvalid(`Database "${name}"`, under("objectStore", problems));
    return objectStoreSecretData(known);
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

function keyProblems(objectStore: DatabaseObjectStoreArgs): InputProblem[] {
  return (["accessKeyId", "secretAccessKey"] as const).flatMap(part => {
    const value: unknown = objectStore[part];
    if (value === "") {
      return [
        {
          propertyPath: part,
          reason: `is empty and cannot be made: run "pulumi config set --secret ${part} ..." and pass new pulumi.Config().requireSecret("${part}"), or use the outputs of an ObjectStore`,
        },
      ];
    }
    return typeof value === "string" ? validateKeyPart(part, value) : [];
  });
}

type LocationInputs = Record<"endpoint" | "bucket" | "region", unknown> & Record<"useTls" | "pathStyle", unknown>;

function isPlainLocation(location: LocationInputs): location is Omit<ObjectStoreLocation, "prefix"> {
  const { endpoint, bucket, region, useTls, pathStyle } = location;
  return (
    [endpoint, bucket, region].every(value => typeof value === "string") &&
    [useTls, pathStyle].every(value => typeof value === "boolean")
  );
}
