import { walGeneration } from "./comparison";
import { LocalFile, StoredObject } from "./ports";
import { Monotonic } from "./view";

/**
 * What an earlier primary still sends after another was promoted: an upload that was under way when its node froze, or that the bucket has held up. It comes under the earlier generation's key and does
 * not touch the new primary's data. But a follower whose poll began before the promotion does not know yet that it is out of date: it takes the rows in it for true, and would bring them back as a primary.
 */
export class LateUploads {
  /** Lengths of the WAL objects of earlier epochs, as they were when the last primary's last writes were waited for. */
  private sealed = new Map<number, number>();
  private removedAt: Monotonic | undefined;

  /**
   * This node was promoted.
   * @param stored what the bucket held when that began; undefined on the last primary's own volume, which goes on with what it knew
   */
  begin(stored: StoredObject[] | undefined): void {
    if (stored === undefined) return;
    this.removedAt = undefined;
    this.sealed = new Map();
    for (const { key, size } of stored) {
      const generation = walGeneration(key);
      if (generation !== undefined) this.sealed.set(generation, size);
    }
  }

  /** Generations whose objects have grown since, and are not this node's own. All that counts of them is in SSTables. */
  find(stored: StoredObject[], files: LocalFile[]): number[] {
    const own = new Set(files.map(({ name }) => name));
    return stored.flatMap(({ key, size }) => {
      const generation = walGeneration(key);
      if (generation === undefined || own.has(key)) return [];
      return size > (this.sealed.get(generation) ?? Infinity) ? [generation] : [];
    });
  }

  removed(generation: number, now: Monotonic): void {
    this.sealed.set(generation, 0);
    this.removedAt = now;
  }

  /** Since the last one was removed; undefined: there was none in this epoch. Milliseconds. */
  age(now: Monotonic): number | undefined {
    return this.removedAt === undefined ? undefined : now - this.removedAt;
  }
}
