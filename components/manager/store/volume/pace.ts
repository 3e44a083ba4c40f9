import { StoreClock } from "../bucket/bucket";

/** What is done at a time: a few milliseconds. */
const itemsAtOnce = 1000;

/** Long work that waits for nothing, a piece at a time, so that the manager does everything else between the pieces. */
export class Pace {
  private done = 0;

  constructor(private readonly clock: Pick<StoreClock, "sleep">) {}

  /** Those of which something is true. */
  async those<Item>(items: Iterable<Item>, isOne: (item: Item) => boolean): Promise<Item[]> {
    const found: Item[] = [];
    for (const item of items) {
      if (++this.done % itemsAtOnce === 0) await this.clock.sleep(0);
      if (isOne(item)) found.push(item);
    }
    return found;
  }
}
