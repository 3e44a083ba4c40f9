import type { Creation, LocalProvider } from "./localProvider";
import type { PlannedResource } from "./plan";
import { createRandom } from "./randomProvider";
import { createTls } from "./tlsProvider";
import { fromWire, isPlainRecord, revealed, toWire, unknownPaths } from "./values";

/** Passwords, keys and certificates that were made, by URN, so that a later plan can use them again. As JSON; it holds secrets in clear. */
export type MadeValues = Record<string, { inputs: unknown; id: string; outputs: Record<string, unknown> }>;

const providers: Record<string, LocalProvider> = { random: createRandom, tls: createTls };

/**
 * What the providers `random` and `tls` would make, made here: they need no cloud, and a plan whose Secrets are to be applied needs real passwords, keys and
 * certificates. Undefined for every other type, and while an input is unknown.
 *
 * A value that `made` holds for the same resource with the same inputs is used again; a new one is added to it.
 */
export function createLocally(resource: PlannedResource, made: MadeValues): Creation | undefined {
  const provider = providers[resource.type.split(":")[0] ?? ""];
  if (!provider || unknownPaths(resource.inputs).length > 0) return undefined;
  const inputs = revealed(resource.inputs) as Record<string, unknown>;
  const before = made[resource.urn];
  const plainInputs = JSON.stringify(inputs);
  if (before && JSON.stringify(before.inputs) === plainInputs) {
    const outputs = fromWire(before.outputs);
    return { id: before.id, outputs: isPlainRecord(outputs) ? outputs : {} };
  }
  const creation = provider(resource.type, inputs);
  if (creation) {
    const outputs = toWire(creation.outputs) as Record<string, unknown>;
    made[resource.urn] = { inputs: JSON.parse(plainInputs) as unknown, id: creation.id, outputs };
  }
  return creation;
}
