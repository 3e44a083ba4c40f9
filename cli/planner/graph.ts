import { longestChain } from "../../components/core/planning/criticalPath";
import { creationMinutes } from "../../components/core/planning/creationTimes";
import type { DescribedResource } from "../../components/core/planning/describedResource";
import type { Plan, PlannedResource } from "./plan";
import { isPlainRecord, type PlannedRecord, type PlannedValue } from "./values";

/** The resource as the pure calculations see it: without secrets and without what only the update will know. */
export function describe({ urn, type, name, inputs, dependencies }: PlannedResource): DescribedResource {
  return { urn, type, name, dependencies, inputs: plainPart(inputs) };
}

/**
 * URNs of everything that must exist before the SDK even asks for a resource: what its inputs and `dependsOn` name, its providers, and its parent. A component
 * takes no time itself, but its children wait for whatever it was given.
 */
export function waitsFor(resource: PlannedResource): string[] {
  const { dependencies, parent, provider, providers, options } = resource;
  const others = [parent, provider, ...Object.values(providers), options.deletedWith, ...options.replaceWith];
  return [...new Set([...dependencies, ...others.filter(urn => urn !== undefined)])];
}

/** One resource of the chain that decides how long `pulumi up` takes. */
export interface PathStep {
  resource: PlannedResource;
  /** Expected minutes; undefined for what takes seconds and is not counted. */
  minutes: number | undefined;
}

/** The chain of creations that decides how long the first update takes, from the figures in `creationTimes.ts`. */
export function criticalPath(plan: Plan): { steps: PathStep[]; minutes: number } {
  const byUrn = new Map(plan.resources.map(resource => [resource.urn, resource]));
  const minutesOf = new Map(plan.resources.map(resource => [resource.urn, creationMinutes(describe(resource))]));
  const { steps, minutes } = longestChain(
    plan.resources.map(resource => ({
      id: resource.urn,
      minutes: minutesOf.get(resource.urn) ?? 0,
      waitsFor: waitsFor(resource),
    })),
  );
  return { minutes, steps: steps.map(({ id }) => ({ resource: byUrn.get(id)!, minutes: minutesOf.get(id) })) };
}

function plainPart(record: PlannedRecord): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(record).flatMap(([key, value]) => {
      const plain = plainValue(value);
      return plain === undefined ? [] : [[key, plain]];
    }),
  );
}

function plainValue(value: PlannedValue): unknown {
  if (Array.isArray(value)) return value.map(plainValue);
  if (isPlainRecord(value)) return plainPart(value);
  return typeof value === "object" ? undefined : value;
}
