import { credentials } from "@grpc/grpc-js";
import { runtime } from "@pulumi/pulumi";
import { CallbacksClient } from "@pulumi/pulumi/proto/callback_grpc_pb";
import { type Callback, CallbackInvokeRequest } from "@pulumi/pulumi/proto/callback_pb";
import {
  type RegisterResourceRequest,
  TransformRequest,
  TransformResourceOptions,
  TransformResponse,
} from "@pulumi/pulumi/proto/resource_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { PlanError } from "./planError";
import { isPlainRecord, recordFromWire, Secret, toWire, unknown, type PlannedValue } from "./values";

/** Runs a program's resource transforms. The SDK serves them on an address of its own, as it does for the real engine. */
export class TransformRunner {
  /** By address; there is one per copy of the SDK. */
  private readonly clients = new Map<string, CallbacksClient>();

  /** Runs the transforms on a registration, one after another, and writes what they changed back into it. */
  async apply(transforms: Callback[], request: RegisterResourceRequest): Promise<void> {
    for (const transform of transforms) {
      const question = new TransformRequest();
      question.setType(request.getType());
      question.setName(request.getName());
      question.setCustom(request.getCustom());
      question.setParent(request.getParent());
      const properties = recordFromWire(request.getObject()?.toJavaScript() ?? {});
      question.setProperties(Struct.fromJavaScript(asOutputs(properties) as never));
      question.setOptions(optionsForTransform(request));
      const answer = TransformResponse.deserializeBinary(await this.ask(transform, question.serializeBinary()));
      request.setObject(answer.getProperties());
      const options = answer.getOptions();
      if (options) applyOptions(request, options);
    }
  }

  /** Closes the connections that were needed. */
  close(): void {
    for (const client of this.clients.values()) client.close();
    this.clients.clear();
  }

  private ask(transform: Callback, question: Uint8Array): Promise<Uint8Array> {
    const request = new CallbackInvokeRequest();
    request.setToken(transform.getToken());
    request.setRequest(question);
    const client = this.clientFor(transform.getTarget());
    return new Promise((resolve, reject) => {
      client.invoke(request, (error, response) => {
        if (error) reject(new PlanError(error.details));
        else resolve(response.getResponse_asU8());
      });
    });
  }

  private clientFor(target: string): CallbacksClient {
    const known = this.clients.get(target);
    if (known) return known;
    const client = new CallbacksClient(target, credentials.createInsecure());
    this.clients.set(target, client);
    return client;
  }
}

/** Secrets and unknowns as outputs: transforms are promised `Output`s for them. */
function asOutputs(value: PlannedValue): unknown {
  if (value === unknown) return { [runtime.specialSigKey]: runtime.specialOutputValueSig };
  if (value instanceof Secret) {
    const inner = value.reveal();
    const known = inner === unknown ? {} : { value: toWire(inner) };
    return { [runtime.specialSigKey]: runtime.specialOutputValueSig, secret: true, ...known };
  }
  if (Array.isArray(value)) return value.map(asOutputs);
  if (!isPlainRecord(value)) return toWire(value);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, asOutputs(inner)]));
}

function optionsForTransform(request: RegisterResourceRequest): TransformResourceOptions {
  const options = new TransformResourceOptions();
  options.setDependsOnList(request.getDependenciesList());
  const protect = request.getProtect();
  if (protect !== undefined) options.setProtect(protect);
  const retainOnDelete = request.getRetainondelete();
  if (retainOnDelete !== undefined) options.setRetainOnDelete(retainOnDelete);
  if (request.getDeletebeforereplacedefined()) options.setDeleteBeforeReplace(request.getDeletebeforereplace());
  options.setIgnoreChangesList(request.getIgnorechangesList());
  options.setReplaceOnChangesList(request.getReplaceonchangesList());
  options.setAdditionalSecretOutputsList(request.getAdditionalsecretoutputsList());
  options.setAliasesList(request.getAliasesList());
  options.setProvider(request.getProvider());
  options.setVersion(request.getVersion());
  options.setPluginDownloadUrl(request.getPlugindownloadurl());
  options.setDeletedWith(request.getDeletedwith());
  options.setReplaceWithList(request.getReplaceWithList());
  options.setImport(request.getImportid());
  options.setCustomTimeouts(request.getCustomtimeouts());
  options.setHooks(request.getHooks());
  return options;
}

function applyOptions(request: RegisterResourceRequest, options: TransformResourceOptions): void {
  const throughInputs = [...request.getPropertydependenciesMap().entries()].flatMap(
    ([, dependencies]: [string, RegisterResourceRequest.PropertyDependencies]) => dependencies.getUrnsList(),
  );
  request.setDependenciesList([...new Set([...options.getDependsOnList(), ...throughInputs])]);
  const protect = options.getProtect();
  if (protect !== undefined) request.setProtect(protect);
  const retainOnDelete = options.getRetainOnDelete();
  if (retainOnDelete !== undefined) request.setRetainondelete(retainOnDelete);
  const deleteBeforeReplace = options.getDeleteBeforeReplace();
  request.setDeletebeforereplacedefined(deleteBeforeReplace !== undefined);
  request.setDeletebeforereplace(deleteBeforeReplace ?? false);
  request.setIgnorechangesList(options.getIgnoreChangesList());
  request.setReplaceonchangesList(options.getReplaceOnChangesList());
  request.setAdditionalsecretoutputsList(options.getAdditionalSecretOutputsList());
  request.setAliasesList(options.getAliasesList());
  request.setProvider(options.getProvider());
  request.setVersion(options.getVersion());
  request.setPlugindownloadurl(options.getPluginDownloadUrl());
  request.setDeletedwith(options.getDeletedWith());
  request.setReplaceWithList(options.getReplaceWithList());
  request.setImportid(options.getImport());
  request.setCustomtimeouts(options.getCustomTimeouts());
  request.setHooks(options.getHooks());
}
