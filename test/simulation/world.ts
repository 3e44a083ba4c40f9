import { ManagerConfiguration } from "../../components/core/managerConfiguration";
import { EngineSettings } from "../engine/model/settings";
import { configuration } from "../manager/views";
import { SimulatedBucket } from "./bucket";
import { SimulatedKubernetes } from "./kubernetes";
import type { Mutation } from "./mutations";
import { Network } from "./network";
import { SimulatedNode } from "./node";
import { Promises } from "./promises";
import { Random } from "./random";
import type { Trap } from "./traps";
import { VirtualTime } from "./virtualTime";

/** What differs from one world to the next. */
export interface WorldOptions {
  /** Tables that the application writes to. Default 1. */
  tables?: number;
  /** Tables merge SSTables with deleted rows by themselves. Default true. */
  automaticCompaction?: boolean;
  configuration?: Partial<ManagerConfiguration>;
  engine?: Partial<EngineSettings>;
  /** An engine's request that nobody answers fails after so long. Default 5 s. Milliseconds. */
  engineRequestTimeout?: number;
  /** A rule that is switched off. */
  mutation?: Mutation;
}

/** Three nodes with real managers, one Kubernetes, one bucket: everything else is simulated, on a virtual clock, from one seed. */
export class World {
  readonly time = new VirtualTime();
  readonly random: Random;
  readonly network: Network;
  readonly kubernetes: SimulatedKubernetes;
  readonly store = new SimulatedBucket();
  readonly nodes: SimulatedNode[];
  readonly configuration: ManagerConfiguration;
  readonly settings: Partial<EngineSettings>;
  /** The application's tables. */
  readonly tables: readonly string[];
  readonly automaticCompaction: boolean;
  readonly engineRequestTimeout: number;
  readonly mutation: Mutation | undefined;
  readonly promises: Promises;
  /** What happens when a node comes to a step of a promotion or a handover. */
  trap: Trap | undefined;
  /** All faults so far are over from this moment on. Virtual milliseconds. */
  healedAt = 0;
  private readonly said: { at: number; text: string | (() => string) }[] = [];
  private serial = 0;

  constructor(seed: number, options: WorldOptions = {}) {
    this.configuration = { ...configuration, ...options.configuration };
    const commit = this.configuration.durability === "commit";
    this.settings = {
      replicaSyncIntervalMilliseconds: this.configuration.replicaSyncIntervalMicroseconds / 1000,
      walSyncThresholdBytes: commit ? 1024 * 1024 : 16,
      walSyncOnCommit: commit,
      writeBufferBytes: 8 * 1024 * 1024,
      overtakenCommitProbability: 0,
      ...options.engine,
    };
    this.tables = Array.from({ length: options.tables ?? 1 }, (_, i) => (i === 0 ? "orders" : `orders_${i}`));
    this.automaticCompaction = options.automaticCompaction ?? true;
    this.engineRequestTimeout = options.engineRequestTimeout ?? 5000;
    this.mutation = options.mutation;
    this.random = new Random(seed);
    this.promises = new Promises(this);
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

  /** What happened, in the order of time. */
  get timeline(): string[] {
    return this.said.map(({ at, text }) => {
      return `${(at / 1000).toFixed(3).padStart(9)} ${typeof text === "string" ? text : text()}`;
    });
  }

  /** The application's table that holds the rows of a key. */
  tableOf(key: string): string {
    const number = Number(/\d+$/.exec(key)?.[0] ?? 0);
    return this.tables[number % this.tables.length]!;
  }

  nextSerial(): number {
    return ++this.serial;
  }

  /** @param text a function where it costs something to make, and its arguments do not change */
  say(text: string | (() => string)): void {
    this.said.push({ at: this.time.now, text });
  }

  /** Runs `what` later, and counts until then as not healed. */
  heal(afterSeconds: number, what: () => void): void {
    const { time } = this;
    this.healedAt = Math.max(this.healedAt, time.now + afterSeconds * 1000);
    time.after(afterSeconds * 1000, what);
  }

  /** A pod is made on the node: a manager of a new identity. */
  startPod(node: SimulatedNode): void {
    const { leaving, uids } = this.kubernetes;
    leaving.delete(node.pod);
    // After a deletion by force the API server has the new pod already.
    const announced = uids.get(node.pod);
    node.start(announced === undefined || announced === node.uid ? String(this.nextSerial()) : announced);
  }

  /** The node on which a client's write would be accepted; undefined where there is none. */
  writer(): SimulatedNode | undefined {
    return this.nodes.find(node => node.alive && node.server?.open);
  }
}
