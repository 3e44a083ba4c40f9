import { readFileSync } from "node:fs";
import path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { AnalyzeResult, Analyzer } from "@pulumi/pulumi/provider/experimental/analyzer";
import { generateSchema } from "@pulumi/pulumi/provider/experimental/schema";
import ts from "typescript";
import * as exported from "../../index";
import { schemaName } from "../../components/schema/names";
import { packageName, PackageSchema, PropertySchema } from "../../components/schema/packageSchema";

const root = path.join(__dirname, "../..");

/** The components of this package, by the names of their classes. */
export const componentNames = Object.entries(exported)
  .filter(([, value]) => typeof value === "function" && value.prototype instanceof pulumi.ComponentResource)
  .map(([name]) => name)
  .sort();

/**
 * The package's schema, from the declarations and their comments. Pulumi's analyzer does most of it; what it leaves out is added: descriptions of structures and choices, what is secret, whole
 * numbers, and names that are good where structures and components share one namespace.
 */
export function makeSchema(): PackageSchema {
  const manifest = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as Manifest;
  const analyzer = new Analyzer(__dirname, packageName, { main: "../../index.ts" }, new Set(componentNames));
  const { components, typeDefinitions, dependencies } = analyzer.analyze();
  const { version, description, license, keywords } = manifest;
  const schema = generateSchema(packageName, version, description, components, typeDefinitions, dependencies);
  describeTypes(schema as PackageSchema, commentsOf(analyzer), typeDefinitions);
  for (const [property, name] of propertiesOf(schema as PackageSchema)) refine(property, name);
  rename(schema as PackageSchema);
  const text = JSON.stringify({ ...schema, displayName: "TideSQL", license, keywords });
  const renamed = text.replaceAll(/(tidesql:index:)(\w+)/g, (_, prefix: string, name: string) =>
    componentNames.includes(name) ? prefix + name : prefix + nameOfStructure(name),
  );
  return JSON.parse(renamed) as PackageSchema;
}

interface Manifest {
  version: string;
  description: string;
  license: string;
  keywords: string[];
}

/**
 * Every language appends "Args" to what is an argument, so the name goes without; and what would then be called as a component is its settings inside another one: `NetworkArgs` is
 * `NetworkSettings`.
 */
function nameOfStructure(name: string): string {
  const short = name.replace(/Args$/, "");
  return componentNames.includes(short) ? `${short}Settings` : short;
}

/** Gives arguments the names that are good in every language. */
function rename({ resources, types }: PackageSchema): void {
  const renamed = <T>(properties: Record<string, T>): Record<string, T> =>
    Object.fromEntries(Object.entries(properties).map(([name, property]) => [schemaName(name), property]));
  for (const resource of Object.values(resources)) resource.inputProperties = renamed(resource.inputProperties);
  for (const type of Object.values(types)) if (type.properties) type.properties = renamed(type.properties);
}

/** The comments of all interfaces, constants and classes of this package, by name. */
function commentsOf(analyzer: Analyzer): Map<string, string> {
  // The analyzer has compiled the package already, which takes most of the time; it has no other door.
  const { program } = analyzer as unknown as { program: ts.Program };
  const comments = new Map<string, string>();
  for (const file of program.getSourceFiles()) {
    if (file.fileName.includes("/node_modules/")) continue;
    for (const statement of file.statements) {
      const name = ts.isVariableStatement(statement)
        ? statement.declarationList.declarations[0]?.name
        : ts.isInterfaceDeclaration(statement) || ts.isClassDeclaration(statement)
          ? statement.name
          : undefined;
      const [comment] = ts.getJSDocCommentsAndTags(statement).filter(ts.isJSDoc);
      const text = ts.getTextOfJSDocComment(comment?.comment);
      if (name && ts.isIdentifier(name) && text) comments.set(name.text, oneParagraph(text));
    }
  }
  return comments;
}

function describeTypes(
  schema: PackageSchema,
  comments: Map<string, string>,
  definitions: AnalyzeResult["typeDefinitions"],
): void {
  for (const name of Object.keys(definitions)) {
    const type = schema.types[`${packageName}:index:${name}`];
    if (type) type.description = comments.get(name);
  }
  for (const name of componentNames) {
    const resource = schema.resources[`${packageName}:index:${name}`];
    if (resource) resource.description = comments.get(name);
  }
}

/** Lines end where the source's do: a description has none but between paragraphs. */
function oneParagraph(text: string): string {
  return text
    .replaceAll(/\{@link (\w+)\}/g, "`$1`")
    .split(/\n\s*\n/)
    .map(paragraph => paragraph.replaceAll(/\s*\n\s*/g, " "))
    .join("\n\n");
}

/** Each property of each component and structure with its name. */
export function* propertiesOf(schema: PackageSchema): Generator<[property: PropertySchema, name: string, of: string]> {
  for (const [token, { inputProperties, properties }] of Object.entries(schema.resources)) {
    for (const [name, property] of Object.entries(inputProperties)) yield [property, name, `${token} input`];
    for (const [name, property] of Object.entries(properties)) yield [property, name, `${token} output`];
  }
  for (const [token, { properties = {} }] of Object.entries(schema.types)) {
    for (const [name, property] of Object.entries(properties)) yield [property, name, token];
  }
}

/** Opens something to anyone who reads it. */
const secretNames = ["accessKeyId", "secretAccessKey", "password", "passwords", "connections", "kubeconfig"];

/** Bytes pass what an integer holds in Java and C#; cores and the lease's seconds may be fractions. */
const fractional = /(Bytes|Cores|^lease\w*Seconds)$/;

function refine(property: PropertySchema, name: string): void {
  if (secretNames.includes(name)) property.secret = true;
  if (property.description) property.description = oneParagraph(property.description);
  for (const simple of [property, property.items]) {
    if (simple?.type === "number" && !fractional.test(name)) simple.type = "integer";
  }
}
