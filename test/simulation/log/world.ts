import { ManagerConfiguration } from "../../../components/core/managerConfiguration";
import { configuration } from "../../manager/views";
import { SimulatedKubernetes } from "../kubernetes";
import { Network, Process } from "../network";
import type { SimulatedNode } from "../node";
import { shippingLag } from "../promised";
import { Promises } from "../promises";
import { Random } from "../random";
import { VirtualTime } from "../virtualTime";
import type { World } from "../world";
import type { LogEngine } from "./engine";
import { Judge } from "./judge";
import type { LogMutation } from "./mutations";
import { LogNode } from "./node";
import { LogObjects } from "./objects";

export interface LogWorldOptions {
  tables: number;
  configuration: Partial<ManagerConfiguration>;
  mutation?: LogMutation;
}

/** A commit that was acknowledged so long before its node was lost has been told to the others: a look at the WAL, a few milliseconds on the network, some more while another push is on its way. */
const toldWithin = 100;
/** Where nothing was wrong for so long, every push has come. Milliseconds. */
const calmFor = 2000;

/** An engine that ended while nothing was wrong with the network or the other nodes. */
interface CalmEnd {
  pod: string;
  at: number;
  engine: LogEngine;
  /** Processes of the others. */
  others: Map<string, Process>;
}

/** In `commit` nothing is excused, a zombie's last words neither: its epoch is sealed. */
class LogPromises extends Promises {
  private readonly loops: { pod: string; from: number; until: number }[] = [];
  private calmEnd: CalmEnd | undefined;

  constructor(private readonly log: LogWorld) {
    super(log as unknown as World);
  }

  /** A manager that hangs ships nothing, and its engine acknowledges in `interval` until the watchdog ends it. */
  override loopHangs(node: SimulatedNode): void {
    super.loopHangs(node);
    const { leaseDurationSeconds } = this.log.configuration;
    const from = this.log.time.now - shippingLag;
    this.loops.push({ pod: node.pod, from, until: from + 1000 * leaseDurationSeconds + shippingLag });
  }

  override stopped(node: SimulatedNode): void {
    super.stopped(node);
    const { nodes, network, time, configuration } = this.log;
    const own = nodes.find(({ pod }) => pod === node.pod);
    const engine = own?.server?.model;
    if (!engine?.isPrimary || configuration.durability === "commit") return;
    // What is frozen ended when that began.
    if (own?.server?.process?.frozen) return;
    const others = nodes.filter(({ pod }) => pod !== node.pod);
    const hung = this.loops.some(({ pod }) => pod === node.pod);
    this.calmEnd = undefined;
    if (hung || network.calmFor < calmFor || !others.every(other => other.hasFollowedFor(calmFor))) return;
    const processes = others.flatMap(({ pod, process }) => (process ? [[pod, process] as const] : []));
    this.calmEnd = { pod: node.pod, at: time.now, engine, others: new Map(processes) };
  }

  /** Whoever takes over from a node that was lost while all else was well has what that had told the others. */
  override opened(node: SimulatedNode): void {
    super.opened(node);
    const { calmEnd } = this;
    this.calmEnd = undefined;
    const { judge, nodes } = this.log;
    const own = nodes.find(({ pod }) => pod === node.pod);
    if (!calmEnd || calmEnd.pod === node.pod || !own?.process || own.process !== calmEnd.others.get(node.pod)) return;
    const missing = judge.commits.oldestMissing(calmEnd.engine, block => judge.has(block));
    if (!missing || missing.at > calmEnd.at - toldWithin) return;
    const before = Math.round(calmEnd.at - missing.at);
    this.violated(
      `${node.pod} opens without a commit that ${calmEnd.pod} had acknowledged ${before} ms before its end`,
    );
  }

  override mayBeLost(pod: string, sentAt: number, at: number): boolean {
    if (this.log.configuration.durability === "commit") return false;
    return (
      super.mayBeLost(pod, sentAt, at) ||
      this.loops.some(loop => loop.pod === pod && at >= loop.from && at <= loop.until)
    );
  }
}

let worlds = 0;

/** Nodes with real managers on the real store, one Kubernetes, one bucket: everything else is simulated, on a virtual clock, from one seed. */
export class LogWorld {
  readonly number = ++worlds;
  readonly time = new VirtualTime();
  readonly random: Random;
  readonly network: Network;
  readonly kubernetes: SimulatedKubernetes;
  readonly objects = new LogObjects();
  readonly judge: Judge;
  readonly nodes: LogNode[];
  readonly configuration: ManagerConfiguration;
  readonly tables: readonly string[];
  readonly mutation: LogMutation | undefined;
  readonly promises: Promises;
  /** Probability that the engine flushes, four times a second. */
  readonly flushShare: number;
  readonly followerMemoryBytes: number;
  /** A node in a takeover or a handover falls into it at the so-manieth call outside. */
  trap: { left: number; spring: (node: LogNode) => void } | undefined;
  healedAt = 0;
  private readonly said: { at: number; text: string | (() => string) }[] = [];
  private serial = 0;

  constructor(seed: number, { tables, mutation, configuration: changes }: LogWorldOptions) {
    this.configuration = { ...configuration, ...changes, store: "log" };
    this.tables = Array.from({ length: tables }, (_, i) => (i === 0 ? "orders" : `orders_${i}`));
    this.mutation = mutation;
    this.random = new Random(seed);
    this.flushShare = this.random.pick([0.02, 0.1, 0.4]);
    this.followerMemoryBytes = this.random.pick([20_000, 1e9, 1e9]);
    this.promises = new LogPromises(this);
    this.judge = new Judge(
      text => this.promises.violated(text),
      key => this.objects.get(key)?.content,
    );
    this.objects.judge = this.judge;
    this.network = new Network(this.time, this.random);
    this.kubernetes = new SimulatedKubernetes(
      this.time,
      this.network,
      text => this.say(`event ${text}`),
      pod => this.nodes.find(node => node.pod === pod)?.manager?.ready() === true,
    );
    const { name, nodes } = this.configuration;
    this.nodes = Array.from({ length: nodes }, (_, i) => new LogNode(`${name}-${i}`, this));
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

  startPod(node: LogNode): void {
    const { leaving, uids } = this.kubernetes;
    leaving.delete(node.pod);
    const announced = uids.get(node.pod);
    node.start(announced === undefined || announced === node.uid ? String(this.nextSerial()) : announced);
  }

  writer(): LogNode | undefined {
    return this.nodes.find(node => node.alive && node.server?.open);
  }

  /** A node calls its volume or the bucket. */
  comesTo(node: LogNode): void {
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
