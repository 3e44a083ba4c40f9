/** Something that happens at a moment of virtual time. Cancelled by setting `run` to undefined. */
export interface Event {
  at: number;
  order: number;
  run: (() => void) | undefined;
}

/** Virtual time in milliseconds: it stands still while code runs, and jumps to the next event. Events of one moment happen in the order in which they were made. */
export class VirtualTime {
  now = 0;
  private order = 0;
  private readonly heap: Event[] = [];

  after(milliseconds: number, run: () => void): Event {
    const event: Event = { at: this.now + Math.max(0, milliseconds), order: this.order++, run };
    this.push(event);
    return event;
  }

  /**
   * Runs everything up to `until`, and lets every promise that an event settles run to its next wait before the next event. Node does the waiting: a tick
   * begins only when no promise reaction is left, and the reaction that asks for the next tick stands behind the first of the event's own. That is ten times
   * cheaper than a turn of the event loop.
   */
  runUntil(until: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const next = () => {
        for (let event = this.heap[0]; event !== undefined && event.at <= until; event = this.heap[0]) {
          this.pop();
          if (!event.run) continue;
          this.now = event.at;
          try {
            event.run();
          } catch (error) {
            return reject(error instanceof Error ? error : new Error(String(error)));
          }
          return queueMicrotask(askForTick);
        }
        this.now = until;
        resolve();
      };
      const askForTick = () => process.nextTick(next);
      queueMicrotask(askForTick);
    });
  }

  private push(event: Event): void {
    const { heap } = this;
    let i = heap.push(event) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!before(event, heap[parent]!)) break;
      heap[i] = heap[parent]!;
      i = parent;
    }
    heap[i] = event;
  }

  private pop(): void {
    const { heap } = this;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, last)) break;
      heap[i] = heap[child]!;
      i = child;
    }
    heap[i] = last;
  }
}

function before(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
