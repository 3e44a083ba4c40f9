import { Log, Store, StoredObject } from "./ports";

/** The folder of the engine's own table of table definitions, below the deployment's prefix. */
export const definitionsFolder = "data/__tidesql_schema/";

/** A copy to be made in the bucket. */
export interface ObjectCopy {
  from: string;
  to: string;
}

/**
 * The table of definitions is merged after every fourth flush that changed it, whatever the settings, into files whose names carry a partition (`L1P0_7.klog`). Its manifest does not, so
 * nodes that load it from the bucket look for `L1_7.klog`, find nothing, and know no table. A copy under the name that they look for is what they need.
 */
export function missingCopies(objects: StoredObject[]): ObjectCopy[] {
  const present = new Set(objects.map(object => object.key));
  // Values first: a node that finds the keys looks for the values at once.
  const valuesFirst = [...objects].sort((a, b) => Number(b.key.endsWith(".vlog")) - Number(a.key.endsWith(".vlog")));
  return valuesFirst.flatMap(({ key }) => {
    const match = /^(.+\/L\d+)P\d+(_\d+\.[kv]log)$/.exec(key);
    if (!match) return [];
    const to = `${match[1]}${match[2]}`;
    return present.has(to) ? [] : [{ from: key, to }];
  });
}

/** Makes the copies that are missing. Any node may: they are of files that never change. */
export async function copyDefinitions(store: Store, log: Log, timeoutMilliseconds: number): Promise<void> {
  for (const { from, to } of missingCopies(await store.list(timeoutMilliseconds, definitionsFolder))) {
    await store.copy(from, to, timeoutMilliseconds);
    log("info", "copied table definitions under the name that other nodes look for", { from, to });
  }
}
