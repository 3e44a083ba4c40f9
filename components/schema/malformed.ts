import * as pulumi from "@pulumi/pulumi";
import { InputProblem } from "../core/inputProblem";
import { printable } from "../core/printable";
import { choices } from "../core/suggestion";
import { argumentName } from "./names";
import { packageName, PackageSchema, packageSchema, PropertySchema, TypeSchema, typeOf } from "./packageSchema";

const unknownName = "is not an argument";

/**
 * What is wrong with a component's arguments. Their shape is judged first, by the package's schema: names that there are not, values of another type, `null`, missing values, and outputs where a plain value is
 * needed. What comes later, an output or a promise, is not looked into.
 * @param component like `Database`
 * @param further judges what the arguments mean. It is asked only where they are what their TypeScript type says, apart from names that there are not
 */
export function judgeArguments(component: string, args: unknown, further: () => InputProblem[]): InputProblem[] {
  const schema = packageSchema();
  const { inputProperties, requiredInputs } = schema.resources[`${packageName}:index:${component}`]!;
  const problems = structureProblems(schema, { properties: inputProperties, required: requiredInputs }, args, "");
  return problems.every(({ reason }) => reason.startsWith(unknownName)) ? [...problems, ...further()] : problems;
}

/** What is wrong with the shape of some values of a structure or a component, like `DatabaseObjectStore`, once they are known. What is not among them is not missed. */
export function malformedValues(structure: string, values: object): InputProblem[] {
  const schema = packageSchema();
  const token = `${packageName}:index:${structure}`;
  const properties = schema.types[token]?.properties ?? schema.resources[token]!.inputProperties;
  return structureProblems(schema, { properties }, values, "");
}

type Structure = Pick<TypeSchema, "properties" | "required">;

function structureProblems(schema: PackageSchema, structure: Structure, value: unknown, path: string): InputProblem[] {
  const { properties = {}, required = [] } = structure;
  const names = Object.keys(properties).map(argumentName);
  if (!isPlainObject(value)) {
    const reason = `${kindOf(value)}: write an object with ${listed(required.length > 0 ? required.map(argumentName) : names)}`;
    return [{ propertyPath: path === "" ? "args" : path, reason }];
  }
  const unknownNames = Object.keys(value).filter(name => !names.includes(name) && value[name] !== undefined);
  return [
    ...unknownNames.map(name => ({
      propertyPath: joined(path, printable(name)),
      reason: `${unknownName}: ${choices(name, names)}`,
    })),
    ...Object.entries(properties).flatMap(([schemaName, property]) => {
      const name = argumentName(schemaName);
      const given = value[name];
      const isRequired = required.includes(schemaName);
      if (given === undefined || (given === null && isRequired)) {
        return isRequired ? [missing(property, joined(path, name), name, given)] : [];
      }
      return valueProblems(schema, property, given, joined(path, name));
    }),
  ];
}

function valueProblems(schema: PackageSchema, property: PropertySchema, value: unknown, path: string): InputProblem[] {
  const problem = (reason: string) => [{ propertyPath: path, reason }];
  if (value === undefined || value === null) {
    const isItem = path.endsWith("]");
    return problem(`is ${String(value)}: ${isItem ? "take it out of the list" : "leave it out, or give a value"}`);
  }
  if (pulumi.Output.isInstance(value) || isPromise(value)) return comesLaterProblems(property, value, path);
  if (property.type === "array") {
    if (!Array.isArray(value)) return problem(`${kindOf(value, property)}: write a list, also for one`);
    // Not flatMap: it skips the holes of a list.
    return Array.from(value).flatMap((item, index) =>
      valueProblems(schema, property.items!, item, `${path}[${index}]`),
    );
  }
  if (property.additionalProperties) {
    if (!isPlainObject(value)) return problem(`${kindOf(value, property)}: write an object of names and values`);
    const { additionalProperties } = property;
    return Object.entries(value).flatMap(([key, item]) =>
      item === undefined ? [] : valueProblems(schema, additionalProperties, item, joined(path, printable(key))),
    );
  }
  const type = typeOf(schema, property);
  if (type?.properties) return structureProblems(schema, type, value, path);
  const reason = type?.enum
    ? choiceProblem(
        type.enum.map(choice => choice.value),
        value,
        property,
      )
    : simpleProblem(property, value);
  return reason === undefined ? [] : problem(reason);
}

function comesLaterProblems(property: PropertySchema, value: unknown, path: string): InputProblem[] {
  if (!property.plain) return [];
  const what = pulumi.Output.isInstance(value) ? "is an output of a resource or a secret" : "is a promise";
  return [
    {
      propertyPath: path,
      reason: `${what}, but it decides what is made: give a value that is known while planning`,
    },
  ];
}

function choiceProblem(known: (string | number)[], value: unknown, property: PropertySchema): string | undefined {
  if (known.includes(value as string)) return undefined;
  const all = known.map(choice => JSON.stringify(choice)).join(", ");
  if (typeof value !== "string") return `${kindOf(value, property)}: choose among ${all}`;
  const close = known.find(choice => String(choice).toLowerCase() === value.toLowerCase());
  return `is "${printable(value)}": ${close === undefined ? "" : `did you mean "${close}"? `}choose among ${all}`;
}

function simpleProblem(property: PropertySchema, value: unknown): string | undefined {
  const is = kindOf(value, property);
  switch (property.type) {
    case "string":
      if (typeof value === "string") return undefined;
      if (typeof value === "number" && !Number.isFinite(value)) return `is ${value}: write a text`;
      if (typeof value === "number" || typeof value === "boolean") return `${is}: write it in quotes, "${value}"`;
      return value instanceof pulumi.Resource ? `${is}: give one of its outputs, like its name` : `${is}: write a text`;
    case "boolean":
      if (typeof value === "boolean") return undefined;
      return /^(true|false)$/i.test(String(value))
        ? `${is}: write ${String(value).toLowerCase()}, without quotes`
        : `${is}: write true or false`;
    case "integer":
    case "number":
      return numberProblem(property.type === "integer", value, is);
    default:
      return undefined;
  }
}

function numberProblem(isWhole: boolean, value: unknown, is: string): string | undefined {
  const wanted = isWhole ? "a whole number" : "a number";
  if (typeof value !== "number") {
    const isNumeric = typeof value === "string" && value.trim() !== "" && Number.isFinite(Number(value));
    return isNumeric ? `${is}: write ${Number(value)}, without quotes` : `${is}: write ${wanted}`;
  }
  if (!Number.isFinite(value)) return `is ${value}: write ${wanted}`;
  if (Math.abs(value) > Number.MAX_SAFE_INTEGER) return `is ${value}: write ${wanted} below 2^53`;
  return isWhole && !Number.isInteger(value) ? `is ${value}: write ${wanted}` : undefined;
}

/** What a value is, without showing it where it may be secret. */
function kindOf(value: unknown, { secret = false }: PropertySchema = {}): string {
  if (value === undefined || value === null) return `is ${String(value)}`;
  if (pulumi.Output.isInstance(value)) return "is an output of a resource or a secret";
  if (value instanceof pulumi.Resource) return "is a resource";
  if (isPromise(value)) return "is a promise";
  if (Array.isArray(value)) return "is a list";
  switch (typeof value) {
    case "string":
      return secret ? "is a text" : `is the text "${printable(value)}"`;
    case "number":
    case "boolean":
    case "bigint":
      return secret ? `is a ${typeof value}` : `is the ${typeof value} ${value}`;
    case "function":
    case "symbol":
      return `is a ${typeof value}`;
    default:
      return builtInKind(value) === "Object" ? "is an object" : `is a ${builtInKind(value)}`;
  }
}

/** `Map`, `Set`, `Date` and so on, whose contents are not properties; `Object` for every other object. */
function builtInKind(value: unknown): string {
  return Object.prototype.toString.call(value).slice("[object ".length, -1);
}

/** Says what belongs there, in the words of the argument's own description. */
function missing(
  { description = "", secret }: PropertySchema,
  path: string,
  name: string,
  given: unknown,
): InputProblem {
  const what = description.split(/(?<=[.:])\s/, 1)[0] ?? "";
  const wayOut = secret
    ? ` Set it with\n      pulumi config set --secret ${name} <value>\n    and give config.requireSecret("${name}")`
    : "";
  return { propertyPath: path, reason: `is ${given === null ? "null" : "missing"}. It is needed: ${what}${wayOut}` };
}

function listed(names: readonly string[]): string {
  return names.length > 8 ? `${names.slice(0, 7).join(", ")} and others` : names.join(", ");
}

function joined(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

function isPromise(value: unknown): boolean {
  return value instanceof Promise;
}

/** An object of names and values: no list, no Map, no output. */
function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value) || isPromise(value)) return false;
  return !pulumi.Output.isInstance(value) && !pulumi.Resource.isInstance(value) && builtInKind(value) === "Object";
}
