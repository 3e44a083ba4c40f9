import { longestChain } from "../../components/core/planning/criticalPath";
import { creationMinutes, isImageBuild } from "../../components/core/planning/creationTimes";
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

/** What of a plan takes how long, one creation after another. */
export interface CriticalPath {
  steps: PathStep[];
  minutes: number;
  /** The same without building an image, where the chain does: what an image by digest makes of it. */
  minutesWithoutImage?: number;
}

/** The chain of creations that decides how long the first update takes, from the figures in `creationTimes.ts`. */
export function criticalPath(plan: Plan): CriticalPath {
  const described = plan.resources.map(resource => ({ resource, description: describe(resource) }));
  const chain = (minutesOf: (description: DescribedResource) => number | undefined) => {
    const works = described.map(({ resource, description }) => {
      return { id: resource.urn, minutes: minutesOf(description) ?? 0, waitsFor: waitsFor(resource) };
    });
    return longestChain(works);
  };
  const { steps, minutes } = chain(creationMinutes);
  const byUrn = new Map(described.map(item => [item.resource.urn, item]));
  const onPath = steps.map(({ id }) => byUrn.get(id)!);
  const buildsImage = onPath.some(({ description }) => isImageBuild(description));
  return {
    minutes,
    steps: onPath.map(({ resource, description }) => ({ resource, minutes: creationMinutes(description) })),
    minutesWithoutImage: buildsImage
      ? chain(description => (isImageBuild(description) ? 0 : creationMinutes(description))).minutes
      : undefined,
  };
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
