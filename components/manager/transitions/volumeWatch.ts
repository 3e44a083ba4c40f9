import * as fs from "node:fs/promises";
import { join } from "node:path";
import { Lanes } from "../base/lanes";
import { volumeLookEvery } from "../decide/health";
import { NodePorts } from "./nodePorts";

/** Every so many looks a volume that has answered is asked again. */
const asksAmongLooks = 4;
const fileName = "answers";

/** Asks the volume whether it answers, with a small write that is synced: a call that waits for a disk never fails, it does not come back. */
export class VolumeWatch {
  /** Looks in a row that have found the write not ended. */
  silentLooks = 0;
  private looks = 0;
  private asking = false;

  constructor(private readonly options: { ports: Pick<NodePorts, "files" | "log">; lanes: Lanes }) {}

  /** Starts what is due. */
  observe(): void {
    this.options.lanes.every(volumeLookEvery, "volume", () => Promise.resolve(this.look()));
  }

  private look(): void {
    if (this.asking) this.silentLooks++;
    else if (this.looks++ % asksAmongLooks === 0) void this.ask();
  }

  private async ask(): Promise<void> {
    const { log, files } = this.options.ports;
    this.asking = true;
    // An error is an answer: who needs the volume meets it, too.
    await fs.writeFile(join(files.own, fileName), `${this.looks}\n`, { flush: true }).catch(() => undefined);
    if (this.silentLooks > asksAmongLooks)
      log("warning", "the volume has answered again", { milliseconds: this.silentLooks * volumeLookEvery });
    this.asking = false;
    this.silentLooks = 0;
  }
}
