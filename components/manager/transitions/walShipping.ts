import { text } from "../base/lanes";
import { Writing } from "../store/writing";
import { EngineKeeper } from "./engineKeeper";
import { NodePorts } from "./nodePorts";

/** The WAL is looked at this often while it grows, so that what is new is on its way at once. Milliseconds. */
const lookEvery = 25;
/** After so many looks that found nothing the next one comes when the engine's folder is written to. */
const quietLooks = 4;
/** After a call for nothing it is so many more. */
const looksAmidNoise = 40;
/** Or after so long: not every file system tells. Milliseconds. */
const quietLookEvery = 250;
/** So long after it was shipped it is shipped again: each entry is a request that is paid for, and the other nodes have been told of what it brings. Milliseconds. */
export const shipEvery = 500;
/** Or as soon as so many bytes wait: followers show what is in the log, and a busy primary's pay for the request. */
export const shipAtBytes = 1024 * 1024;

/**
 * Ships the WAL where nobody waits for that: what the engine acknowledges is on its disk. It goes into the log at once after a pause, and in portions under load; all the while the other nodes are told of what is
 * new.
 */
export class WalShipping {
  /** Looks that found nothing, since something was found or may have been written. */
  private inVain = 0;
  /** That were found so far. */
  private commits = -1;
  private readonly alarm: WriteAlarm;

  constructor(
    private readonly options: {
      ports: Pick<NodePorts, "clock" | "files" | "log">;
      engine: Pick<EngineKeeper, "writing" | "view" | "kill">;
    },
  ) {
    this.alarm = new WriteAlarm(options.ports.files);
  }

  /** Ends with the engine. */
  async run(writing: Writing): Promise<void> {
    const { engine, ports } = this.options;
    try {
      for (;;) await this.shipOnce(writing);
    } catch (error) {
      // The engine's reader has ended with it.
      if (engine.writing !== writing || engine.view.state !== "running") return;
      ports.log("error", "the WAL could not be shipped", { error: text(error) });
      engine.kill("the WAL cannot be read");
    } finally {
      this.alarm.end();
    }
  }

  /** Ships, and pauses. */
  private async shipOnce(writing: Writing): Promise<void> {
    const { clock } = this.options.ports;
    const before = writing.log.position;
    let isShipped = false;
    const shipped = writing.handler.ship().then(() => (isShipped = true));
    // It is waited for below, and may fail while a peek is.
    shipped.catch(() => undefined);
    while (!isShipped) {
      await Promise.race([shipped, clock.sleep(lookEvery)]);
      if (!isShipped) await writing.peek();
    }
    this.looked(writing);
    // Then the next look is as soon as a peek would be.
    if (writing.log.position === before) return this.rest();
    const until = clock.now() + shipEvery;
    const mayWait = () => clock.now() < until && writing.shipper.heldBytes < shipAtBytes;
    while (mayWait()) {
      await this.rest(until - clock.now());
      if (!mayWait()) return;
      await writing.peek();
      this.looked(writing);
    }
  }

  private looked({ shipper }: Writing): void {
    if (shipper.commits === this.commits) {
      this.inVain++;
      return;
    }
    this.commits = shipper.commits;
    this.inVain = 0;
    this.alarm.end();
  }

  /** Until the next look: it is soon while there is something to see, and otherwise when there is. @param longest milliseconds */
  private async rest(longest = quietLookEvery): Promise<void> {
    const { clock } = this.options.ports;
    if (this.inVain < quietLooks) return clock.sleep(lookEvery);
    // What was written before it is set is for the next look.
    if (this.alarm.set()) return;
    await Promise.race([this.alarm.rings, clock.sleep(Math.min(longest, quietLookEvery))]);
    if (!this.alarm.hasRung) return;
    this.alarm.end();
    // Unless the next look finds something, other files are being written, and would ring all the time.
    this.inVain = -looksAmidNoise;
  }
}

/** Rings once something was written in the engine's data directory. */
class WriteAlarm {
  rings: Promise<void> | undefined;
  hasRung = false;
  private stop: () => void = () => undefined;

  constructor(private readonly files: Pick<NodePorts["files"], "onWrite">) {}

  /** @returns whether it was not set before */
  set(): boolean {
    if (this.rings) return false;
    this.hasRung = false;
    this.rings = new Promise(resolve => {
      this.stop = this.files.onWrite(() => {
        this.hasRung = true;
        resolve();
      });
    });
    return true;
  }

  end(): void {
    this.stop();
    this.stop = () => undefined;
    this.rings = undefined;
  }
}
