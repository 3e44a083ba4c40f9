import { ManagerConfiguration } from "../../components/core/managerConfiguration";
import { configuration } from "../manager/views";
import { SimulatedKubernetes } from "./kubernetes";
import { Network } from "./network";
import { Promises } from "./promises";
import { Random } from "./random";
import { VirtualTime } from "./virtualTime";
import { Judge } from "./judge";
import type { Mutation } from "./mutations/mutation";
import { SimulatedNode } from "./node";
import { SimulatedBucket } from "./bucket";

export interface WorldOptions {
  tables: number;
  configuration: Partial<ManagerConfiguration>;
  mutation?: Mutation;
  /** Another deployment, with the same bucket and prefix, at the same time. */
  beside?: World;
}

let worlds = 0;

/** Nodes with real managers on the real store, one Kubernetes, one bucket: everything else is simulated, on a virtual clock, from one seed. */
export class World {
  readonly number = ++worlds;
  readonly time: VirtualTime;
  readonly random: Random;
  readonly network: Network;
  readonly kubernetes: SimulatedKubernetes;
  readonly objects: SimulatedBucket;
  /** What tells this deployment from another one. */
  readonly cluster: string;
  readonly judge: Judge;
  readonly nodes: SimulatedNode[];
  readonly configuration: ManagerConfiguration;
  readonly tables: readonly string[];
  readonly mutation: Mutation | undefined;
  readonly promises: Promises;
  /** Probability that the engine flushes, four times a second. */
  readonly flushShare: number;
  readonly followerMemoryBytes: number;
  /** Larger files are sent in parts of so many bytes: by the engine to its manager, and by that to the bucket. */
  readonly partBytes: number;
  /** A node in a takeover or a handover falls into it at the so-manieth call outside. */
  trap: { left: number; spring: (node: SimulatedNode) => void } | undefined;
  healedAt = 0;
  private readonly said: { at: number; text: string | (() => string) }[] = [];
  private serial = 0;

  constructor(seed: number, { tables, mutation, configuration: changes, beside }: WorldOptions) {
    this.time = beside?.time ?? new VirtualTime();
    this.objects = beside?.objects ?? new SimulatedBucket();
    this.cluster = beside ? "another" : "this";
    this.configuration = { ...configuration, ...changes };
    this.tables = Array.from({ length: tables }, (_, i) => (i === 0 ? "orders" : `orders_${i}`));
    this.mutation = mutation;
    this.random = new Random(seed);
    this.flushShare = this.random.pick([0.02, 0.1, 0.4]);
    this.followerMemoryBytes = this.random.pick([20_000, 1e9, 1e9]);
    this.partBytes = this.random.pick([600, 1e9, 1e9]);
    this.promises = new Promises(this);
    this.judge = new Judge({
      violated: text => this.promises.violated(text),
      content: key => this.objects.get(key)?.content,
      now: () => this.time.now,
      everyPositionMilliseconds: 3_600_000 * this.configuration.history.everyPositionHours,
      clocksAreRight: () => this.nodes.every(({ wallClockOffset }) => wallClockOffset === 0),
      isOnDiskFirst: this.configuration.durability === "interval",
    });
    this.objects.judge ??= this.judge;
    this.network = new Network(this.time, this.random);
    this.kubernetes = new SimulatedKubernetes(
      this.time,
      this.network,
      text => this.say(`event ${text}`),
      pod => this.nodes.find(node => node.pod === pod)?.manager?.ready() === true,
    );
    const { name, nodes } = this.configuration;
    this.nodes = Array.from({ length: nodes }, (_, i) => new SimulatedNode(`${name}-${i}`, this));
  }

  get timeline(): string[] {
    return this.said.map(
      ({ at, text }) => `${(at / 1000).toFixed(3).padStart(9)} ${typeof text === "string" ? text : text()}`,
    );
  }

  tableOf(key: string): string {
    const number = Number(/\d+$/.exec(key)?.[0] ?? 0);
    return this.tables[number % this.tables.length]!;
  }

  nextSerial(): number {
    return ++this.serial;
  }

  say(text: string | (() => string)): void {
    this.said.push({ at: this.time.now, text });
  }

  heal(afterSeconds: number, what: () => void): void {
    this.healedAt = Math.max(this.healedAt, this.time.now + afterSeconds * 1000);
    this.time.after(afterSeconds * 1000, what);
  }

  startPod(node: SimulatedNode): void {
    const { leaving, uids } = this.kubernetes;
    leaving.delete(node.pod);
    const announced = uids.get(node.pod);
    node.start(announced === undefined || announced === node.uid ? String(this.nextSerial()) : announced);
  }

  writer(): SimulatedNode | undefined {
    return this.nodes.find(node => node.alive && node.server?.open);
  }

  /** A node calls its volume or the bucket. */
  comesTo(node: SimulatedNode): void {
    const { trap } = this;
    if (!trap || !node.manager?.engine.transition || --trap.left > 0) return;
    this.trap = undefined;
    this.say(`FAULT ${node.pod} falls into the trap in ${node.manager.engine.transition.step}`);
    // Its own call is on its way.
    this.time.after(0, () => trap.spring(node));
  }

  /** The volumes go. */
  close(): void {
    for (const node of this.nodes) {
      node.vanish();
      node.unmount();
    }
  }
}
