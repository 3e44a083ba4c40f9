import { sqlErrors } from "../sqlError";

/** Whoever holds a lock: a transaction. */
export type Owner = object;

/** One writer at a time in each table, to the end of its transaction: coarser than the engine's row locks, and never less safe. */
export class TableLocks {
  private readonly held = new Map<string, { owner: Owner; waiting: (() => void)[] }>();

  /** @throws SqlError after the timeout */
  async acquire(table: string, owner: Owner, timeoutMilliseconds: number): Promise<void> {
    const until = performance.now() + timeoutMilliseconds;
    for (let lock = this.held.get(table); lock && lock.owner !== owner; lock = this.held.get(table)) {
      const { waiting } = lock;
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(sqlErrors.lockWaitTimeout()), Math.max(0, until - performance.now()));
        waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    if (!this.held.has(table)) this.held.set(table, { owner, waiting: [] });
  }

  release(owner: Owner): void {
    for (const [table, lock] of this.held) {
      if (lock.owner !== owner) continue;
      this.held.delete(table);
      for (const resume of lock.waiting) resume();
    }
  }
}

/** Lets transactions write, and makes them wait while `SET GLOBAL read_only` wants them all to have ended. */
export class WriteGate {
  private readonly inside = new Set<Owner>();
  private closing = 0;
  private waiting: (() => void)[] = [];

  async enter(owner: Owner): Promise<void> {
    while (this.closing > 0 && !this.inside.has(owner)) await this.change();
    this.inside.add(owner);
  }

  leave(owner: Owner): void {
    if (this.inside.delete(owner)) this.wake();
  }

  /** Runs the change when nobody is inside. @param abandoned true: whoever asked is gone */
  async close(change: () => void, abandoned: () => boolean): Promise<void> {
    this.closing++;
    try {
      while (this.inside.size > 0 && !abandoned()) await this.change();
      if (!abandoned()) change();
    } finally {
      this.closing--;
      this.wake();
    }
  }

  /** Has everyone look again: after a session's end, for example. */
  wake(): void {
    for (const resume of this.waiting.splice(0)) resume();
  }

  private change(): Promise<void> {
    return new Promise(resolve => this.waiting.push(resolve));
  }
}
