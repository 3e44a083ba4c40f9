import { createHash } from "node:crypto";
import { walGeneration } from "../../components/manager/comparison";
import { Manager } from "../../components/manager/manager";
import { Conflict, PeerStatus, Ports, Store } from "../../components/manager/ports";
import { OwnerRecord, VolumeRecord } from "../../components/manager/view";
import { MemoryDisk } from "../engine/disk/memoryDisk";
import { PreconditionFailed } from "../engine/model/ports";
import { bucket, inProcess, Process } from "./network";
import { SimulatedServer } from "./simulatedServer";
import type { World } from "./world";

const storeRoundTrip = 15;
const peerRoundTrip = 4;
const watchdogInterval = 20;
/** What the managers keep in the bucket beside the engine's data. */
const ownerKey = "owner.json";

/** A pod's place: its volume stays when the pod goes, unless the disk is lost with it. */
export class SimulatedNode {
  disk = new MemoryDisk();
  record: VolumeRecord = { volumeId: "" };
  process: Process | undefined;
  manager: Manager | undefined;
  server: SimulatedServer | undefined;
  /** Of the pod that runs here now. */
  uid = "";

  constructor(
    readonly pod: string,
    private readonly world: World,
  ) {}

  get alive(): boolean {
    return this.process?.alive === true;
  }

  /** The kubelet starts the pod's container: another life of the same pod, or, with `newPod`, of a new one. */
  start(uid: string): void {
    const { world } = this;
    this.uid = uid;
    const process: Process = { place: this.pod, alive: true, frozen: false, waiting: [] };
    this.process = process;
    world.kubernetes.roles.set(this.pod, world.kubernetes.roles.get(this.pod) ?? "none");
    const { time, network, random, store, settings } = world;
    const log = (text: string) => world.say(`${this.pod} engine: ${text}`);
    const server = new SimulatedServer({
      manager: process,
      disk: this.disk,
      store,
      network,
      time,
      random,
      settings,
      log,
    });
    this.server = server;
    this.manager = new Manager(world.configuration, this.pod, `${this.pod}_${uid}`, this.ports(process, server));
    this.manager.run().catch((error: unknown) => {
      world.say(`${this.pod} the manager ended: ${String(error)}`);
      this.vanish();
    });
  }

  /** Power loss: manager and server are gone within one moment. */
  vanish(): void {
    this.server?.vanish();
    if (this.process) this.process.alive = false;
  }

  loseDisk(): void {
    this.disk = new MemoryDisk();
    this.record = { volumeId: "" };
  }

  freeze(): void {
    for (const process of [this.process, this.server?.process]) if (process) process.frozen = true;
  }

  /** Whatever waited happens now, the engine's first: the worst order. */
  thaw(): void {
    for (const process of [this.server?.process, this.process]) {
      if (!process) continue;
      process.frozen = false;
      for (const run of process.waiting.splice(0)) if (process.alive) run();
    }
  }

  private ports(process: Process, server: SimulatedServer): Ports {
    const { world } = this;
    const { time } = world;
    return {
      clock: {
        now: () => time.now,
        wallTime: () => new Date(time.now).toISOString(),
        sleep: ms => new Promise(resolve => time.after(ms, () => inProcess(process, resolve))),
      },
      kubernetes: world.kubernetes.client(process),
      store: this.storeFor(process),
      engine: server,
      volume: {
        read: () => Promise.resolve(this.record),
        write: record => Promise.resolve(void (this.record = record)),
        wipe: () => {
          for (const file of this.disk.list()) this.disk.remove(file);
          this.record = { volumeId: `volume-${world.nextSerial()}` };
          return Promise.resolve(this.record);
        },
        list: () => Promise.resolve(this.filesForBucket()),
        walFiles: () =>
          Promise.resolve(
            this.disk.list().flatMap(name => {
              const generation = walGeneration(name);
              return generation === undefined ? [] : [{ generation, bytes: this.disk.size(name) ?? 0 }];
            }),
          ),
        readFile: name => Promise.resolve(this.disk.read(name)),
        emptyTableFile: () =>
          Promise.resolve(this.disk.list().find(name => name.endsWith(".klog") && this.disk.size(name) === 0)),
      },
      peers: {
        askAll: async timeout => {
          const asked = this.others().map(other => this.peer(process, other, timeout, manager => manager.peerStatus()));
          const answers = await Promise.allSettled<PeerStatus>(asked);
          return answers.filter(answer => answer.status === "fulfilled").map(answer => answer.value);
        },
        join: (pod, marker, timeout) => {
          const other = world.nodes.find(node => node.pod === pod);
          if (!other) return Promise.reject(new Error(`no pod ${pod}`));
          return this.peer(process, other, timeout, manager => manager.joinReplica(marker, this.pod));
        },
        confirm: async (pods, identity, epoch, timeout) => {
          const asked = pods.map(pod => {
            const other = world.nodes.find(node => node.pod === pod);
            if (!other) return Promise.reject(new Error(`no pod ${pod}`));
            return this.peer(process, other, timeout, manager => manager.confirmPrimary(identity, epoch));
          });
          const answers = await Promise.allSettled(asked);
          return answers.every(answer => answer.status === "fulfilled" && answer.value);
        },
        leaseChanged: () => {
          for (const other of this.others()) {
            this.peer(process, other, 1000, manager => manager.leaseChanged()).catch(() => undefined);
          }
        },
      },
      watchdog: this.watchdog(process, server),
      log: (level, message, fields) =>
        world.say(`${this.pod} ${level}: ${message}${fields ? ` ${JSON.stringify(fields)}` : ""}`),
      exit: () => {
        process.alive = false;
        server.vanish();
        world.say(`${this.pod} exited`);
      },
    };
  }

  private others(): SimulatedNode[] {
    return this.world.nodes.filter(node => node !== this);
  }

  private peer<T>(
    process: Process,
    other: SimulatedNode,
    timeout: number,
    ask: (manager: Manager) => T | Promise<T>,
  ): Promise<T> {
    const answer = () => {
      if (!other.alive || !other.manager || other.process?.frozen) throw new Error(`${other.pod} is not there`);
      return ask(other.manager);
    };
    return this.world.network.request(process, other.pod, timeout, answer, peerRoundTrip);
  }

  /** The real one is a thread of the manager's process: it freezes and dies with it, and does not need its event loop. */
  private watchdog(process: Process, server: SimulatedServer): Ports["watchdog"] {
    let deadline = 0;
    let guarded = 0;
    const look = () => {
      if (guarded !== 0 && this.world.time.now >= deadline && server.pid() === guarded) {
        this.world.say(`${this.pod} watchdog: the deadline has passed`);
        guarded = 0;
        server.kill();
      }
      this.world.time.after(watchdogInterval, () => inProcess(process, look));
    };
    look();
    return { setDeadline: at => void (deadline = at), guard: pid => void (guarded = pid) };
  }

  private storeFor(process: Process): Store {
    const { network, store } = this.world;
    const call = <T>(timeout: number, effect: () => Promise<T>) =>
      network.request(process, bucket, timeout, effect, storeRoundTrip);
    return {
      readOwner: timeout =>
        call(timeout, async () => {
          const object = await store.get(ownerKey);
          return (
            object && { record: JSON.parse(new TextDecoder().decode(object.body)) as OwnerRecord, etag: object.etag }
          );
        }),
      writeOwner: (record, etag, timeout) =>
        call(timeout, async () => {
          // Two writes of one content must differ, as the real record's would by its holder.
          const body = new TextEncoder().encode(JSON.stringify(record));
          try {
            return await store.put(ownerKey, body, etag === undefined ? { ifNoneMatch: true } : { ifMatch: etag });
          } catch (error) {
            throw error instanceof PreconditionFailed ? new Conflict(ownerKey) : error;
          }
        }),
      list: (timeout, folder = "") =>
        call(timeout, async () =>
          (await store.list(folder)).map(({ key, size }) => ({
            key,
            size,
            etag: store.objects.get(key)?.etag.replaceAll('"', "") ?? "",
          })),
        ),
      size: (key, timeout) => call(timeout, async () => (await store.head(key))?.size),
      put: (key, content, { ifAbsent, ifMatch, epoch }, timeout) =>
        call(timeout, async () => {
          try {
            await store.put(key, content, {
              ...(ifAbsent && { ifNoneMatch: true }),
              ...(ifMatch !== undefined && { ifMatch: `"${ifMatch}"` }),
              ...(epoch !== undefined && { metadata: { epoch: String(epoch) } }),
            });
          } catch (error) {
            throw error instanceof PreconditionFailed ? new Conflict(key) : error;
          }
        }),
      delete: (key, timeout) => call(timeout, () => store.delete(key)),
      copy: (from, to, timeout) =>
        call(timeout, async () => {
          const object = await store.get(from);
          if (!object) throw new Error(`there is no ${from}`);
          await store.put(to, object.body, { metadata: object.metadata });
        }),
      readEngineEpoch: timeout =>
        call(timeout, async () => Number((await store.head("data/_tdb_primary_lease"))?.metadata.epoch ?? 0)),
      supportsConditionalWrites: timeout => call(timeout, () => Promise.resolve(true)),
    };
  }

  private filesForBucket() {
    return this.disk
      .list()
      .filter(name => /(^|\/)(MANIFEST|uwal_\d+\.log|.*\.(klog|vlog))$/.test(name))
      .map(name => {
        const content = this.disk.read(name) ?? new Uint8Array();
        const md5 = name.endsWith("MANIFEST") ? createHash("md5").update(content).digest("hex") : undefined;
        return { name, size: content.length, md5 };
      });
  }
}
