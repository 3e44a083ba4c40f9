import type { Alias } from "@pulumi/pulumi/proto/alias_pb";
import type { RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb";
import type { FormerIdentity, PlannedOptions } from "./plan";

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
