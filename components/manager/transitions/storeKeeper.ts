import { ManagerConfiguration } from "../../core/managerConfiguration";
import { Refusal } from "../decide/view";
import { Monotonic } from "../base/ports";
import { Sealed } from "../store/log/append";
import { BehindHorizon } from "../store/log/tail";
import { StoreNode } from "../store/storeNode";
import { asRefusal, claimPrefix } from "./claim";
import { EntryInbox, PushedEntry } from "../peers/entryInbox";
import { NodePorts } from "./nodePorts";
import { LogPlace } from "../decide/view";
import { RivalWatch } from "./rivalWatch";

/** While the writer's entries come, the bucket is asked this often only, and otherwise once a second. Milliseconds. */
const readEvery = { heard: 5000, silent: 1000 };
/** Whether the log is still kept from here on is asked this often: as a rule, and while an entry is missing that its writer has said to be durable. Milliseconds. */
const keptEvery = { usual: 60_000, missing: 1000 };
/** Of the engine's 60 s for a request: a commit that has waited for longer is taken back with the engine. Milliseconds. */
export const boundMilliseconds = 20_000;

export interface StoreKeeperOptions {
  configuration: ManagerConfiguration;
  pod: string;
  ports: NodePorts;
  /** Another has sealed this node's epoch. */
  sealed: (error: Sealed) => void;
  /** A commit has waited for longer than the bound. */
  overdue: (milliseconds: number) => void;
  built: (epoch: number, position: number, bytes: Buffer, brief?: Buffer) => void;
  drafted: (epoch: number, bytes: Buffer) => void;
  durable: (epoch: number, position: number) => void;
  mayTakeOver: () => boolean;
  /** The volume or the log was read on. */
  progressed: () => void;
  refuse: (refusal: Refusal) => void;
}

/** Keeps this node's state of the log: opens it, reads on, takes what is pushed, and restarts from a checkpoint where it has fallen behind. One thing at a time is done with it. */
export class StoreKeeper {
  private node: StoreNode | undefined;
  readonly inbox = new EntryInbox();
  private queue: Promise<unknown> = Promise.resolve();
  private heardAt: Monotonic = -Infinity;
  /** Since when there has always been an entry that was told and is not known to be durable. */
  private waitsSince: Monotonic | undefined;
  private readAt: Monotonic = -Infinity;
  private keptAt: Monotonic = -Infinity;
  /** The engine that runs was aligned before this node restarted from a checkpoint. */
  private begunAnew = false;
  private readonly rivals: RivalWatch;

  constructor(private readonly options: StoreKeeperOptions) {
    this.rivals = new RivalWatch(options.ports.cluster);
  }

  /** Undefined until the log was read. */
  get place(): LogPlace | undefined {
    if (!this.node) return undefined;
    const { state, isLastWriters } = this.node;
    const { epoch, position } = state;
    const rival = this.rivals.rival(epoch);
    return {
      epoch,
      position,
      pushed: this.inbox.until(state),
      isLastWriters,
      hasTables: state.tables.size > 0,
      ...(rival && { rival }),
    };
  }

  /** Undefined until the log was read. For figures; it changes. */
  get state() {
    return this.node?.state;
  }

  /** Why the engine that runs cannot be shown what this node knows; empty: it can. */
  get mustRestart(): string {
    return this.begunAnew ? "this node fell behind the part of the log that is kept" : "";
  }

  /** A volume was aligned with the present state. */
  aligned(): void {
    this.begunAnew = false;
  }

  /** Does something with the node's store, when nobody else does. @throws Error before the log was read */
  exclusive<T>(work: (node: StoreNode) => Promise<T>): Promise<T> {
    const result = this.queue.then(async () => {
      if (!this.node) throw new Error("the log could not be read yet");
      try {
        return await work(this.node);
      } catch (error) {
        await this.failed(error);
        throw error;
      }
    });
    this.queue = result.catch(() => undefined);
    return result;
  }

  /** The node's store beside whatever is done with it: only for what neither reads nor applies. Undefined before the log was read. */
  get beside(): StoreNode | undefined {
    return this.node;
  }

  /** An entry from its writer. @returns no: it is brief, and this node lacks what it leaves out @throws UnreadableEntry */
  take(entry: PushedEntry): boolean {
    const { state } = this;
    if (!state) return true;
    const isTaken = this.inbox.take(entry, state);
    if (entry.epoch >= state.epoch) this.heardAt = this.options.ports.clock.now();
    return isTaken;
  }

  /** Whether there is something to be done for {@link read}. */
  isDue(): boolean {
    const now = this.options.ports.clock.now();
    const { state } = this;
    if (!state || this.inbox.isAheadOf(state)) return true;
    // What was told and does not become durable may be of a writer that the bucket does not answer: it asks whether it answers us.
    if (this.inbox.pending(state).size === 0) this.waitsSince = undefined;
    else this.waitsSince ??= now;
    const waits = this.waitsSince !== undefined && now - this.waitsSince >= readEvery.silent;
    const hears = now - this.heardAt < readEvery.heard + 1000 && !waits;
    const every = hears ? readEvery.heard : readEvery.silent;
    return now - this.readAt >= every;
  }

  /** Applies what is new, of what was pushed and of the bucket. Only while this node does not write. */
  async read(): Promise<void> {
    if (!this.node) await this.open();
    await this.exclusive(async node => {
      const { clock } = this.options.ports;
      const before = node.state.position;
      while (!node.isFull) {
        const next = this.inbox.nextDurable(node.state);
        if (!next) break;
        await node.apply(next);
      }
      if (node.isFull) return;
      const isBehind = this.inbox.isAheadOf(node.state);
      if (node.state.position > before && !isBehind) return;
      if (!isBehind && clock.now() - this.readAt < readEvery.silent) return;
      this.readAt = clock.now();
      await this.catchUp(node);
      // The writer says that there is more, and there is not: it may have been deleted.
      const every = this.inbox.isAheadOf(node.state) ? keptEvery.missing : keptEvery.usual;
      if (clock.now() - this.keptAt < every) return;
      this.keptAt = clock.now();
      await node.assertKept();
    });
  }

  /** Applies what is in the bucket, and notices who writes it. @throws BehindHorizon, UnreadableEntry */
  async catchUp(node: StoreNode): Promise<void> {
    await node.catchUp();
    this.rivals.saw(await node.lastSeal(), node.state.position, this.options.ports.clock.now());
  }

  private async open(): Promise<void> {
    const { configuration, pod, ports, refuse } = this.options;
    const { bucket, clock, files, log, restore } = ports;
    const { databaseId, objectStore, durability } = configuration;
    const place = `s3://${objectStore.bucket}/${objectStore.prefix}`;
    const refusal = await claimPrefix({
      bucket,
      clock,
      databaseId,
      author: pod,
      place,
      ...(restore && { restore: { ...restore, scratch: `${files.own}.restoring` } }),
      log: (message, fields) => log("info", message, fields),
    });
    if (refusal) {
      refuse(refusal);
      throw new Error(refusal.message);
    }
    const { sealed, overdue, built, drafted, durable, mayTakeOver, progressed } = this.options;
    const node = await StoreNode.open({
      bucket,
      clock,
      directory: files.directory,
      server: files.server,
      own: files.own,
      name: pod,
      cluster: ports.cluster,
      durability: durability === "commit" ? "commit" : "interval",
      warn: (message, fields) => log("warning", message, fields),
      sealed,
      overdue,
      boundMilliseconds,
      built,
      drafted,
      durable,
      mayTakeOver,
      progressed,
    });
    await this.catchUp(node);
    this.node = node;
    log("info", "has read the log", { epoch: node.state.epoch, position: node.state.position });
  }

  /** A node behind the horizon restarts from a checkpoint; its engine is restarted on that state. */
  private async failed(error: unknown): Promise<void> {
    const { configuration, ports, refuse } = this.options;
    if (error instanceof BehindHorizon) {
      ports.log("warning", "restarting from a checkpoint", { why: error.message });
      const { node } = this;
      this.node = undefined;
      this.begunAnew = true;
      await node?.close();
      return;
    }
    const { bucket, prefix } = configuration.objectStore;
    const refusal = asRefusal(error, `s3://${bucket}/${prefix}`);
    if (refusal) refuse(refusal);
  }
}
