import { engineFolder } from "./comparison";
import { plainName } from "./inventory";
import { text } from "./lanes";
import { Log, Ports, Store, StoredObject } from "./ports";

/** The folder of the engine's own table of table definitions, on the volume and, below {@link engineFolder}, in the bucket. */
export const definitionsTable = "__tidesql_schema";
export const definitionsFolder = `${engineFolder}${definitionsTable}/`;

const sendTimeout = 1500;

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
  const sizes = new Map(objects.map(({ key, size }) => [key, size]));
  // Values first: a node that finds the keys looks for the values at once.
  const valuesFirst = [...objects].sort((a, b) => Number(b.key.endsWith(".vlog")) - Number(a.key.endsWith(".vlog")));
  return valuesFirst.flatMap(({ key, size }) => {
    const to = plainName(key);
    // One that was sent while it was written may not be whole.
    return to === key || sizes.get(to) === size ? [] : [{ from: key, to }];
  });
}

/** Makes the copies that are missing. Any node may: they are of files that never change. */
export async function copyDefinitions(store: Store, log: Log, timeoutMilliseconds: number): Promise<void> {
  for (const { from, to } of missingCopies(await store.list(timeoutMilliseconds, definitionsFolder))) {
    await store.copy(from, to, timeoutMilliseconds);
    log("info", "copied table definitions under the name that other nodes look for", { from, to });
  }
}

/**
 * Sends each merged file of the table of definitions under the name that other nodes look for, as it is written on the volume. The engine sends it itself first, and only then the manifest that names it: by that time followers find it.
 */
export class MergedDefinitions {
  private end: (() => void) | undefined;
  /** What is being sent, and whether it was written again meanwhile. */
  private readonly sending = new Map<string, boolean>();

  constructor(private readonly ports: Pick<Ports, "store" | "volume" | "log">) {}

  /** From now on, if the engine has such a table already. */
  begin(): void {
    this.end ??= this.ports.volume.watchDefinitions(name => this.written(name));
  }

  stop(): void {
    this.end?.();
    this.end = undefined;
  }

  private written(name: string): void {
    if (plainName(name) === name) return;
    const isOnItsWay = this.sending.has(name);
    this.sending.set(name, isOnItsWay);
    if (isOnItsWay) return;
    this.send(name)
      // The copies that are made from time to time do it instead.
      .catch((error: unknown) => this.ports.log("info", "a merged file was not sent", { name, error: text(error) }))
      .finally(() => this.sending.delete(name));
  }

  private async send(name: string): Promise<void> {
    do {
      this.sending.set(name, false);
      const content = await this.ports.volume.readFile(name);
      if (content === undefined || content.length === 0) continue;
      await this.ports.store.put(engineFolder + plainName(name), content, {}, sendTimeout);
    } while (this.sending.get(name));
  }
}
