import { ManagerConfiguration } from "../../components/core/managerConfiguration";
import { EngineSettings } from "../engine/model/settings";
import { MemoryObjectStore } from "../engine/objectStore/memoryObjectStore";
import { configuration } from "../manager/views";
import { SimulatedKubernetes } from "./kubernetes";
import { Network } from "./network";
import { SimulatedNode } from "./node";
import { Random } from "./random";
import { VirtualTime } from "./virtualTime";

/** Three nodes with real managers, one Kubernetes, one bucket: everything else is simulated, on a virtual clock, from one seed. */
export class World {
  readonly time = new VirtualTime();
  readonly random: Random;
  readonly network: Network;
  readonly kubernetes: SimulatedKubernetes;
  readonly store = new MemoryObjectStore();
  readonly nodes: SimulatedNode[];
  readonly configuration: ManagerConfiguration;
  readonly settings: Partial<EngineSettings>;
  /** What happened, in the order of time. */
  readonly timeline: string[] = [];
  private serial = 0;

  constructor(seed: number, changes: Partial<ManagerConfiguration> = {}) {
    this.configuration = { ...configuration, ...changes };
    this.settings = {
      replicaSyncIntervalMilliseconds: this.configuration.replicaSyncIntervalMicroseconds / 1000,
      walSyncThresholdBytes: 16,
      walSyncOnCommit: this.configuration.durability === "commit",
      writeBufferBytes: 8 * 1024 * 1024,
    };
    this.random = new Random(seed);
    this.network = new Network(this.time, this.random);
    this.kubernetes = new SimulatedKubernetes(this.network, text => this.say(`event ${text}`));
    const { name, nodes } = this.configuration;
    this.nodes = Array.from({ length: nodes }, (_, i) => new SimulatedNode(`${name}-${i}`, this));
  }

  nextSerial(): number {
    return ++this.serial;
  }

  say(text: string): void {
    this.timeline.push(`${(this.time.now / 1000).toFixed(3).padStart(9)} ${text}`);
  }

  /** A pod is made on the node: a manager of a new identity. */
  startPod(node: SimulatedNode): void {
    node.start(String(this.nextSerial()));
  }

  /** The node on which a client's write would be accepted; undefined where there is none. */
  writer(): SimulatedNode | undefined {
    return this.nodes.find(node => node.alive && node.server?.open);
  }
}
