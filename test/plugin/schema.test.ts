import * as assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { before, describe, it } from "mocha";
import { PackageSchema, typeOf } from "../../components/schema/packageSchema";
import { componentNames, makeSchema, propertiesOf } from "../../scripts/schema/makeSchema";

const golden = readFileSync(path.join(__dirname, "../../schema.json"), "utf8");

/** Words that cannot be a name, as each language writes names. */
const reserved: Record<string, { written: (name: string) => string; words: string }> = {
  Python: {
    written: snakeCase,
    words:
      "and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not or pass raise return try while with yield self opts resource_name",
  },
  Go: {
    written: pascalCase,
    words: "ElementType OutputState URN ID",
  },
  "C#": {
    written: pascalCase,
    words: "Equals GetHashCode GetType ToString MemberwiseClone Finalize Urn Id",
  },
  Java: {
    written: name => name,
    words:
      "abstract assert boolean break byte case catch char class const continue default do double else enum extends final finally float for goto if implements import instanceof int interface long native new package private protected public return short static strictfp super switch synchronized this throw throws transient try void volatile while getClass notify notifyAll wait hashCode equals toString clone builder urn id",
  },
  YAML: { written: name => name, words: "id urn" },
};

function snakeCase(name: string): string {
  return name.replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2").toLowerCase();
}

function pascalCase(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}

describe("the schema for other languages", () => {
  let schema: PackageSchema;
  before("is made from the sources", () => {
    schema = makeSchema();
  });

  it("is in the package as the sources have it", () => {
    assert.equal(`${JSON.stringify(schema, undefined, 2)}\n`, golden, "run `npm run schema`");
  });

  it("has every component", () => {
    assert.deepEqual(
      Object.keys(schema.resources).sort(),
      componentNames.map(name => `tidesql:index:${name}`),
    );
    assert.deepEqual(componentNames, ["Cluster", "Database", "Image", "Network", "ObjectStore", "TideSql"]);
  });

  it("describes every component, argument, output, structure and choice", () => {
    const described = [
      ...Object.entries(schema.resources),
      ...Object.entries(schema.types),
      ...[...propertiesOf(schema)].map(([property, name, of]) => [`${name} of ${of}`, property] as const),
      ...Object.entries(schema.types).flatMap(([token, type]) =>
        (type.enum ?? []).map(choice => [`${token} ${choice.name}`, choice] as const),
      ),
    ];
    const silent = described.filter(
      ([, { description = "" }]) => description.length < 4 || /\[object|\{@/.test(description),
    );
    assert.deepEqual(
      silent.map(([name]) => name),
      [],
      "write a comment for it",
    );
  });

  it("marks what is secret", () => {
    const secret = [...propertiesOf(schema)]
      .filter(([property]) => property.secret)
      .map(([, name, of]) => `${name} of ${of}`);
    for (const needed of [
      "passwords of tidesql:index:TideSql output",
      "kubeconfig of tidesql:index:Cluster input",
      "secretAccessKey of tidesql:index:DatabaseObjectStore",
      "password of tidesql:index:DatabaseUser",
    ]) {
      assert.ok(secret.includes(needed), needed);
    }
    const unmarked = [...propertiesOf(schema)].filter(
      ([{ secret, type }, name]) =>
        type === "string" && /password|secretAccess|kubeconfig|private/i.test(name) && !secret,
    );
    assert.deepEqual(
      unmarked.map(([, name, of]) => `${name} of ${of}`),
      [],
    );
  });

  it("counts in whole numbers, except where a fraction means something", () => {
    const fractions = [...propertiesOf(schema)].filter(([{ type }]) => type === "number").map(([, name]) => name);
    assert.ok([...propertiesOf(schema)].some(([{ type }, name]) => type === "integer" && name === "replicas"));
    assert.deepEqual(
      fractions.filter(name => !/Bytes$|Cores$|^lease/.test(name)),
      [],
    );
  });

  it("has names that no language reserves", () => {
    const taken = [...propertiesOf(schema)].flatMap(([, name, of]) =>
      Object.entries(reserved)
        .filter(([, { written, words }]) => words.split(" ").includes(written(name)))
        .map(([language]) => `${name} of ${of} in ${language}`),
    );
    assert.deepEqual(taken, []);
  });

  it("has names of whole words in Python, where each capital begins a new one", () => {
    const torn = [...propertiesOf(schema)].filter(([, name]) =>
      snakeCase(name)
        .split("_")
        .some(word => word.length === 1),
    );
    assert.deepEqual(
      torn.map(([, name, of]) => `${name} of ${of}`),
      [],
    );
  });

  it("names no member like the class that it is in, which C# refuses", () => {
    const clashes = [...propertiesOf(schema)].filter(([, name, of]) => {
      const [className = ""] = (of.split(":")[2] ?? "").split(" ");
      return [className, `${className}Args`].includes(pascalCase(name));
    });
    assert.deepEqual(
      clashes.map(([, name, of]) => `${name} of ${of}`),
      [],
    );
  });

  it("has one namespace for components and structures, without a name twice in any language", () => {
    const names = [...Object.keys(schema.resources), ...Object.keys(schema.types)].map(
      token => token.split(":")[2] ?? "",
    );
    const written = names.flatMap(name => [name, `${name}Args`]);
    const twice = written.filter((name, index) => written.indexOf(name) !== index);
    assert.deepEqual(twice, []);
  });

  it("refers to nothing that is not in it", () => {
    const references = [...propertiesOf(schema)].flatMap(([property]) =>
      [property, property.items ?? {}, property.additionalProperties ?? {}].filter(({ $ref }) => $ref !== undefined),
    );
    assert.ok(references.length > 30);
    for (const reference of references) assert.ok(typeOf(schema, reference), reference.$ref);
  });
});
