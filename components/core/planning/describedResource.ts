/** A resource of a plan as far as its price and its creation time depend on it. */
export interface DescribedResource {
  /** Unique in its plan. */
  urn: string;
  /** Type token: `aws:eks/nodeGroup:NodeGroup`. */
  type: string;
  name: string;
  /** Plain inputs; secrets and what is not known before the update are left out. */
  inputs: Readonly<Record<string, unknown>>;
  /** URNs of the resources that its inputs refer to. */
  dependencies: readonly string[];
}

/** The value at a path of a resource's inputs: `inputAt(resource, "scalingConfig", "desiredSize")`. A list stands for its first item. */
export function inputAt(resource: DescribedResource, ...path: string[]): unknown {
  let value: unknown = resource.inputs;
  for (const key of path) {
    const record: unknown = Array.isArray(value) ? value[0] : value;
    if (typeof record !== "object" || record === null || !Object.hasOwn(record, key)) return undefined;
    value = (record as Record<string, unknown>)[key];
  }
  return value;
}

/** The same as a number; text that holds one counts, as in the parameters of a storage class. */
export function numberAt(resource: DescribedResource, ...path: string[]): number | undefined {
  const value = inputAt(resource, ...path);
  if (typeof value === "number") return value;
  return typeof value === "string" && value.trim() !== "" && !Number.isNaN(Number(value)) ? Number(value) : undefined;
}

/** The same as text. */
export function textAt(resource: DescribedResource, ...path: string[]): string | undefined {
  const value = inputAt(resource, ...path);
  return typeof value === "string" ? value : undefined;
}
