import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { Alias } from "@pulumi/pulumi/proto/alias_pb";
import type { RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb";
import type { FormerIdentity, PlannedOptions, PlannedResource, SourcePlace } from "./plan";
import { isOfProgram } from "./stackTraces";
import type { PlannedRecord } from "./values";

/** The type of the root of every program's tree. */
export const stackType = "pulumi:pulumi:Stack";

/** The type as it stands in a URN: below a component it starts with the types of its ancestors, the stack left out. */
export function qualifiedTypeOf(type: string, parentUrn: string): string {
  const parentType = parentUrn.split("::")[2] ?? stackType;
  return parentType === stackType ? type : `${parentType}$${type}`;
}

/** A provider is passed as `<urn>::<id>`; the id is not known in a plan. */
export function withoutProviderId(reference: string): string {
  return reference.split("::").slice(0, 4).join("::");
}

/** The options of a registration that change what an update does. */
export function optionsOf(request: RegisterResourceRequest): PlannedOptions {
  const timeouts = request.getCustomtimeouts();
  return {
    protect: request.getProtect() ?? false,
    retainOnDelete: request.getRetainondelete() ?? false,
    aliases: [...request.getAliasurnsList(), ...request.getAliasesList().map(formerIdentity)],
    ignoreChanges: request.getIgnorechangesList(),
    replaceOnChanges: request.getReplaceonchangesList(),
    additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
    deleteBeforeReplace: request.getDeletebeforereplacedefined() ? request.getDeletebeforereplace() : undefined,
    deletedWith: request.getDeletedwith() || undefined,
    replaceWith: request.getReplaceWithList(),
    import: request.getImportid() || undefined,
    customTimeouts: {
      create: timeouts?.getCreate() || undefined,
      update: timeouts?.getUpdate() || undefined,
      delete: timeouts?.getDelete() || undefined,
    },
    version: request.getVersion() || undefined,
  };
}

function formerIdentity(alias: Alias): string | FormerIdentity {
  const spec = alias.getSpec();
  if (!spec) return alias.getUrn();
  return {
    name: spec.getName() || undefined,
    type: spec.getType() || undefined,
    stack: spec.getStack() || undefined,
    project: spec.getProject() || undefined,
    parentUrn: spec.getParenturn() || undefined,
    noParent: spec.getNoparent() || undefined,
  };
}

/**
 * The resource that a request registers, without outputs.
 * @param inputs those of the request, read
 */
export function plannedResource(urn: string, request: RegisterResourceRequest, inputs: PlannedRecord): PlannedResource {
  const propertyDependencies = [...request.getPropertydependenciesMap().entries()] as [
    string,
    RegisterResourceRequest.PropertyDependencies,
  ][];
  const providers = [...request.getProvidersMap().entries()] as [string, string][];
  return {
    urn,
    type: request.getType(),
    name: request.getName(),
    parent: request.getParent() || undefined,
    dependencies: request.getDependenciesList(),
    propertyDependencies: Object.fromEntries(propertyDependencies.map(([key, value]) => [key, value.getUrnsList()])),
    provider: withoutProviderId(request.getProvider()) || undefined,
    providers: Object.fromEntries(providers.map(([name, reference]) => [name, withoutProviderId(reference)])),
    inputs,
    outputs: {},
    custom: request.getCustom(),
    remote: request.getRemote(),
    options: optionsOf(request),
    ...sourceOf(request),
  };
}

/** Where the program makes a resource, relative to its folder, as the SDK says: the last call that is the program's own. */
function sourceOf(request: RegisterResourceRequest): Pick<PlannedResource, "placeOf"> {
  for (const frame of request.getStacktrace()?.getFramesList() ?? []) {
    const position = frame.getPc();
    const uri = position?.getUri() ?? "";
    if (!position || !uri.startsWith("file:")) continue;
    const path = fileURLToPath(uri);
    if (!isOfProgram(path)) continue;
    const place: SourcePlace = { file: relative(process.cwd(), path), line: position.getLine() };
    return { placeOf: () => place };
  }
  return {};
}
