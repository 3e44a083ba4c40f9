import { isSuperseded, walGeneration, walGenerationsKept } from "./comparison";
import { LocalFile, StoredObject, WalFile } from "./ports";
import { Monotonic } from "./view";

type WalLength = Pick<WalFile, "generation" | "bytes">;

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
 *
 * And what this primary's own engine had sent earlier, and the bucket carries out after a later upload of the same WAL: a follower passes over the rows that it cuts off.
 */
export class LateUploads {
  /** Lengths of the WAL objects of earlier epochs, as they were when the last primary's last writes were waited for. */
  private sealed = new Map<number, number>();
  /** Generations of this primary's that are not on its disk any more. */
  private own = new Set<number>();
  /** This primary's generations are as long as this at least. Bytes. */
  private lengths = new Map<number, number>();
  private foundAt: Monotonic | undefined;
  private engineEpoch: number | undefined;

  /**
   * This node was promoted.
   * @param before undefined on the last primary's own volume, which goes on with what it knew
   */
  begin(before: BeforePromotion | undefined): void {
    if (before === undefined) return;
    this.engineEpoch = before.engineEpoch;
    this.foundAt = undefined;
    this.sealed = new Map();
    this.own = new Set();
    this.lengths = new Map();
    for (const { key, size } of before.stored) {
      const generation = walGeneration(key);
      if (generation !== undefined) this.sealed.set(generation, size);
    }
  }

  /** Generations whose objects have grown or come since, and are not on this node's disk. They may still be its own, as {@link isLate} knows. */
  suspects(stored: StoredObject[], files: LocalFile[]): number[] {
    if (this.engineEpoch === undefined) return [];
    return inBucketOnly(stored, files)
      .filter(({ generation, bytes }) => !this.own.has(generation) && bytes > (this.sealed.get(generation) ?? 0))
      .map(({ generation }) => generation);
  }

  /** Whether an object with this epoch is an earlier primary's. */
  isLate(generation: number, epoch: number): boolean {
    const isEarlier = isSuperseded(epoch, this.engineEpoch ?? 0);
    if (!isEarlier) this.own.add(generation);
    return isEarlier;
  }

  removed(generation: number, now: Monotonic): void {
    this.sealed.set(generation, 0);
    this.foundAt = now;
  }

  /** A WAL of this node's was seen to be so long. */
  grew({ generation, bytes }: WalLength): void {
    this.lengths.set(generation, bytes);
    for (const earlier of this.lengths.keys())
      if (earlier <= generation - walGenerationsKept) this.lengths.delete(earlier);
  }

  /** This primary's generations that are shorter in the bucket than they were, and are not on its disk any more, so that nobody sends them again. Their rows are in SSTables. Each is answered once. */
  cutShort(stored: StoredObject[], files: LocalFile[], now: Monotonic): number[] {
    const generations = inBucketOnly(stored, files)
      .filter(({ generation, bytes }) => bytes < (this.lengths.get(generation) ?? 0))
      .map(({ generation }) => generation);
    for (const generation of generations) this.lengths.delete(generation);
    if (generations.length > 0) this.foundAt = now;
    return generations;
  }

  /** Since the last one was removed, or found to be cut short; undefined: there was none in this epoch. Milliseconds. */
  age(now: Monotonic): number | undefined {
    return this.foundAt === undefined ? undefined : now - this.foundAt;
  }
}

/** The WALs that are in the bucket, and not on this node's disk any more. */
function inBucketOnly(stored: StoredObject[], files: LocalFile[]): WalLength[] {
  const local = new Set(files.map(({ name }) => name));
  return stored.flatMap(({ key, size }) => {
    const generation = walGeneration(key);
    return generation === undefined || local.has(key) ? [] : [{ generation, bytes: size }];
  });
}
