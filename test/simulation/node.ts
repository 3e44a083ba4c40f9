import { createHash } from "node:crypto";
import { olderWals, walGeneration } from "../../components/manager/comparison";
import { definitionsTable } from "../../components/manager/definitions";
import { decide } from "../../components/manager/decide";
import { Manager } from "../../components/manager/manager";
import { Clock, Conflict, Detour, Ports, Store, Volume, WalFile } from "../../components/manager/ports";
import { retryingStore } from "../../components/manager/retryingStore";
import { OwnerRecord, VolumeRecord } from "../../components/manager/view";
import { MemoryDisk } from "../engine/disk/memoryDisk";
import { PreconditionFailed } from "../engine/model/ports";
import { emptyWal, WalReader } from "../engine/formats/writeAheadLog";
import { bucket, inProcess, Process, transfer } from "./network";
import { Peers } from "./peers";
import { SimulatedServer } from "./simulatedServer";
import { withTraps } from "./traps";
import { simulatedWatchdog } from "./watchdog";
import type { World } from "./world";

const storeRoundTrip = 15;
/** What the managers keep in the bucket beside the engine's data. */
const ownerKey = "owner.json";
/** Crystals differ by so much. Share. */
const clockDrift = 200e-6;

/** A pod's place: its volume stays when the pod goes, unless the disk is lost with it. */
export class SimulatedNode {
  disk = new MemoryDisk();
  record: VolumeRecord = { volumeId: "" };
  /** What is kept of the engine's files while they are opened. */
  private readonly kept = new Map<string, Uint8Array>();
  process: Process | undefined;
  manager: Manager | undefined;
  server: SimulatedServer | undefined;
  /** A thread of the manager's process. */
  private watchdogThread: Process | undefined;
  /** Of the pod that runs here now. */
  uid = "";
  /** Its machine's processes stand still. */
  isFrozen = false;
  /** Its disk answers nobody. */
  volumeHangs = false;
  /** What the manager has asked the volume for meanwhile. */
  private readonly awaitingVolume: (() => void)[] = [];
  /** Added to the wall clock. Milliseconds. */
  wallClockOffset = 0;
  /** Until then mariadbd ends as soon as it is started: an image that does not work. Virtual milliseconds. */
  brokenUntil = 0;
  /** Added to the time that mariadbd needs to start. Milliseconds. */
  slowStart = 0;
  private readonly wals = new WalReader();
  private readonly clockRate: number;
  private readonly clockOffset: number;

  constructor(
    readonly pod: string,
    private readonly world: World,
  ) {
    this.clockRate = 1 + world.random.between(-clockDrift, clockDrift);
    this.clockOffset = world.random.between(0, 1e9);
  }

  get alive(): boolean {
    return this.process?.alive === true;
  }

  /** Monotonic, of this machine: nothing but its own differences mean anything. */
  now(): number {
    return this.clockOffset + this.world.time.now * this.clockRate;
  }

  /** The kubelet starts the pod's container: another life of the same pod, or, with another `uid`, a new one. */
  start(uid: string): void {
    const { world } = this;
    this.uid = uid;
    const process: Process = { place: this.pod, alive: true, frozen: false, waiting: [] };
    this.process = process;
    world.kubernetes.roles.set(this.pod, world.kubernetes.roles.get(this.pod) ?? "none");
    world.kubernetes.uids.set(this.pod, uid);
    world.kubernetes.ended.delete(this.pod);
    const server = new SimulatedServer(this, process, world);
    this.server = server;
    this.watchdogThread = { place: this.pod, alive: true, frozen: false, waiting: [] };
    const ports = withTraps(this.ports(process, server, this.watchdogThread), this, world);
    const mutated = world.mutation?.ports?.(ports, this, world) ?? ports;
    const decideNext = world.mutation?.decide?.() ?? decide;
    this.manager = new Manager(world.configuration, this.pod, `${this.pod}_${uid}`, mutated, decideNext);
    this.manager.run().catch((error: unknown) => {
      world.say(`${this.pod} the manager ended: ${String(error)}`);
      this.vanish();
    });
  }

  /** Power loss: manager and server are gone within one moment. */
  vanish(): void {
    this.server?.vanish();
    for (const process of [this.process, this.watchdogThread]) if (process) process.alive = false;
  }

  loseDisk(): void {
    this.disk = new MemoryDisk();
    this.kept.clear();
    this.record = { volumeId: "" };
  }

  /** The machine's processes stop. Its clock goes on. */
  freeze(): void {
    this.isFrozen = true;
    this.server?.freeze();
    for (const process of [this.process, this.watchdogThread]) if (process) process.frozen = true;
  }

  /** The manager's loop hangs: its watchdog and mariadbd go on. */
  blockLoop(): void {
    this.world.promises.loopHangs(this);
    if (this.process) this.process.frozen = true;
  }

  /** Whatever waited happens now, the engine's first: the worst order. */
  thaw(): void {
    this.world.promises.thawed(this);
    this.isFrozen = false;
    this.server?.thaw();
    for (const process of [this.process, this.watchdogThread]) {
      if (!process) continue;
      process.frozen = false;
      for (const run of process.waiting.splice(0)) if (process.alive) run();
    }
  }

  /** Nothing that the disk is asked for comes: who waits for it can neither go on nor be killed. */
  hangVolume(): void {
    this.volumeHangs = true;
    this.server?.freeze();
  }

  recoverVolume(): void {
    this.volumeHangs = false;
    this.server?.recover();
    for (const run of this.awaitingVolume.splice(0)) run();
  }

  private thatMayHang(volume: Volume, process: Process): Volume {
    return new Proxy(volume, {
      get: (target, name) => {
        const member = Reflect.get(target, name) as (...parameters: unknown[]) => unknown;
        return (...parameters: unknown[]): unknown => {
          const call = () => Reflect.apply(member, target, parameters);
          if (!this.volumeHangs || name === "watchDefinitions") return call();
          return new Promise(resolve => {
            this.awaitingVolume.push(() => inProcess(process, () => resolve(call())));
          });
        };
      },
    });
  }

  private ports(process: Process, server: SimulatedServer, watchdogThread: Process): Ports {
    const { world } = this;
    const { time } = world;
    const peers = new Peers(world.network, world.nodes, this.pod, process);
    const clock: Clock = {
      now: () => this.now(),
      wallTime: () => new Date(Math.max(0, time.now + this.wallClockOffset)).toISOString(),
      sleep: ms => new Promise(resolve => time.after(ms / this.clockRate, () => inProcess(process, resolve))),
    };
    return {
      clock,
      kubernetes: world.kubernetes.client(process),
      store: retryingStore(this.storeFor(process), clock),
      engine: server,
      volume: this.thatMayHang(
        {
          read: () => Promise.resolve(this.record),
          write: record => Promise.resolve(void (this.record = record)),
          wipe: () => {
            for (const file of this.disk.list()) this.disk.remove(file);
            this.kept.clear();
            this.record = { volumeId: `volume-${world.nextSerial()}` };
            return Promise.resolve(this.record);
          },
          list: () => Promise.resolve(this.filesForBucket()),
          walFiles: () =>
            Promise.resolve(
              this.disk.list().flatMap(name => {
                const generation = walGeneration(name);
                return generation === undefined ? [] : [this.walFile(name, generation)];
              }),
            ),
          keep: () => Promise.resolve(this.keep()),
          lostSinceKept: () => Promise.resolve(this.lostSinceKept()),
          forgetKept: () => Promise.resolve(this.kept.clear()),
          dropFlushedWals: () => {
            for (const name of olderWals(this.disk.list())) this.disk.remove(name);
            return Promise.resolve();
          },
          watchDefinitions: written => {
            const { disk } = this;
            disk.onWrite = name => {
              if (name.startsWith(`${definitionsTable}/`)) time.after(1, () => inProcess(process, () => written(name)));
            };
            return () => (disk.onWrite = undefined);
          },
          readFile: name => Promise.resolve(this.disk.read(name)),
          sstableFiles: () => Promise.resolve(this.sstableFiles()),
        },
        process,
      ),
      peers: {
        ...peers.ports,
        join: (pod, marker, timeout) => {
          return peers.named(pod, timeout, desk => desk.joinReplica(marker, this.pod));
        },
        inventory: (primary, timeout) => {
          return peers.named(primary, timeout, desk => desk.inventory());
        },
        isSound: (pod, timeout) => {
          return peers.named(pod, timeout, desk => desk.isSound());
        },
        detour: pod => {
          const through = <T>(timeout: number, ask: (bucket: Detour) => Promise<T>) => {
            return peers.named(pod, timeout, desk => ask(desk.bucket));
          };
          return {
            list: (timeout, folder) => through(timeout, bucket => bucket.list(timeout, folder)),
            put: (key, content, condition, timeout) =>
              through(timeout, bucket => bucket.put(key, content, condition, timeout)),
            readEngineEpoch: timeout => through(timeout, bucket => bucket.readEngineEpoch(timeout)),
          };
        },
      },
      watchdog: simulatedWatchdog(this, watchdogThread, server, world),
      log: (level, message, fields) =>
        world.say(() => `${this.pod} ${level}: ${message}${fields ? ` ${JSON.stringify(fields)}` : ""}`),
      exit: () => {
        process.alive = false;
        watchdogThread.alive = false;
        server.vanish();
        world.kubernetes.ended.add(this.pod);
        world.say(`${this.pod} exited`);
      },
    };
  }

  private storeFor(process: Process): Store {
    const { network, store } = this.world;
    const call = <T>(timeout: number, effect: () => T, bytes = 0) =>
      network.request(process, bucket, timeout, effect, storeRoundTrip + transfer(bytes));
    return {
      readOwner: timeout =>
        call(timeout, () => {
          const object = store.get(ownerKey);
          return (
            object && { record: JSON.parse(Buffer.from(object.body).toString()) as OwnerRecord, etag: object.etag }
          );
        }),
      writeOwner: (record, etag, timeout) =>
        call(timeout, () => {
          try {
            const body = Buffer.from(JSON.stringify(record));
            return store.put(ownerKey, body, etag === undefined ? { ifNoneMatch: true } : { ifMatch: etag });
          } catch (error) {
            throw error instanceof PreconditionFailed ? new Conflict(ownerKey) : error;
          }
        }),
      list: (timeout, folder = "") => call(timeout, () => store.list(folder)),
      size: (key, timeout) => call(timeout, () => store.head(key)?.size),
      put: (key, content, { ifAbsent, ifMatch, epoch }, timeout) =>
        call(
          timeout,
          () => {
            const metadata = epoch === undefined ? undefined : { epoch: String(epoch) };
            try {
              store.put(key, content, { ifNoneMatch: ifAbsent, ifMatch, metadata });
            } catch (error) {
              throw error instanceof PreconditionFailed ? new Conflict(key) : error;
            }
          },
          content.length,
        ),
      delete: (key, timeout) => call(timeout, () => store.delete(key)),
      copy: (from, to, timeout) =>
        call(timeout, () => {
          const object = store.get(from);
          if (!object) throw new Error(`there is no ${from}`);
          store.put(to, object.body, { metadata: object.metadata });
        }),
      epochOf: (key, timeout) => call(timeout, () => Number(store.head(key)?.metadata.epoch ?? 0)),
      stampEpoch: (key, epoch, timeout) =>
        call(timeout, () => {
          const object = store.get(key);
          if (!object) throw new Error(`there is no ${key}`);
          store.put(key, object.body, { metadata: { ...object.metadata, epoch: String(epoch) } });
        }),
      readEngineEpoch: timeout =>
        call(timeout, () => Number(store.head("data/_tdb_primary_lease")?.metadata.epoch ?? 0)),
      supportsConditionalWrites: timeout => call(timeout, () => true),
    };
  }

  private keep(): void {
    const isWhole = [...this.kept.keys()].some(name => name.endsWith("/MANIFEST"));
    for (const [name, content] of this.kept)
      if (name.endsWith("/MANIFEST") || this.disk.size(name) === undefined) this.disk.write(name, content);
    for (const name of this.disk.list()) {
      const isOfTable = /(\/MANIFEST|\.[kv]log)$/.test(name);
      if (walGeneration(name) !== undefined || (!isWhole && isOfTable)) this.kept.set(name, this.disk.read(name)!);
    }
  }

  private lostSinceKept(): string[] {
    const manifestOf = (name: string) => name.replace(/[^/]*$/, "MANIFEST");
    return [...this.kept.keys()].filter(name => {
      if (!/\.[kv]log$/.test(name) || this.disk.size(name) !== undefined) return false;
      const [kept, now] = [this.kept.get(manifestOf(name)), this.disk.read(manifestOf(name))];
      return kept !== undefined && (now === undefined || !Buffer.from(kept).equals(now));
    });
  }

  private walFile(name: string, generation: number): WalFile {
    const bytes = this.disk.size(name) ?? 0;
    if (!this.world.settings.overtakenCommitProbability) return { generation, bytes, isDisordered: false };
    const records = this.wals.read(name, this.disk.read(name) ?? emptyWal);
    const isDisordered = records.some(({ sequence }, i) => sequence < (records[i - 1]?.sequence ?? 0));
    return { generation, bytes, isDisordered };
  }

  private sstableFiles() {
    const names = this.disk.list().filter(name => /\.[kv]log$/.test(name));
    return names.map(name => ({ name, size: this.disk.size(name) ?? 0 }));
  }

  private filesForBucket() {
    return this.disk
      .list()
      .filter(name => /(^|\/)(MANIFEST|UNIMAP|uwal_\d+\.log|.*\.(klog|vlog))$/.test(name))
      .map(name => {
        if (!/MANIFEST$|UNIMAP$/.test(name)) return { name, size: this.disk.size(name) ?? 0 };
        const content = this.disk.read(name) ?? new Uint8Array();
        return { name, size: content.length, md5: createHash("md5").update(content).digest("hex") };
      });
  }
}
