import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { describe, it } from "mocha";
import { validateClusterArgs } from "../../components/cluster";
import { InputProblem } from "../../components/core/inputProblem";
import { validateDatabaseArgs } from "../../components/database";
import { validateImageArgs } from "../../components/image";
import { validateNetworkArgs } from "../../components/network";
import { validateObjectStoreArgs } from "../../components/objectStore";
import { argumentName } from "../../components/schema/names";
import { packageSchema, PropertySchema, typeOf } from "../../components/schema/packageSchema";
import { validateTideSqlArgs } from "../../components/tideSql";
import { databaseArgs } from "../components/databaseFixtures";

const schema = packageSchema();

/** Each component's judgement, and arguments that it finds nothing wrong with. */
const components: Record<string, { judge: (args: never) => InputProblem[]; good: object }> = {
  Cluster: {
    judge: args => validateClusterArgs("orders", args),
    good: { region: "us-east-1", vpcId: "vpc-1", subnetIds: ["subnet-a", "subnet-b"] },
  },
  Database: { judge: args => validateDatabaseArgs("orders", args), good: databaseArgs() },
  Image: { judge: args => validateImageArgs("orders", args), good: { region: "us-east-1" } },
  Network: { judge: args => validateNetworkArgs(args), good: { region: "us-east-1" } },
  ObjectStore: { judge: args => validateObjectStoreArgs("orders", args), good: { region: "us-east-1" } },
  TideSql: { judge: args => validateTideSqlArgs("orders", args), good: { region: "us-east-1" } },
};

/** A place among a component's arguments: its path, what the schema says of it, and the arguments with another value there. */
interface Place {
  path: string;
  property: PropertySchema;
  withValue: (value: unknown) => object;
}

/** Every argument, part of an argument and item of a list that the schema knows. */
function* placesIn(
  properties: Record<string, PropertySchema>,
  path: string,
  around: (value: object) => object,
): Generator<Place> {
  for (const [schemaName, property] of Object.entries(properties)) {
    const name = argumentName(schemaName);
    yield* placesAt(property, path === "" ? name : `${path}.${name}`, value => around({ [name]: value }));
  }
}

function* placesAt(property: PropertySchema, path: string, withValue: (value: unknown) => object): Generator<Place> {
  yield { path, property, withValue };
  if (property.items) yield* placesAt(property.items, `${path}[0]`, value => withValue([value]));
  if (property.additionalProperties) {
    yield* placesAt(property.additionalProperties, `${path}.some`, value => withValue({ some: value }));
  }
  const structure = typeOf(schema, property);
  if (!structure?.properties) return;
  const needed = Object.fromEntries(
    (structure.required ?? []).map(name => [argumentName(name), sample(structure.properties![name]!)]),
  );
  yield* placesIn(structure.properties, path, value => withValue({ ...needed, ...value }));
}

/** A value of the right type, not necessarily one that means something. */
function sample(property: PropertySchema): unknown {
  const type = typeOf(schema, property);
  if (property.items) return [sample(property.items)];
  if (property.additionalProperties) return { some: sample(property.additionalProperties) };
  if (type?.enum) return type.enum[0]!.value;
  if (type?.properties) {
    return Object.fromEntries((type.required ?? []).map(name => [argumentName(name), sample(type.properties![name]!)]));
  }
  return { string: "x", boolean: true, integer: 1, number: 1 }[property.type ?? ""];
}

/** Values of the wrong kind for a property, by what is wrong with them. */
function wrongKinds(property: PropertySchema): Record<string, unknown> {
  const type = typeOf(schema, property);
  const always = { null: null, "a function": () => "x", ...(property.plain && { "an output": pulumi.output("x") }) };
  const promise = property.plain ? { "a promise": Promise.resolve("x") } : {};
  if (property.items) {
    return {
      ...always,
      ...promise,
      text: "x",
      "an object": {},
      "a list with a hole": [sample(property.items), undefined],
    };
  }
  if (property.additionalProperties)
    return { ...always, ...promise, text: "x", "a list": [], "a Map": new Map([["some", "x"]]) };
  if (type?.enum)
    return { ...always, ...promise, "an unknown choice": "sometimes", "a number": 1, "an empty text": "" };
  if (type?.properties) {
    return {
      ...always,
      ...promise,
      text: "x",
      "a list": [],
      "a Map": new Map(),
      "an unknown name": { ...(sample(property) as object), notThere: 1 },
    };
  }
  switch (property.type) {
    case "string":
      return { ...always, ...promise, "a number": 1, "a boolean": true, "an object": {}, "a list": ["x"] };
    case "boolean":
      return { ...always, ...promise, "the text false": "false", "a number": 0, "an object": {} };
    case "integer":
    case "number":
      return {
        ...always,
        ...promise,
        text: "3",
        NaN: NaN,
        infinity: Infinity,
        "what no number holds": 1e300,
        "a boolean": true,
      };
    default:
      return {};
  }
}

/** Values of the right type that hardly any argument takes: whatever becomes of them, it is no accident. */
const strange: Record<string, unknown[]> = {
  string: ["", " ", "\0", "x".repeat(100_000), "../../x", "__proto__", "ü", "a\nb"],
  integer: [-1, 0, 2 ** 53 - 1],
  number: [-1, 0, 0.5, 2 ** 53 - 1],
};

describe("arguments that no compiler has looked at", function () {
  this.timeout(60_000);

  it("are judged for every component of the schema", () => {
    const named = Object.keys(schema.resources).map(token => token.split(":")[2]);
    assert.deepEqual(Object.keys(components).sort(), named.sort());
  });

  it("are told to be given where they are needed, and to be left out where they are not", () => {
    const objectStore = { ...databaseArgs().objectStore, bucket: null, prefix: null };
    const problems = validateDatabaseArgs("orders", { ...databaseArgs(), objectStore } as never);
    const reasons = Object.fromEntries(problems.map(({ propertyPath, reason }) => [propertyPath, reason]));
    assert.match(reasons["objectStore.bucket"] ?? "", /^is null\. It is needed: /);
    assert.match(reasons["objectStore.prefix"] ?? "", /^is null: leave it out/);
  });

  it("are not told to be written in quotes where no number is", () => {
    const problems = validateDatabaseArgs("orders", { ...databaseArgs(), namespace: NaN } as never);
    assert.deepEqual(problems, [{ propertyPath: "namespace", reason: "is NaN: write a text" }]);
  });

  for (const [component, { judge, good }] of Object.entries(components)) {
    const { inputProperties, requiredInputs } = schema.resources[`tidesql:index:${component}`]!;
    const places = [...placesIn(inputProperties, "", value => ({ ...good, ...value }))];
    const judged = (args: unknown) => judge(args as never);

    it(`${component}: good ones pass`, () => assert.deepEqual(judged(good), []));

    it(`${component}: what is of the wrong kind is refused by its path and with a way out, at each of ${places.length} places`, () => {
      assert.ok(places.length > 5);
      for (const { path, property, withValue } of places) {
        for (const [kind, value] of Object.entries(wrongKinds(property))) {
          const problems = judged(withValue(value));
          const [problem] = problems.filter(({ propertyPath }) => propertyPath.startsWith(path));
          assert.ok(problem, `${path}, ${kind}: ${JSON.stringify(problems)}`);
          assert.match(problem.reason, /: ./, `${path}, ${kind}`);
        }
      }
    });

    it(`${component}: what is missing is named`, () => {
      for (const name of requiredInputs) {
        const [problem] = judged({ ...good, [name]: undefined });
        assert.equal(problem?.propertyPath, name);
        assert.match(problem.reason, /is missing/);
      }
      for (const { path, property, withValue } of places) {
        for (const name of typeOf(schema, property)?.required ?? []) {
          const whole = { ...(sample(property) as object), [argumentName(name)]: undefined };
          const problems = judged(withValue(whole));
          assert.ok(
            problems.some(({ propertyPath }) => propertyPath === `${path}.${argumentName(name)}`),
            path,
          );
        }
      }
    });

    it(`${component}: a slip in a name is refused with the name that was meant`, () => {
      for (const schemaName of Object.keys(inputProperties)) {
        const name = argumentName(schemaName);
        const slip = `${name}z`;
        const [problem] = judged({ ...good, [slip]: 1 });
        assert.equal(problem?.propertyPath, slip);
        assert.equal(problem.reason, `is not an argument: did you mean "${name}"?`);
      }
    });

    it(`${component}: strange values are refused or taken, but break nothing`, () => {
      for (const { path, property, withValue } of places) {
        for (const value of strange[property.type ?? ""] ?? []) {
          const problems = judged(withValue(value));
          for (const { propertyPath, reason } of problems) {
            assert.ok(propertyPath.length > 0 && reason.length > 0, path);
            assert.ok(reason.length < 2000, `${path}: ${reason.slice(0, 200)}`);
          }
        }
      }
    });

    it(`${component}: no arguments, or what are none, are refused as such`, () => {
      for (const none of [undefined, null, "orders", 3, [], pulumi.output({})]) {
        assert.deepEqual(
          judged(none).map(({ propertyPath }) => propertyPath),
          ["args"],
        );
      }
    });
  }

  it("show no secret", () => {
    const users = [{ name: "shop", grants: [], password: ["Open-Sesame-1"] }];
    const objectStore = { ...databaseArgs().objectStore, secretAccessKey: { sesame: "sesame-sesame" } };
    const problems = validateDatabaseArgs("orders", { ...databaseArgs(), users, objectStore } as never);
    assert.equal(problems.length, 2);
    assert.doesNotMatch(JSON.stringify(problems), /[Ss]esame/);
  });

  it("may hold outputs and promises where the argument takes them", () => {
    const image = Promise.resolve("registry.example/tidesql:4.5.7");
    assert.deepEqual(validateDatabaseArgs("orders", databaseArgs({ image })), []);
  });
});

/** What an argument's own description promises: `2 to 60`. */
const bounds = /(?<!Default )\b(\d[\d,]*(?:\.\d+)?) to (\d[\d,]*(?:\.\d+)?)(?=[.,; ]|$)/;

describe("bounds that descriptions promise", () => {
  const judges: Record<string, (value: object) => InputProblem[]> = {
    DatabaseCompaction: compaction => validateDatabaseArgs("orders", databaseArgs({ compaction })),
    DatabaseTls: tls => validateDatabaseArgs("orders", databaseArgs({ tls })),
    DatabaseStorage: storage => validateDatabaseArgs("orders", databaseArgs({ storage })),
    DatabasePods: pods => validateDatabaseArgs("orders", databaseArgs({ pods })),
    DatabaseService: primary =>
      validateDatabaseArgs("orders", databaseArgs({ services: { type: "NodePort", primary } })),
    DatabaseSizing: sizing => validateDatabaseArgs("orders", databaseArgs({ sizing })),
  };
  const counted = { found: 0 };
  /** Arguments that mean something beside another only. */
  const beside: Record<string, object> = { walSyncThresholdBytes: { durability: "threshold" } };

  function holds(of: string, judge: (value: object) => InputProblem[], properties: Record<string, PropertySchema>) {
    for (const [schemaName, { type, description = "" }] of Object.entries(properties)) {
      if (type !== "integer" && type !== "number") continue;
      const range = description.split(/Default/)[0]!.match(bounds);
      if (!range) continue;
      counted.found++;
      const [least, most] = [range[1]!, range[2]!].map(text => Number(text.replaceAll(",", "")));
      const name = argumentName(schemaName);
      it(`${of}.${name}: ${least} to ${most}`, () => {
        const problemsAt = (value: number) =>
          judge({ ...beside[name], [name]: value }).filter(({ propertyPath }) => propertyPath.endsWith(name));
        for (const outside of [least! - 1, most! + 1]) {
          const [problem] = problemsAt(outside);
          assert.ok(problem, `${outside} is taken`);
          assert.match(problem.reason, /write/);
        }
        assert.deepEqual(problemsAt(least!), []);
      });
    }
  }

  for (const [component, { judge, good }] of Object.entries(components)) {
    const { inputProperties } = schema.resources[`tidesql:index:${component}`]!;
    holds(component, value => judge({ ...good, ...value } as never), inputProperties);
  }
  for (const [structure, judge] of Object.entries(judges)) {
    holds(structure, judge, schema.types[`tidesql:index:${structure}`]!.properties!);
  }

  it("are found at all", () => assert.ok(counted.found > 15, String(counted.found)));
});
