import type { PlannedRecord, PlannedValue } from "./values";

/** What a Pulumi program would create, as `pulumi preview` on an empty stack would see it. */
export interface Plan {
  project: string;
  stack: string;
  /** Every resource in the order of registration: each one after all that it waits for. The first is the stack itself. */
  resources: PlannedResource[];
  /** The stack's outputs, secrets still wrapped. */
  outputs: PlannedRecord;
  /** What the program logged or printed, and what the planner has to say of it. No message holds a secret. */
  diagnostics: Diagnostic[];
  /** What the program makes and this plan does not see: components of other plugins, charts that the cluster renders. */
  unseen: UnseenPart[];
  /** Takes every secret that this plan has met out of a text. Anything that is shown goes through it. */
  redact: (text: string) => string;
  /** From the first to the last instruction of the program, its imports included. Milliseconds. */
  elapsedMilliseconds: number;
}

/** A part of a program whose resources a plan cannot tell. */
export interface UnseenPart {
  urn: string;
  name: string;
  type: string;
  /** Why not, as the end of a sentence. */
  reason: string;
}

/** A line of a file. */
export interface SourcePlace {
  /** As the program names it, or relative to its folder. */
  file: string;
  /** From 1. */
  line: number;
}

/** One registered resource. URNs are the ones that `pulumi up` would give. */
export interface PlannedResource {
  urn: string;
  /** Type token: `aws:eks/cluster:Cluster`, `kubernetes:apps/v1:StatefulSet`, `tidesql:index:Database`. */
  type: string;
  /** The Pulumi name; the name in the cloud is an input, if any. */
  name: string;
  /** URN of the parent; undefined for the stack alone. */
  parent?: string;
  /** URNs of all resources that this one waits for by `dependsOn` or through an input. A component among them is replaced by its children. */
  dependencies: string[];
  /** The part of `dependencies` that comes from inputs, by input. */
  propertyDependencies: Record<string, string[]>;
  /** URN of the provider given explicitly. Undefined: the package's default provider. */
  provider?: string;
  /** URNs of the providers that a component passes to its children, by package. */
  providers: Record<string, string>;
  inputs: PlannedRecord;
  /**
   * What the program sees: the inputs, and what a provider computes without a cloud (passwords, keys, certificates). Everything else is unknown. For a component
   * what it gave to `registerOutputs`.
   */
  outputs: PlannedRecord;
  /** False for components, and for the stack. */
  custom: boolean;
  /** True for a component that another program implements: its children are not in the plan. */
  remote: boolean;
  options: PlannedOptions;
  /** Where a value of it is written, by its keys from the top of the inputs: in a manifest, or where the program makes the resource. */
  placeOf?: (keys: readonly (string | number)[]) => SourcePlace | undefined;
}

/** The resource options that change what an update does. */
export interface PlannedOptions {
  protect: boolean;
  retainOnDelete: boolean;
  /** URNs, or the parts of a former identity that differ. */
  aliases: (string | FormerIdentity)[];
  ignoreChanges: string[];
  replaceOnChanges: string[];
  additionalSecretOutputs: string[];
  deleteBeforeReplace?: boolean;
  /** URN of the resource whose deletion deletes this one too. */
  deletedWith?: string;
  /** URNs of the resources whose replacement replaces this one too. */
  replaceWith: string[];
  /** Id of the existing resource to take over. */
  import?: string;
  /** Such as `30m`. */
  customTimeouts: { create?: string; update?: string; delete?: string };
  /** Version of the provider's plugin. */
  version?: string;
}

export interface FormerIdentity {
  name?: string;
  type?: string;
  stack?: string;
  project?: string;
  parentUrn?: string;
  noParent?: boolean;
}

export interface Diagnostic {
  severity: "info" | "warning" | "error";
  message: string;
}

/** The value at a dotted path of a record, or undefined: `valueAt(inputs, "metadata", "name")`. */
export function valueAt(record: PlannedRecord, ...keys: string[]): PlannedValue | undefined {
  let value: PlannedValue | undefined = record;
  for (const key of keys) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    value = Object.hasOwn(value, key) ? (value as PlannedRecord)[key] : undefined;
  }
  return value;
}
