import { AnalyzerService } from "@pulumi/pulumi/proto/analyzer_grpc_pb";
import { BinaryReader } from "google-protobuf";
import { type RawResource } from "./model/resource";

/** The fields of `AnalyzeRequest` and of `AnalyzerResource` that a policy needs, by their numbers in Pulumi's analyzer.proto. Both messages number them alike. */
const field = { type: 1, properties: 2, urn: 3, name: 4, options: 5, parent: 7, dependencies: 8 } as const;
/** `parent` of `AnalyzerResourceOptions`. */
const parentOption = 8;
/** `resources` of `AnalyzeStackRequest`. */
const resourcesOfStack = 1;

/** The one field of a `Struct` (a map), the two of an entry of that map, and the one of a `ListValue`. */
const structFields = 1;
const entry = { key: 1, value: 2 } as const;
const listValues = 1;
/** The alternatives of a `Value`. */
const alternative = { number: 2, string: 3, boolean: 4, struct: 5, list: 6 } as const;

/**
 * Pulumi's protocol with plain resources in place of request messages. Most of a request is the arguments of the resource's provider, which no policy reads, and the
 * generated code would build a tree of messages for every value on the way to the plain one.
 */
export const analyzerService = {
  ...AnalyzerService,
  analyze: { ...AnalyzerService.analyze, requestDeserialize: resourceIn },
  remediate: { ...AnalyzerService.remediate, requestDeserialize: resourceIn },
  analyzeStack: { ...AnalyzerService.analyzeStack, requestDeserialize: resourcesIn },
};

/** The resource in an `AnalyzeRequest`. */
export function resourceIn(bytes: Uint8Array): RawResource {
  return readResource(new BinaryReader(bytes));
}

/** The resources in an `AnalyzeStackRequest`. */
export function resourcesIn(bytes: Uint8Array): RawResource[] {
  const resources: RawResource[] = [];
  const reader = new BinaryReader(bytes);
  while (reader.nextField()) {
    if (reader.getFieldNumber() === resourcesOfStack) resources.push(nested(reader, readResource));
    else reader.skipField();
  }
  return resources;
}

function readResource(reader: BinaryReader): RawResource {
  const dependencies: string[] = [];
  const resource = { type: "", name: "", urn: "", parent: undefined as string | undefined, inputs: {}, dependencies };
  while (reader.nextField()) {
    switch (reader.getFieldNumber()) {
      case field.type:
        resource.type = reader.readString();
        break;
      case field.properties:
        resource.inputs = nested(reader, readStruct);
        break;
      case field.urn:
        resource.urn = reader.readString();
        break;
      case field.name:
        resource.name = reader.readString();
        break;
      case field.options:
        resource.parent = nested(reader, readParent) ?? resource.parent;
        break;
      case field.parent:
        resource.parent = reader.readString() || resource.parent;
        break;
      case field.dependencies:
        dependencies.push(reader.readString());
        break;
      default:
        reader.skipField();
    }
  }
  return resource;
}

function readParent(reader: BinaryReader): string | undefined {
  let parent: string | undefined;
  while (reader.nextField()) {
    if (reader.getFieldNumber() === parentOption) parent = reader.readString() || undefined;
    else reader.skipField();
  }
  return parent;
}

function readStruct(reader: BinaryReader): Record<string, unknown> {
  const struct: Record<string, unknown> = {};
  while (reader.nextField()) {
    if (reader.getFieldNumber() === structFields) nested(reader, within => readEntry(within, struct));
    else reader.skipField();
  }
  return struct;
}

function readEntry(reader: BinaryReader, struct: Record<string, unknown>): void {
  let key = "";
  let value: unknown = null;
  while (reader.nextField()) {
    if (reader.getFieldNumber() === entry.key) key = reader.readString();
    else if (reader.getFieldNumber() === entry.value) value = nested(reader, readValue);
    else reader.skipField();
  }
  // An assignment would swallow a key called `__proto__`.
  Object.defineProperty(struct, key, { value, enumerable: true, writable: true, configurable: true });
}

function readValue(reader: BinaryReader): unknown {
  let value: unknown = null;
  while (reader.nextField()) {
    switch (reader.getFieldNumber()) {
      case alternative.number:
        value = reader.readDouble();
        break;
      case alternative.string:
        value = reader.readString();
        break;
      case alternative.boolean:
        value = reader.readBool();
        break;
      case alternative.struct:
        value = nested(reader, readStruct);
        break;
      case alternative.list:
        value = nested(reader, readList);
        break;
      default:
        reader.skipField();
    }
  }
  return value;
}

function readList(reader: BinaryReader): unknown[] {
  const list: unknown[] = [];
  while (reader.nextField()) {
    if (reader.getFieldNumber() === listValues) list.push(nested(reader, readValue));
    else reader.skipField();
  }
  return list;
}

/** Reads the message that the reader stands at. */
function nested<T>(reader: BinaryReader, read: (reader: BinaryReader) => T): T {
  let result: T;
  reader.readMessage(undefined, (_: unknown, within: BinaryReader) => {
    result = read(within);
  });
  return result!;
}
