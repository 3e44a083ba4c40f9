import { filesWithoutContent } from "./inventory";
import { text } from "./lanes";
import { Ports } from "./ports";

/** So often in a row the same files were deleted: it is no replica's doing, but something that a crash has left behind. */
const timesLost = 3;
/** Looked at while an engine opens the bucket, whether it is there or not; and how often. */
const probe = "owner.json";
const probeTimeout = 1000;
const probeEvery = 200;

/** What may go wrong when an engine opens its volume and the bucket, and it does not notice itself. */
export class Opening {
  private gaveUpVolume = false;
  /** Files that the engine has deleted from this volume when it opened it, and how often in a row. */
  private lostBefore = { files: "", times: 0 };

  constructor(private readonly ports: Pick<Ports, "store" | "clock" | "engine" | "volume" | "log">) {}

  /**
   * A volume on which the engine has taken an object that it did not get for an empty file lacks that file's rows: the bucket has more. Answers with such a file, once: after the volume was wiped for that,
   * what is still empty belongs to no table.
   */
  async unreadFile(): Promise<string | undefined> {
    const file = filesWithoutContent(await this.ports.volume.sstableFiles()).find(name => name.endsWith(".klog"));
    if (file === undefined || this.gaveUpVolume) return undefined;
    this.gaveUpVolume = true;
    return file;
  }

  /**
   * An empty engine takes what the bucket does not answer for absent: a table for empty, a map for one that it has to write. What it then sends would be in the way of all, so it is killed before.
   * @throws what the start throws
   */
  async whileBucketAnswers(opening: Promise<void>): Promise<void> {
    const { store, clock, engine, log } = this.ports;
    let isOver = false;
    const over = opening.finally(() => (isOver = true));
    const watch = async () => {
      while (!isOver) {
        try {
          await store.size(probe, probeTimeout);
        } catch (error) {
          if (isOver) return;
          log("warning", "the bucket failed while mariadbd opened it", { error: text(error) });
          return engine.kill();
        }
        await clock.sleep(probeEvery);
      }
    };
    await Promise.all([over, watch()]);
  }

  /**
   * A replica that opened the bucket at the same moment has put an older manifest over the one that was sent, and the engine has believed it. What was kept is put back before the next start.
   * @throws with the first file that is lost
   */
  async refuseLoss(): Promise<void> {
    const lost = await this.ports.volume.lostSinceKept();
    const again = lost.length > 0 && lost.join() === this.lostBefore.files;
    this.lostBefore = { files: lost.join(), times: again ? this.lostBefore.times + 1 : 1 };
    if (lost.length === 0 || this.lostBefore.times >= timesLost) return;
    throw new Error(
      `the engine has deleted ${lost.length} files, ${lost[0]} first, because of a manifest from another volume`,
    );
  }
}
