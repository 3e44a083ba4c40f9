import { isSuperseded, walGeneration } from "./comparison";
import { LocalFile, StoredObject } from "./ports";
import { Monotonic } from "./view";

/** What a promotion found. */
export interface BeforePromotion {
  /** The bucket's objects, when the last primary's last writes were waited for. */
  stored: StoredObject[];
  /** The engine's own, which this promotion has raised it to. */
  engineEpoch: number;
  /** How far this node had followed a primary that was lost; undefined: it had left in order. */
  sequence?: number;
}

/**
 * What an earlier primary still sends after another was promoted: an upload that was under way when its node froze, or that the bucket has held up. It comes under the earlier generation's key and does
 * not touch the new primary's data. But a follower whose poll began before the promotion does not know yet that it is out of date: it takes the rows in it for true, and would bring them back as a primary.
 */
export class LateUploads {
  /** Lengths of the WAL objects of earlier epochs, as they were when the last primary's last writes were waited for. */
  private sealed = new Map<number, number>();
  /** Generations of this primary's that are not on its disk any more. */
  private own = new Set<number>();
  private removedAt: Monotonic | undefined;
  private engineEpoch: number | undefined;

  /**
   * This node was promoted.
   * @param before undefined on the last primary's own volume, which goes on with what it knew
   */
  begin(before: BeforePromotion | undefined): void {
    if (before === undefined) return;
    this.engineEpoch = before.engineEpoch;
    this.removedAt = undefined;
    this.sealed = new Map();
    this.own = new Set();
    for (const { key, size } of before.stored) {
      const generation = walGeneration(key);
      if (generation !== undefined) this.sealed.set(generation, size);
    }
  }

  /** Generations whose objects have grown or come since, and are not on this node's disk. They may still be its own, as {@link isLate} knows. */
  suspects(stored: StoredObject[], files: LocalFile[]): number[] {
    if (this.engineEpoch === undefined) return [];
    const local = new Set(files.map(({ name }) => name));
    return stored.flatMap(({ key, size }) => {
      const generation = walGeneration(key);
      if (generation === undefined || local.has(key) || this.own.has(generation)) return [];
      return size > (this.sealed.get(generation) ?? 0) ? [generation] : [];
    });
  }

  /** Whether an object with this epoch is an earlier primary's. */
  isLate(generation: number, epoch: number): boolean {
    const isEarlier = isSuperseded(epoch, this.engineEpoch ?? 0);
    if (!isEarlier) this.own.add(generation);
    return isEarlier;
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
