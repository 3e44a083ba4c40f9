import assert from "node:assert/strict";
import * as analyzer from "@pulumi/pulumi/proto/analyzer_pb";
import fc from "fast-check";
import { type JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb";
import { resourceIn, resourcesIn } from "../../policy/wire";

const inputs = fc.dictionary(
  fc.string(),
  fc.jsonValue().filter(value => value !== undefined),
  { maxKeys: 6 },
) as fc.Arbitrary<Record<string, JavaScriptValue>>;

const message = <M extends analyzer.AnalyzeRequest | analyzer.AnalyzerResource>(made: M, properties: Struct): M => {
  made.setType("aws:s3/bucket:Bucket").setName("b").setUrn("urn:b").setProperties(properties);
  return made;
};

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe("resources on Pulumi's wire", () => {
  it("are read as the generated code reads them", () => {
    fc.assert(
      fc.property(inputs, values => {
        const properties = Struct.fromJavaScript(values);
        const bytes = message(new analyzer.AnalyzeRequest(), properties).serializeBinary();
        assert.deepEqual(plain(resourceIn(bytes).inputs), plain(properties.toJavaScript()));
      }),
    );
  });

  it("keep a key that an assignment would swallow", () => {
    // The generated code cannot write one: an entry of the map with that key and the text "x", in a struct, in the properties.
    const entry = Buffer.concat([Buffer.from("\n\x09__proto__"), Buffer.from("\x12\x03\x1a\x01x")]);
    const struct = Buffer.concat([Buffer.from([0x0a, entry.length]), entry]);
    const { inputs: read } = resourceIn(Buffer.concat([Buffer.from([0x12, struct.length]), struct]));
    assert.deepEqual(Object.entries(read as object), [["__proto__", "x"]]);
  });

  it("have a parent among their options, and no trace of their provider", () => {
    const question = message(new analyzer.AnalyzeRequest(), Struct.fromJavaScript({ a: 1 }));
    question.setOptions(new analyzer.AnalyzerResourceOptions().setProtect(true).setParent("urn:p"));
    question.setProvider(
      new analyzer.AnalyzerProviderResource().setName("aws").setProperties(Struct.fromJavaScript({ region: "r" })),
    );
    assert.deepEqual(resourceIn(question.serializeBinary()), {
      type: "aws:s3/bucket:Bucket",
      name: "b",
      urn: "urn:b",
      parent: "urn:p",
      inputs: { a: 1 },
      dependencies: [],
    });
  });

  it("of a whole program have parents and dependencies", () => {
    const child = message(new analyzer.AnalyzerResource(), new Struct()).setParent("urn:p");
    child.setDependenciesList(["urn:1", "urn:2"]);
    const program = new analyzer.AnalyzeStackRequest().setResourcesList([
      child,
      message(new analyzer.AnalyzerResource(), new Struct()),
    ]);
    assert.deepEqual(
      resourcesIn(program.serializeBinary()).map(({ parent, dependencies }) => [parent, dependencies]),
      [
        ["urn:p", ["urn:1", "urn:2"]],
        [undefined, []],
      ],
    );
  });
});
