import {
  emptyWalBytes,
  engineFolder,
  engineObjects,
  MissingObject,
  missingInBucket,
  newestWal,
  Inherited,
  walGeneration,
  walGenerations,
  walKey,
} from "./comparison";
import { missingCopies } from "./definitions";
import { followersAmong } from "./followers";
import { obsoleteWalObjects } from "./housekeeping";
import { BeforePromotion, LateUploads } from "./lateUploads";
import { Conflict, Detour, LocalFile, Log, Ports, StoredObject } from "./ports";
import { BucketView, Monotonic } from "./view";

/** A whole comparison of the volume with the bucket is made this often while nothing is amiss. Milliseconds. About $0.45 a month for each thousand objects. */
const compareEvery = 30_000;
/** And this often while something is missing. Milliseconds. */
const compareInTrouble = 2000;
/** What has not been uploaded for so long is suspected to be lost sight of. Milliseconds. */
const suspectAfter = 2000;
/** And this often after a promotion, for so long: an earlier primary's uploads may still be on their way. Milliseconds. */
const compareWhileNew = 5000;
const newFor = 60_000;
/** The engine tries for so long itself, at least, before the manager sends a file. Milliseconds. */
const repairAfter = 3000;
const listTimeout = 5000;
const sendTimeout = 20_000;

/** How long the WAL was at a moment: all that was acknowledged before is within it. */
interface Sample {
  at: Monotonic;
  generation: number;
  bytes: number;
}

/** What the bucket lacks of a primary's data, the newest WAL left out. */
export interface AuditFigures {
  bytes: number;
  objects: number;
  /** WAL objects in the bucket: the engine reads the first 256 only. */
  walObjects: number;
  /** Tables and secondary indexes: the engine finds the first 256 only. */
  columnFamilies: number;
  /** SSTables by the folder of their table or secondary index. */
  sstables: ReadonlyMap<string, number>;
}

/**
 * Knows at each moment what would be lost with this node and its disk, by looking at the volume and at the bucket; the engine's own counters leave out uploads that it has parked. Mends what the
 * engine does not: it sends no file again whose upload a crash has cut short, and publishes no manifest twice.
 */
export class Audit {
  figures: AuditFigures | undefined;
  private samples: Sample[] = [];
  private confirmedAt: Monotonic;
  /** Of the last two small requests to the bucket. Milliseconds. */
  private roundTrips: [number, number] = [0, 0];
  /** When one was sent that has not been answered. */
  private askedAt: Monotonic | undefined;
  /** When the WAL was last seen to grow. */
  grewAt: Monotonic = -Infinity;
  private lastSample: Sample | undefined;
  /** The newest WAL holds commits that followers pass over until they are flushed. */
  isDisordered = false;
  private failingSince: Monotonic | undefined;
  private comparedAt: Monotonic = -Infinity;
  private missing = new Map<string, { size: number; since: Monotonic }>();
  private walSeen = new Map<number, Monotonic>();
  /** The newest generation of the WAL at the first comparison after the promotion, whose flush has moved it on. */
  private ownFrom: number | undefined;
  private readonly late = new LateUploads();
  private begunAt: Monotonic = -Infinity;

  constructor(
    private readonly ports: Pick<Ports, "clock" | "store" | "volume" | "engine" | "peers">,
    private readonly log: Log,
    /** Whether this node holds the Lease. A volume may not answer for minutes: what was read then is not this node's to send any more. */
    private readonly holds: () => boolean,
  ) {
    this.confirmedAt = ports.clock.now();
  }

  /**
   * This node has become the primary: whatever it has promoted is in the bucket.
   * @param before undefined on the last primary's own volume
   */
  begin(before: BeforePromotion | undefined): void {
    this.late.begin(before);
    this.begunAt = this.ports.clock.now();
    this.samples = [];
    this.confirmedAt = this.ports.clock.now();
    this.failingSince = undefined;
    this.isDisordered = false;
    this.roundTrips = [0, 0];
    this.comparedAt = -Infinity;
    this.missing.clear();
    this.walSeen.clear();
    this.ownFrom = undefined;
    this.figures = undefined;
  }

  /** A replica is starting, and may put an older manifest over this node's. */
  expectInterference(): void {
    this.comparedAt = Math.min(this.comparedAt, this.ports.clock.now() - compareEvery + compareInTrouble);
  }

  view(now: Monotonic): BucketView {
    const unconfirmed = this.samples.length === 0 ? 0 : now - this.confirmedAt;
    return { unconfirmed, failingSince: this.failingSince };
  }

  /** How long the bucket takes for a small request: one that is slow now and then is not slow. Milliseconds. */
  get roundTrip(): number {
    const pending = this.askedAt === undefined ? 0 : this.ports.clock.now() - this.askedAt;
    const [first, second] = this.roundTrips;
    return Math.max(Math.min(first, second), Math.min(second, pending));
  }

  /** Compares the WAL's length with its object's: one small request for each generation that is not known to be in the bucket. */
  async probe(timeoutMilliseconds: number): Promise<void> {
    const { clock, volume, store } = this.ports;
    const at = clock.now();
    const files = await volume.walFiles();
    const wal = newestWal(files);
    this.isDisordered = wal?.isDisordered === true;
    const sample = { at, generation: wal?.generation ?? 0, bytes: wal?.bytes ?? 0 };
    if (sample.bytes !== this.lastSample?.bytes || sample.generation !== this.lastSample.generation) this.grewAt = at;
    this.lastSample = sample;
    for (const file of files) this.late.grew(file);
    this.samples.push(sample);
    const sizes = new Map<number, number>();
    try {
      for (const generation of new Set(this.samples.map(sample => sample.generation))) {
        this.askedAt = clock.now();
        const size = await store.size(walKey(generation), timeoutMilliseconds);
        sizes.set(generation, size ?? 0);
        this.roundTrips = [this.roundTrips[1], clock.now() - this.askedAt];
      }
      this.failingSince = undefined;
    } catch (error) {
      this.failingSince ??= at;
      throw error;
    } finally {
      this.askedAt = undefined;
    }
    this.confirm(sample => sample.bytes <= emptyWalBytes || (sizes.get(sample.generation) ?? 0) >= sample.bytes);
  }

  /** Whether a whole comparison is due. */
  isDue(now: Monotonic): boolean {
    const inTrouble = this.missing.size > 0 || this.view(now).unconfirmed > suspectAfter;
    const isNew = now - this.begunAt < newFor;
    return now - this.comparedAt >= (inTrouble ? compareInTrouble : isNew ? compareWhileNew : compareEvery);
  }

  /** Compares the volume with a listing of the bucket, sends what the engine has lost sight of, and deletes WAL objects that nobody needs any more. */
  async compare(inherited: Inherited): Promise<void> {
    const { clock, volume } = this.ports;
    const at = clock.now();
    this.comparedAt = at;
    const wal = newestWal(await volume.walFiles());
    const files = await volume.list();
    this.mustHold();
    const stored = await engineObjects(this.ports.store, listTimeout);
    // The newest WAL is always a moment ahead of its object: the probe knows by how much.
    const missing = missingInBucket(files, stored, inherited).filter(({ name }) => walGeneration(name) === undefined);
    this.figures = figuresOf(missing, files, stored);
    if (missing.length === 0) this.confirm(sample => sample.at <= at && sample.generation < (wal?.generation ?? 0));
    for (const generation of this.late.cutShort(stored, files, at))
      this.log("warning", "an earlier upload of a WAL replaced a later one", { generation });
    await this.repair(missing, files, stored, at);
    await this.copyPartitioned(stored);
    if (missing.length === 0) await this.removeLate(this.late.suspects(stored, files));
    await this.housekeep(stored, files, missing.length === 0, at);
  }

  /**
   * Sends all that the bucket lacks, the newest WAL included: for a node whose engine is dead. Answers whether it lacked anything.
   * @throws when it could not
   */
  async sendEverything(inherited: Inherited, way: Detour = this.ports.store): Promise<boolean> {
    const files = await this.ports.volume.list();
    const stored = await engineObjects(way, listTimeout);
    const missing = missingInBucket(files, stored, inherited);
    if (missing.length === 0) return false;
    for (const { name } of missing.sort(filesBeforeManifests)) {
      const file = files.find(candidate => candidate.name === name);
      if (file) await this.send(file, stored.find(({ key }) => key === name)?.etag, way);
    }
    const left = missingInBucket(files, await engineObjects(way, listTimeout), inherited);
    if (left.length > 0) throw new Error(`the bucket still lacks ${left.length} files, ${left[0]?.name} first`);
    return true;
  }

  private mustHold(): void {
    if (!this.holds()) throw new Error("the lease was lost while the volume was read");
  }

  private confirm(covered: (sample: Sample) => boolean): void {
    while (this.samples[0] && covered(this.samples[0])) this.confirmedAt = this.samples.shift()?.at ?? this.confirmedAt;
  }

  private async repair(missing: MissingObject[], files: LocalFile[], stored: StoredObject[], now: Monotonic) {
    const known = this.missing;
    this.missing = new Map();
    for (const { name } of missing) {
      const file = files.find(candidate => candidate.name === name);
      if (!file) continue;
      const before = known.get(name);
      const since = before?.size === file.size ? before.since : now;
      this.missing.set(name, { size: file.size, since });
      if (now - since < repairAfter) continue;
      await this.send(file, stored.find(({ key }) => key === name)?.etag);
    }
  }

  private async send(file: LocalFile, etag: string | undefined, way: Detour = this.ports.store): Promise<void> {
    const content = await this.ports.volume.readFile(file.name);
    if (!content) return;
    this.mustHold();
    // Readers leave out WAL objects of an earlier epoch than the engine's lease. They would leave out a manifest, too, after the next promotion, if its table was not flushed then.
    const isWal = walGeneration(file.name) !== undefined;
    const epoch = isWal ? await way.readEngineEpoch(listTimeout) : undefined;
    const condition = etag === undefined ? { ifAbsent: true } : { ifMatch: etag };
    try {
      await way.put(engineFolder + file.name, content, { ...condition, epoch }, sendTimeout);
      this.log("warning", "uploaded a file that the engine had not uploaded", { file: file.name, bytes: file.size });
    } catch (error) {
      // The engine was faster.
      if (!(error instanceof Conflict)) throw error;
    }
  }

  /** For how long there has been nothing in the bucket that was sent too late, by an earlier primary or by this one; undefined: there never was. Milliseconds. */
  get removedFor(): number | undefined {
    return this.late.age(this.ports.clock.now());
  }

  /** What they held before is in SSTables since this node's promotion, and those are in the bucket. */
  private async removeLate(generations: number[]): Promise<void> {
    const { store } = this.ports;
    for (const generation of generations) {
      const key = walKey(generation);
      if (!this.late.isLate(generation, await store.epochOf(key, listTimeout))) continue;
      await store.delete(key, listTimeout);
      this.late.removed(generation, this.ports.clock.now());
      this.log("warning", "removed late uploads of the previous primary", { generation });
    }
  }

  /** The settings keep tables from being merged into files that other nodes do not find; one that lost its settings is merged all the same. */
  private async copyPartitioned(stored: StoredObject[]): Promise<void> {
    for (const { from, to } of missingCopies(stored)) {
      await this.ports.store.copy(engineFolder + from, engineFolder + to, sendTimeout);
      this.log("warning", "copied a table's file to the name that other nodes expect", { from, to });
    }
  }

  private async housekeep(stored: StoredObject[], files: LocalFile[], clean: boolean, now: Monotonic): Promise<void> {
    const generations = walGenerations(stored.map(({ key }) => key));
    for (const generation of generations) if (!this.walSeen.has(generation)) this.walSeen.set(generation, now);
    for (const generation of this.walSeen.keys())
      if (!generations.includes(generation)) this.walSeen.delete(generation);
    // What is on the disk still is compared with the bucket.
    const local = walGenerations(files.map(({ name }) => name));
    this.ownFrom ??= Math.max(...local);
    if (!clean) return;
    const { engine, peers, store } = this.ports;
    const lastUploaded = await engine.lastUploadedGeneration();
    const known = { seen: this.walSeen, lastUploaded, ownFrom: this.ownFrom };
    const obsoleteFor = (slowest: number) =>
      obsoleteWalObjects({ ...known, slowest }, now).filter(generation => !local.includes(generation));
    if (obsoleteFor(Infinity).length === 0) return;
    const followers = followersAmong(await peers.askAll(listTimeout));
    const obsolete = obsoleteFor(Math.min(...followers.map(({ generation }) => generation)));
    for (const generation of obsolete) await store.delete(walKey(generation), listTimeout);
    if (obsolete.length > 0)
      this.log("info", "deleted WAL objects that are no longer needed", {
        first: Math.min(...obsolete),
        last: Math.max(...obsolete),
        left: generations.length - obsolete.length,
      });
  }
}

/** A reader that finds a manifest looks for the files in it at once, and one that finds keys looks for their values. */
function filesBeforeManifests(a: MissingObject, b: MissingObject): number {
  const rank = ({ name }: MissingObject) => (name.endsWith(".vlog") ? 0 : name.endsWith("/MANIFEST") ? 2 : 1);
  return rank(a) - rank(b);
}

function figuresOf(missing: MissingObject[], files: LocalFile[], stored: StoredObject[]): AuditFigures {
  const sstables = new Map<string, number>();
  for (const { name } of files) {
    if (!name.endsWith(".klog")) continue;
    const family = name.slice(0, name.lastIndexOf("/"));
    sstables.set(family, (sstables.get(family) ?? 0) + 1);
  }
  return {
    bytes: missing.reduce((sum, { missingBytes }) => sum + missingBytes, 0),
    objects: missing.length,
    walObjects: walGenerations(stored.map(({ key }) => key)).length,
    columnFamilies: stored.filter(({ key }) => key.endsWith("/MANIFEST")).length,
    sstables,
  };
}
