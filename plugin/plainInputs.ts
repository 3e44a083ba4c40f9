import * as pulumi from "@pulumi/pulumi";
import { InputProblem } from "../components/core/inputProblem";
import { PackageSchema, PropertySchema, typeOf } from "./schema";

/**
 * Arguments that come as a promise where a plain value is needed: compilers of typed languages refuse them, Python and YAML do not. Without this they would be taken for an object with strange
 * properties.
 */
export function promisedProblems(
  schema: PackageSchema,
  properties: Record<string, PropertySchema>,
  values: Record<string, unknown>,
  path = "",
): InputProblem[] {
  return Object.entries(properties).flatMap(([key, property]) =>
    problemsOf(schema, property, values[key], path === "" ? key : `${path}.${key}`),
  );
}

function problemsOf(schema: PackageSchema, property: PropertySchema, value: unknown, path: string): InputProblem[] {
  if (pulumi.Output.isInstance(value)) {
    if (!property.plain) return [];
    const reason =
      "is an output of a resource or a secret, but it decides what is made: give a value that is known while planning";
    return [{ propertyPath: path, reason }];
  }
  if (Array.isArray(value) && property.items) {
    const { items } = property;
    return value.flatMap((item, index) => problemsOf(schema, items, item, `${path}[${index}]`));
  }
  if (typeof value !== "object" || value === null) return [];
  const values = value as Record<string, unknown>;
  const { additionalProperties } = property;
  if (additionalProperties) {
    return Object.entries(values).flatMap(([key, item]) =>
      problemsOf(schema, additionalProperties, item, `${path}.${key}`),
    );
  }
  return promisedProblems(schema, typeOf(schema, property)?.properties ?? {}, values, path);
}
