import * as pulumi from "@pulumi/pulumi";
import { PackageSchema, PropertySchema, typeOf } from "./packageSchema";

/** How an argument is called in the schema: Python would make `size_gi_b` of `sizeGiB`. */
export function schemaName(argument: string): string {
  return argument.replace(/GiB$/, "Gib");
}

/** How the components call what the schema calls so. */
export function argumentName(name: string): string {
  return name.replace(/Gib$/, "GiB");
}

/** Values by the names that the components have for them, from values by the names that the schema has. Keys that a user chose, as of tags, stay. */
export function argumentsOf(
  schema: PackageSchema,
  properties: Record<string, PropertySchema>,
  values: Record<string, unknown>,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      const property = properties[name];
      return property === undefined ? [name, value] : [argumentName(name), renamed(schema, property, value)];
    }),
  );
}

function renamed(schema: PackageSchema, property: PropertySchema, value: unknown): unknown {
  if (typeof value !== "object" || value === null || pulumi.Output.isInstance(value)) return value;
  const { items } = property;
  if (Array.isArray(value)) return items ? value.map(item => renamed(schema, items, item)) : value;
  const structure = typeOf(schema, property)?.properties;
  return structure ? argumentsOf(schema, structure, value as Record<string, unknown>) : value;
}
