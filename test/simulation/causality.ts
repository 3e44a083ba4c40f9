import type { EngineModel, WrittenBlock } from "./engine";

/** What a client has seen of one engine, from its start to its end. */
interface Seen {
  /** In the order of their acknowledgements. */
  acknowledged: { block: WrittenBlock; at: number }[];
  /** Of those, how many from the first on are in the log. */
  logged: number;
}

/** Knows which commit can rest on which: one that was begun when another had been acknowledged can have read it. So it is never in the log without it, whoever has put it there. */
export class Causality {
  private readonly engines = new Map<EngineModel, Seen>();
  private readonly begun = new Map<string, { engine: EngineModel; at: number }>();

  /** An engine is about to write a commit's block. @param at when the commit was begun */
  began(engine: EngineModel, block: WrittenBlock, at: number): void {
    this.begun.set(nameOf(block), { engine, at });
  }

  /** The engine that a commit was begun on. */
  engineOf(block: WrittenBlock): EngineModel | undefined {
    return this.begun.get(nameOf(block))?.engine;
  }

  acknowledged(engine: EngineModel, block: WrittenBlock, at: number): void {
    this.seenOf(engine).acknowledged.push({ block, at });
  }

  /** Blocks are in the log now. @param has whether one is @returns what is wrong with that; undefined: nothing */
  logged(blocks: WrittenBlock[], has: (block: WrittenBlock) => boolean): string | undefined {
    for (const { sequence, hash } of blocks) {
      const commit = this.begun.get(nameOf({ sequence, hash }));
      if (!commit) continue;
      const oldest = this.oldestMissing(commit.engine, has);
      if (oldest && oldest.at < commit.at)
        return `commit ${sequence}, and not ${oldest.block.sequence}, which was acknowledged ${Math.round(commit.at - oldest.at)} ms before that was begun`;
    }
    return undefined;
  }

  /** The acknowledgement that has waited longest for the log. */
  oldestMissing(
    engine: EngineModel,
    has: (block: WrittenBlock) => boolean,
  ): { block: WrittenBlock; at: number } | undefined {
    const seen = this.seenOf(engine);
    while (seen.logged < seen.acknowledged.length && has(seen.acknowledged[seen.logged]!.block)) seen.logged++;
    return seen.acknowledged[seen.logged];
  }

  private seenOf(engine: EngineModel): Seen {
    const seen = this.engines.get(engine) ?? { acknowledged: [], logged: 0 };
    this.engines.set(engine, seen);
    return seen;
  }
}

function nameOf({ sequence, hash }: WrittenBlock): string {
  return `${sequence}.${hash}`;
}
