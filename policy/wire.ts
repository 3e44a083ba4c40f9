import * as pulumi from "@pulumi/pulumi";
import { Secret } from "@pulumi/policy";
import { type Repair } from "./check";
import { childPath, isRecord, notYetKnown } from "./model/resource";

/** Deeper than any manifest; what lies below is not yet known. */
const maximumDepth = 100;

/** Under this key the policy SDK's proxies give what they stand for: the inputs with `Secret` objects in them (@pulumi/policy, proxy.ts). */
const behindProxy = "__getSpecialProxyTarget";

/**
 * The inputs that Pulumi hands to a policy, as plain values. Its proxy throws when an unknown value is read: that value becomes `notYetKnown`, and the others are read
 * all the same.
 */
export function inputsOf(props: unknown, depth = 0): unknown {
  if (typeof props !== "object" || props === null) return props;
  if (depth > maximumDepth) return notYetKnown;
  if (Array.isArray(props)) return Array.from({ length: props.length }, (_, index) => inputAt(props, index, depth));
  return Object.fromEntries(Object.keys(props).map(key => [key, inputAt(props, key, depth)]));
}

function inputAt(parent: object, key: string | number, depth: number): unknown {
  try {
    return inputsOf((parent as Record<string | number, unknown>)[key], depth + 1);
  } catch {
    return notYetKnown;
  }
}

/** The paths of the inputs that are secrets, as a remediation sees them. */
export function secretPathsOf(props: Record<string, unknown>): string[] {
  const paths: string[] = [];
  collect(unproxied(props), "", paths, 0);
  return paths;
}

function collect(value: unknown, path: string, paths: string[], depth: number): void {
  if (value instanceof Secret) paths.push(path);
  else if (depth > maximumDepth || typeof value !== "object" || value === null) return;
  else if (Array.isArray(value)) value.forEach((item, index) => collect(item, `${path}[${index}]`, paths, depth + 1));
  else for (const [key, child] of Object.entries(value)) collect(child, childPath(path, key), paths, depth + 1);
}

function unproxied(props: unknown): unknown {
  const inner = (props as Record<string, unknown>)[behindProxy];
  return typeof inner === "object" && inner !== null ? unproxied(inner) : props;
}

/**
 * The inputs with repairs made to them, for a remediation to return. Undefined where there is nothing to repair, and where the inputs hold assets: the SDK does not
 * send those back whole.
 */
export function repaired(
  props: Record<string, unknown>,
  repairs: readonly Repair[],
): Record<string, unknown> | undefined {
  const inputs = unproxied(props);
  if (repairs.length === 0 || !isRecord(inputs) || holdsAsset(inputs, 0)) return undefined;
  for (const repair of repairs) apply(inputs, repair);
  return props;
}

function apply(inputs: Record<string, unknown>, { path, value, secret }: Repair): void {
  let parent = inputs as Record<string | number, unknown>;
  for (const key of path.slice(0, -1)) {
    const child = parent[key];
    if (typeof child !== "object" || child === null) parent[key] = {};
    const next = parent[key];
    parent = (next instanceof Secret ? next.value : next) as Record<string | number, unknown>;
  }
  const last = path.at(-1)!;
  const present = parent[last];
  const repairedValue =
    value === undefined ? (present instanceof Secret ? (present.value as unknown) : present) : value;
  parent[last] = secret || present instanceof Secret ? new Secret(repairedValue) : repairedValue;
}

function holdsAsset(value: unknown, depth: number): boolean {
  if (value instanceof Secret) return holdsAsset(value.value, depth + 1);
  if (typeof value !== "object" || value === null || depth > maximumDepth) return false;
  if (pulumi.asset.Asset.isInstance(value) || pulumi.asset.Archive.isInstance(value)) return true;
  return Object.values(value).some(child => holdsAsset(child, depth + 1));
}
