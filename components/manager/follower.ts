import { FollowState, followed, joined, notFollowing } from "./following";
import {
  Compared,
  compareWith,
  filesWithContent,
  filesWithoutContent,
  lostSight,
  overdue,
  plainName,
} from "./inventory";
import { text } from "./lanes";
import { foldersOf, orphans } from "./orphans";
import { Heartbeat, Ports } from "./ports";
import { Monotonic, Position } from "./view";

const callTimeout = 1000;
/** A replica that does not see its marker for so long loaded something wrong, which only a start on an empty volume mends. Milliseconds. */
const markerOverdue = 30_000;
/** A follower looks for files that its engine did not find this often. Milliseconds. */
const lookAtFilesEvery = 5000;
/** A file that stays empty for so long is not being written. Milliseconds. */
const fileSettles = 1000;
/** A file that was lacked after so many starts on an empty volume is nothing that a table needs. */
const livesUntilLeftover = 2;
/** A table of which the primary has no file for so long was dropped, and not merged away just now. Milliseconds. */
const mergeTakes = 10_000;
/** A server that has not answered for so long hangs. Milliseconds. */
const hungAfter = 10_000;
/** The primary flushes all tables before it answers. Milliseconds. */
const joinTimeout = 35_000;

/** How this replica follows the primary, seen through the bucket itself: by rows that the primary writes and this node's engine reads. */
export class Follower {
  state: FollowState = notFollowing;
  /** When the last new heartbeat was read, or written. */
  beatSeenAt: Monotonic | undefined;
  /** Since its last start. */
  hasFollowed = false;
  /** The primary has written this replica's marker. */
  asked = false;
  private startedIn = 0;
  private askedAt: Monotonic = 0;
  /** This node has all files that the primary has. */
  private passed = false;
  private compared: Compared | undefined;
  /** Empty files that the primary does not have: of tables that it has dropped, or of what it has merged. */
  ghosts: ReadonlySet<string> = new Set();
  /** Folders of which the primary has nothing, and since when. */
  private droppedSince: ReadonlyMap<string, Monotonic> = new Map();
  /** An upload that came too late has brought rows while this node followed that the primary does not have, or has cut off others. */
  private hasLateRows = false;
  private startedAt: Monotonic = 0;
  /** How far it has followed, looked at before each heartbeat: what came with that, or later, is not in it. */
  private sequence = 0;
  /** The same, at the end of the epoch before. */
  private sequenceBefore = 0;
  private lastOfEpochBefore: Heartbeat | undefined;
  /** The last heartbeat of a primary that was open: one that came after another of its epoch, or after which this replica had joined. */
  lastServed: Heartbeat | undefined;
  private readonly lacked = new Map<string, number>();
  private readonly leftovers = new Set<string>();
  private answeredAt: Monotonic = -Infinity;
  private filesSeenAt: Monotonic = -Infinity;
  /** When the heartbeat was last read. */
  private readAt: Monotonic = 0;
  private marker = "";

  constructor(
    private readonly ports: Ports,
    private readonly syncIntervalMilliseconds: number,
  ) {}

  /**
   * The engine was started, or ended.
   * @param marker new with each start on an empty volume
   * @param epoch the Lease's when the engine was started
   */
  reset(marker: string, epoch: number): void {
    this.startedIn = epoch;
    this.state = notFollowing;
    this.asked = false;
    this.hasFollowed = false;
    this.passed = false;
    this.compared = undefined;
    this.ghosts = new Set();
    this.droppedSince = new Map();
    this.hasLateRows = false;
    this.sequence = 0;
    this.sequenceBefore = 0;
    this.lastOfEpochBefore = undefined;
    this.lastServed = undefined;
    this.startedAt = this.ports.clock.now();
    this.answeredAt = this.ports.clock.now();
    this.marker = marker;
  }

  position(): Position {
    const { last } = this.state;
    return { epoch: last?.epoch ?? 0, beat: last?.beat ?? 0, sequence: this.sequence };
  }

  /**
   * Asks the primary for a flush and for the marker behind it. A node that opened the bucket before another was promoted may have replayed other rows than that one: it is re-seeded.
   */
  async join(primary: string): Promise<void> {
    const { marker } = this;
    // Only a primary that is open answers: a node that was re-seeded earlier would have to be re-seeded again.
    const { epoch } = await this.ports.peers.inventory(primary, callTimeout);
    if (this.marker !== marker) return;
    if (epoch !== this.startedIn && !this.hasFollowed) {
      this.ports.log("info", "re-seeding: a primary was promoted after this node had opened the bucket", { epoch });
      this.state = { following: "missed" };
      return;
    }
    await this.ports.peers.join(primary, marker, joinTimeout);
    if (this.marker !== marker || this.asked) return;
    this.asked = true;
    this.askedAt = this.ports.clock.now();
  }

  /** Whether this replica has followed a heartbeat, or a later one of the same epoch. */
  hasFollowedBeat({ epoch, beat }: { epoch: number; beat: number }): boolean {
    return [this.state.last, this.lastOfEpochBefore].some(seen => seen?.epoch === epoch && seen.beat >= beat);
  }

  /**
   * Whether a heartbeat of a later epoch came after heartbeats that this replica has not followed: a trial write bears the number after the last one with which its writer had been served. Those of trial
   * writes do not count: promotions may have died one after the other.
   */
  hasSkippedTo({ epoch, beat }: { epoch: number; beat: number }): boolean {
    const { lastServed } = this;
    return lastServed !== undefined && epoch > lastServed.epoch && lastServed.beat < beat - 1;
  }

  /** Looks how far this replica has come. */
  async read(): Promise<void> {
    const { engine, clock, log } = this.ports;
    const { marker } = this;
    if (await this.lacksFile()) return;
    if (this.marker !== marker) return;
    const { sequence, heartbeat } = await this.askServer();
    if (this.marker !== marker || this.state.following === "missed") return;
    const { last } = this.state;
    if (heartbeat?.beat !== last?.beat || heartbeat?.epoch !== last?.epoch) this.beatSeenAt = clock.now();
    if (heartbeat && last && heartbeat.epoch > last.epoch) {
      this.lastOfEpochBefore = last;
      this.sequenceBefore = this.sequence;
    }
    this.sequence = sequence;
    if (heartbeat && heartbeat.epoch === last?.epoch && heartbeat.beat > last.beat) this.lastServed = heartbeat;
    const elapsed = clock.now() - this.readAt;
    this.state = followed(this.state, heartbeat, elapsed);
    this.readAt = clock.now();
    if (this.state.following === "missed")
      log("warning", "may have missed a WAL generation", { last, heartbeat, elapsed: Math.round(elapsed) });
    if (this.state.following !== "joining" || !this.asked) return;
    if (!this.passed || !(await engine.hasMarker(marker, callTimeout))) {
      if (this.marker !== marker || clock.now() - this.askedAt < markerOverdue) return;
      log("warning", "does not see the marker that the primary wrote for it");
      this.state = { following: "missed" };
      return;
    }
    // The marker was read in the middle of a poll, perhaps: two more are certain to have read all that was flushed with it.
    await clock.sleep(2 * this.syncIntervalMilliseconds);
    if (this.marker !== marker) return;
    this.hasFollowed = true;
    this.state = joined(heartbeat);
    this.lastServed = heartbeat;
    this.readAt = clock.now();
    log("info", "following the primary", { ...heartbeat });
  }

  /**
   * Whether the engine keeps tables that the primary has dropped: it is not told of that, and a new table may be given the number of one of them, so that rows of the one would be taken for rows of the
   * other. Or rows that an earlier primary has sent too late, and that the primary does not have.
   */
  get mustBeginAnew(): boolean {
    const now = this.ports.clock.now();
    return this.hasLateRows || [...this.droppedSince.values()].some(since => now - since >= mergeTakes);
  }

  /** To be rid of what the primary does not have. */
  beginAnew(): void {
    const { hasLateRows } = this;
    this.ports.log("info", "re-seeding: this node has data that the primary lacks", {
      hasLateRows,
      dropped: [...this.droppedSince.keys()],
    });
    this.state = { following: "missed" };
  }

  private wasLacked(file: string): void {
    const lives = (this.lacked.get(file) ?? 0) + 1;
    this.lacked.set(file, lives);
    if (lives >= livesUntilLeftover) this.leftovers.add(file);
  }

  /** A server that does not answer any more serves nobody, and is no candidate. */
  private async askServer(): Promise<{ sequence: number; heartbeat?: Heartbeat }> {
    const { engine, clock, log } = this.ports;
    try {
      const sequence = await engine.sequence();
      const heartbeat = await engine.readHeartbeat(callTimeout);
      this.answeredAt = clock.now();
      return { sequence, ...(heartbeat && { heartbeat }) };
    } catch (error) {
      if (clock.now() - this.answeredAt < hungAfter) throw error;
      log("warning", "mariadbd does not answer", { error: text(error) });
      this.state = { following: "missed" };
      return { sequence: this.sequence };
    }
  }

  /** Compares now. @returns whether this node lacks nothing */
  async isSound(primary: string): Promise<boolean> {
    await this.compare(primary);
    const { compared } = this;
    if (this.state.following !== "following" || !compared || compared.lacking.size > 0 || this.mustBeginAnew)
      return false;
    return (await this.emptyFile(compared)) === undefined;
  }

  /** Compares this node with the primary from time to time, for what its engine does not know that it lacks. */
  async compare(primary: string): Promise<void> {
    const { peers, volume, clock, log } = this.ports;
    const { marker, compared: before } = this;
    const inventory = await peers.inventory(primary, callTimeout);
    const sstables = await volume.sstableFiles();
    const files = filesWithContent(sstables);
    if (this.marker !== marker || this.state.following === "missed") return;
    const now = clock.now();
    const compared = compareWith(before, inventory, files, this.leftovers, now);
    this.compared = compared;
    this.hasLateRows ||= now - this.startedAt > (inventory.removedFor ?? Infinity);
    // What the new primary did not find in the bucket any more: an earlier upload had landed on a later one.
    const isInItsEpoch = this.state.last?.epoch === inventory.epoch;
    this.hasLateRows ||= isInItsEpoch && this.sequenceBefore > (inventory.sequence ?? Infinity);
    const dropped = orphans(foldersOf(files), foldersOf(inventory.files));
    this.droppedSince = new Map([...dropped].map(folder => [folder, this.droppedSince.get(folder) ?? now]));
    const ofPrimary = new Set(inventory.files);
    this.ghosts = new Set(filesWithoutContent(sstables).filter(name => !ofPrimary.has(plainName(name))));
    this.passed ||= this.asked && compared.lacking.size === 0;
    // Who is joining has not followed any heartbeat yet: its marker is waited for instead.
    if (this.state.following === "joining" && this.hasLateRows) return this.beginAnew();
    const why = lostSight(this.state.following === "joining" ? undefined : before, compared, this.position(), now);
    if (why === undefined) return;
    log("warning", "lost sight of the primary", { why });
    for (const file of overdue(compared, now)) this.wasLacked(file);
    this.state = { following: "missed" };
  }

  /**
   * Whether the engine has made an empty file of an object that it did not find, or that the bucket did not give: it sees none of that object's rows then, and never asks for it again. Only what
   * the primary has counts: a replica that starts may bring the manifest of a table back that was dropped.
   */
  private async lacksFile(): Promise<boolean> {
    const { clock, log } = this.ports;
    const { marker, compared } = this;
    if (!compared || clock.now() - this.filesSeenAt < lookAtFilesEvery) return false;
    this.filesSeenAt = clock.now();
    const file = await this.emptyFile(compared);
    if (file === undefined) return false;
    // Not one that is being written just now.
    await clock.sleep(fileSettles);
    if (this.marker !== marker || (await this.emptyFile(compared)) !== file) return false;
    log("warning", "a table's file was not in the bucket when the engine looked for it", { file });
    this.wasLacked(plainName(file));
    this.state = { following: "missed" };
    return true;
  }

  private async emptyFile({ inventory }: Compared): Promise<string | undefined> {
    const ofPrimary = new Set(inventory.files);
    const empty = filesWithoutContent(await this.ports.volume.sstableFiles());
    return empty.find(name => ofPrimary.has(plainName(name)) && !this.leftovers.has(plainName(name)));
  }
}
