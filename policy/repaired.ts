import { type Repair } from "./check";
import { inSecret, isRecord, secretValue } from "./model/resource";

/**
 * The inputs of a resource with repairs made to them, as they stand on Pulumi's wire: what was a secret stays one, and what is not yet known stays so.
 * The given inputs are left as they are. Undefined where there is nothing to repair.
 */
export function repaired(inputs: unknown, repairs: readonly Repair[]): Record<string, unknown> | undefined {
  if (repairs.length === 0 || !isRecord(inputs)) return undefined;
  const copy = structuredClone(inputs);
  for (const repair of repairs) apply(copy, repair);
  return copy;
}

function apply(inputs: Record<string, unknown>, { path, value, secret }: Repair): void {
  let parent = inputs as Record<string | number, unknown>;
  for (const key of path.slice(0, -1)) {
    const child = secretValue(parent[key]) ?? parent[key];
    if (typeof child === "object" && child !== null) parent = child as Record<string | number, unknown>;
    else parent = parent[key] = {};
  }
  const last = path.at(-1)!;
  const present = secretValue(parent[last]);
  const result = value === undefined ? (present ?? parent[last]) : value;
  parent[last] = secret || present !== undefined ? inSecret(result) : result;
}
