import { BackupStage, backupStages } from "../sql/ast";
import { sqlErrors } from "../sqlError";
import type { ClientSession } from "./clientSession";

/** What waits for a backup: changes of tables, databases and accounts, and commits. */
export type Change = "definition" | "commit";

/** The stage from which on each waits. */
const blockedFrom: Record<Change, BackupStage> = { definition: "BLOCK_DDL", commit: "BLOCK_COMMIT" };

/** The longest time that a timer takes. Milliseconds. */
const longestTimer = 2 ** 31 - 1;

/**
 * BACKUP STAGE: one session at a time leads the server through the stages of a backup. What the stage blocks waits, and goes on in its order when the backup ends or
 * its session does. Reads go on, and so do transactions up to their commit. Whoever holds the lock can write nothing.
 */
export class BackupLock {
  private holder: ClientSession | undefined;
  private stage: BackupStage = "END";
  private readonly underWay: Record<Change, number> = { definition: 0, commit: 0 };
  private waiting: (() => void)[] = [];

  /** Goes to a stage, through all those before it. @throws SqlError when it is not the session's turn, or what is under way does not end in time */
  async enter(session: ClientSession, stage: BackupStage): Promise<void> {
    // A request that was read before its connection ended: nobody would release the lock.
    if (session.isEnded) throw sqlErrors.connectionKilled();
    if (this.holder !== session) {
      if (stage !== "START") throw sqlErrors.backupNotRunning();
      return this.until(session, () => this.take(session));
    }
    const [present, wanted] = [backupStages.indexOf(this.stage), backupStages.indexOf(stage)];
    if (wanted <= present) throw sqlErrors.backupStagePassed(stage, this.stage);
    if (stage === "END") return this.release(session);
    for (const next of backupStages.slice(present + 1, wanted + 1)) await this.advance(session, next);
  }

  /** Makes a change as soon as no backup blocks it. @throws SqlError when the session's `lock_wait_timeout` is over or its connection gone: nothing was changed then */
  async pass<T>(change: Change, session: ClientSession, make: () => Promise<T>): Promise<T> {
    await this.until(session, () => !this.blocks(change) && ++this.underWay[change] > 0);
    try {
      return await make();
    } finally {
      this.underWay[change]--;
      this.wake();
    }
  }

  /** @throws SqlError for the session that holds the lock */
  refuseHolder(session: ClientSession): void {
    if (this.holder === session) throw sqlErrors.backupLockActive();
  }

  /** To be called when a session ends or is reset: the backup that it leads ends with it, and whatever it waits for is given up. */
  release(session: ClientSession): void {
    if (this.holder === session) this.holder = undefined;
    this.wake();
  }

  private take(session: ClientSession): boolean {
    if (this.holder) return false;
    this.holder = session;
    this.stage = "START";
    return true;
  }

  /** What comes from now on waits; what is under way ends first. */
  private async advance(session: ClientSession, stage: BackupStage): Promise<void> {
    const before = this.stage;
    this.stage = stage;
    const changes: Change[] = ["definition", "commit"];
    try {
      await this.until(session, () => changes.every(change => !this.blocks(change) || this.underWay[change] === 0));
    } catch (error) {
      if (this.holder === session) {
        this.stage = before;
        this.wake();
      }
      throw error;
    }
  }

  private blocks(change: Change): boolean {
    if (!this.holder) return false;
    return backupStages.indexOf(this.stage) >= backupStages.indexOf(blockedFrom[change]);
  }

  /** Attempts something after each change, until it succeeds. */
  private async until(session: ClientSession, attempt: () => boolean): Promise<void> {
    const end = performance.now() + 1000 * Number(session.variable("lock_wait_timeout"));
    while (!attempt()) {
      const left = end - performance.now();
      if (left <= 0) throw sqlErrors.lockWaitTimeout();
      await this.change(left);
      if (session.isEnded) throw sqlErrors.connectionKilled();
    }
  }

  private change(atMostMilliseconds: number): Promise<void> {
    return new Promise(resolve => {
      const timer = setTimeout(resolve, Math.min(atMostMilliseconds, longestTimer));
      this.waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  private wake(): void {
    for (const resume of this.waiting.splice(0)) resume();
  }
}
