import { readFileSync } from "node:fs";
import path from "node:path";
import { packageRoot } from "../packageRoot";

/** The package's name in every language: `tidesql.TideSql`, `pulumi_tidesql`, `tidesql:index:TideSql`. */
export const packageName = "tidesql";

/** The parts of Pulumi's package schema that this package has. */
export interface PackageSchema {
  name: string;
  version: string;
  /** By token, like `tidesql:index:TideSql`. */
  resources: Record<string, ResourceSchema>;
  /** By token. */
  types: Record<string, TypeSchema>;
}

/** One component. */
export interface ResourceSchema {
  description?: string;
  isComponent: boolean;
  inputProperties: Record<string, PropertySchema>;
  requiredInputs: string[];
  properties: Record<string, PropertySchema>;
  required: string[];
}

/** A structure or an enumeration. */
export interface TypeSchema {
  description?: string;
  type: string;
  properties?: Record<string, PropertySchema>;
  required?: string[];
  enum?: { name: string; value: string | number; description?: string }[];
}

/** One argument or output: of a simple type, or a reference to a structure or an enumeration. */
export interface PropertySchema {
  description?: string;
  type?: string;
  $ref?: string;
  /** Of a list. */
  items?: PropertySchema;
  /** Of a map with free keys. */
  additionalProperties?: PropertySchema;
  /** Known while planning: no output of another resource. */
  plain?: boolean;
  secret?: boolean;
}

/** The structure or enumeration that a property refers to, if it does. */
export function typeOf(schema: PackageSchema, { $ref }: PropertySchema): TypeSchema | undefined {
  return $ref === undefined ? undefined : schema.types[$ref.replace("#/types/", "")];
}

let read: PackageSchema | undefined;

/** The schema in this package, which `npm run schema` makes of the declarations: the one description of every argument. Read once. */
export function packageSchema(): PackageSchema {
  return (read ??= JSON.parse(schemaText()) as PackageSchema);
}

/** The same as it is in the file. */
export function schemaText(): string {
  return readFileSync(path.join(packageRoot(), "schema.json"), "utf8");
}
