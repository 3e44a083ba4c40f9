import { Process } from "./network";
import { SimulatedNode } from "./node";
import type { World } from "./world";

/** A write that was acknowledged. */
export interface Acknowledged {
  key: string;
  /** Null: it deleted the row. */
  value: string | null;
  sentAt: number;
  at: number;
  pod: string;
  /** Of a table that was made meanwhile. */
  made?: MadeTable;
}

/** A table that a person has made. */
export interface MadeTable {
  /** As it is called now. */
  table: string;
  sentAt: number;
  at: number;
  pod: string;
  /** It was dropped, or nobody knows what became of a statement: its rows are not missed. */
  isOver: boolean;
}

const connectLatency = 6;
const writeTimeout = 1000;
/** So many writes in a row are one to a table that was made meanwhile. */
const toMadeTables = 6;
/** A few keys are written again and again, and deleted: an old version that comes back is a loss too. */
const hotKeys = 5;

/** An application: writes at a steady pace, or so many at once, to the pod that carries the label `primary`, keeps its connection until it fails, and remembers what was acknowledged. */
export class Client {
  readonly acknowledged: Acknowledged[] = [];
  /** Values that were sent and not acknowledged, or not yet, by key: each may be there or not. */
  readonly unanswered = new Map<string, Set<string | null>>();
  /** Tables whose making was acknowledged. */
  readonly tables: MadeTable[] = [];
  private target: SimulatedNode | undefined;
  private count = 0;
  private stopped = false;
  private readonly process: Process = { place: "client", alive: true, frozen: false, waiting: [] };

  constructor(
    private readonly world: World,
    private readonly everyMilliseconds: number,
    private readonly atOnce = 1,
  ) {}

  start(): void {
    this.world.time.after(this.everyMilliseconds * this.atOnce, () => {
      if (this.stopped) return;
      for (let times = 0; times < this.atOnce; times++) this.write().catch(() => undefined);
      this.start();
    });
  }

  stop(): void {
    this.stopped = true;
  }

  /** When a write was last acknowledged. Virtual milliseconds. */
  get lastAcknowledgedAt(): number {
    return this.acknowledged.at(-1)?.at ?? 0;
  }

  private async write(): Promise<void> {
    const number = ++this.count;
    const isHot = number % 4 === 0;
    const made = number % toMadeTables === 1 ? this.tables[number % this.tables.length] : undefined;
    const key = isHot ? `counter-${(number / 4) % hotKeys}` : `row-${number}`;
    const value = isHot && number % 12 === 0 ? null : String(number);
    const sentAt = this.world.time.now;
    const unanswered = this.unanswered.get(key) ?? new Set();
    this.unanswered.set(key, unanswered.add(value));
    const pod = await this.ask(target => target.server!.write({ key, value }, made?.table));
    unanswered.delete(value);
    this.acknowledged.push({ key, value, sentAt, at: this.world.time.now, pod, ...(made && { made }) });
  }

  /** DDL. */
  async createTable(table: string): Promise<void> {
    const sentAt = this.world.time.now;
    const pod = await this.ask(target => target.server!.createTable(table));
    this.tables.push({ table, sentAt, at: this.world.time.now, pod, isOver: false });
    this.world.say(`${table} was made`);
  }

  /** DDL. Whether it took effect or not, the table is not missed from now on. */
  async dropTable(made: MadeTable): Promise<void> {
    this.end(made);
    await this.ask(target => target.server!.dropTable(made.table));
    this.world.say(`${made.table} was dropped`);
  }

  /** DDL. */
  async renameTable(made: MadeTable, to: string): Promise<void> {
    await this.change(made, target => target.server!.renameTable(made.table, to));
    this.world.say(`${made.table} is called ${to} now`);
    made.table = to;
  }

  /** DDL that copies the table. */
  async alterTable(made: MadeTable): Promise<void> {
    await this.change(made, target => target.server!.alterTable(made.table));
    this.world.say(`${made.table} was altered`);
  }

  private async change(made: MadeTable, what: (target: SimulatedNode) => Promise<void>): Promise<void> {
    const sentAt = this.world.time.now;
    try {
      const pod = await this.ask(what);
      Object.assign(made, { sentAt, at: this.world.time.now, pod });
    } catch (error) {
      this.end(made);
      throw error;
    }
  }

  private end(made: MadeTable): void {
    made.isOver = true;
    const at = this.tables.indexOf(made);
    if (at >= 0) this.tables.splice(at, 1);
  }

  private async ask(what: (target: SimulatedNode) => Promise<void>): Promise<string> {
    const { world } = this;
    this.target ??= world.nodes.find(node => world.kubernetes.roles.get(node.pod) === "primary");
    const { target } = this;
    if (!target) throw new Error("no endpoint");
    const served = () => {
      if (!target.alive || !target.server) throw new Error("connection refused");
      return what(target);
    };
    try {
      await world.network.request(this.process, target.pod, writeTimeout, served, connectLatency);
    } catch (error) {
      this.target = undefined;
      throw error;
    }
    return target.pod;
  }

  /** Longest time without an acknowledgement within a span. Milliseconds. */
  longestOutage(from: number, to: number): number {
    let last = from;
    let longest = 0;
    for (const { at } of this.acknowledged) {
      if (at < from || at > to) continue;
      longest = Math.max(longest, at - last);
      last = at;
    }
    return Math.max(longest, to - last);
  }
}
