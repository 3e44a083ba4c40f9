import { crc32 } from "node:zlib";
import { countingBucket } from "../../components/manager/transitions/countingBucket";
import { decide } from "../../components/manager/decide/decide";
import { Manager } from "../../components/manager/manager";
import { NodePorts } from "../../components/manager/transitions/nodePorts";
import { Bucket, StoredContent } from "../../components/manager/store/bucket/bucket";
import { EngineHandler } from "../../components/manager/store/gateway/gateway";
import { entryKey } from "../../components/manager/store/log/keys";
import { bucket, inProcess, Process } from "./network";
import { Peers } from "./peers";
import type { Random } from "./random";
import { simulatedWatchdog } from "./watchdog";
import { SimulatedServer } from "./server";
import { mount, SimulatedVolume } from "./volume";
import type { World } from "./world";

const bucketRoundTrip = 12;
/** The longest time for a file's bytes. Milliseconds. */
const fileTimeout = 10_000;
/** An empty server is copied. Milliseconds. */
const freshServerTakes = 40;
/** Until the manager is told that its engine has written. Milliseconds. */
const alarmTakes = 1;
const clockDrift = 200e-6;
/** A container is started again within so long. Seconds. */
const longestAbsence = 12;

/** What a manager says whose writer has met another's entry. */
const metAnother = "another node is the writer now";

const nobody: EngineHandler = { handle: () => Promise.resolve({ status: 503 }) };

/** A pod's place: its volume stays when the pod goes, unless the disk is lost with it. */
export class SimulatedNode {
  readonly volume = new SimulatedVolume();
  process: Process | undefined;
  manager: Manager | undefined;
  server: SimulatedServer | undefined;
  /** Who answers the engine, and the key that it has to have. */
  handler = nobody;
  key = "";
  uid = "";
  isFrozen = false;
  volumeHangs = false;
  /** When its volume last answered again. */
  private volumeBackAt = -Infinity;
  wallClockOffset = 0;
  brokenUntil = 0;
  slowStart = 0;
  /** Unmounts the volume. */
  readonly unmount: () => void;
  private readonly root: string;
  private hasServer = false;
  /** Since its start, or since it thawed. */
  private wellSince = 0;
  private watchdogThread: Process | undefined;
  /** Objects that this process has created. */
  private readonly created = new Set<string>();
  private readonly awaitingVolume: (() => void)[] = [];
  private readonly clockRate: number;
  private readonly clockOffset: number;

  constructor(
    readonly pod: string,
    private readonly world: World,
  ) {
    this.clockRate = 1 + world.random.between(-clockDrift, clockDrift);
    this.clockOffset = world.random.between(0, 1e9);
    this.root = `/simulated/${world.number}-${pod}`;
    this.unmount = mount(this.root, {
      volume: this.volume,
      pass: changes => this.pass(changes),
      first: () => world.random.chance(0.5),
    });
  }

  get directory(): string {
    return `${this.root}/tidesdb`;
  }

  get alive(): boolean {
    return this.process?.alive === true;
  }

  /** It has been well for so long, and has known the log. Milliseconds. */
  hasFollowedFor(milliseconds: number): boolean {
    const { manager, world } = this;
    return this.alive && manager?.store.state !== undefined && world.time.now - this.wellSince >= milliseconds;
  }

  now(): number {
    return this.clockOffset + this.world.time.now * this.clockRate;
  }

  start(uid: string): void {
    const { world } = this;
    this.uid = uid;
    this.created.clear();
    this.wellSince = world.time.now;
    const process: Process = { place: this.pod, alive: true, frozen: false, waiting: [] };
    this.process = process;
    world.kubernetes.roles.set(this.pod, world.kubernetes.roles.get(this.pod) ?? "none");
    world.kubernetes.uids.set(this.pod, uid);
    world.kubernetes.ended.delete(this.pod);
    const server = new SimulatedServer(this, process, world);
    this.server = server;
    this.handler = nobody;
    this.watchdogThread = { place: this.pod, alive: true, frozen: false, waiting: [] };
    const ports = this.ports(process, server, this.watchdogThread);
    const decideNext = world.mutation?.decide?.() ?? decide;
    this.manager = new Manager(world.configuration, this.pod, `${this.pod}_${uid}`, ports, decideNext);
    this.manager.run().catch((error: unknown) => {
      world.say(`${this.pod} the manager ended: ${String(error)}`);
      this.vanish();
    });
  }

  /** Manager and server are gone within one moment. */
  vanish(): void {
    const { failoverPreference } = this.world.configuration;
    // In `interval` who takes over before this pod is back lacks what was not shipped.
    if (this.alive && failoverPreference === "availability") this.world.promises.mayDepart(this.pod, longestAbsence);
    // It comes back with another start of the machine.
    this.isFrozen = false;
    this.server?.vanish();
    for (const process of [this.process, this.watchdogThread]) if (process) process.alive = false;
  }

  loseDisk(): void {
    this.volume.clear();
    this.hasServer = false;
  }

  /** The machine goes off: what its disk had not been told to keep may be gone. */
  losePower(random: Random): void {
    this.vanish();
    this.volume.losePower(random);
  }

  freeze(): void {
    this.wellSince = Infinity;
    this.isFrozen = true;
    this.server?.freeze();
    for (const process of [this.process, this.watchdogThread]) if (process) process.frozen = true;
  }

  blockLoop(): void {
    this.wellSince = Infinity;
    this.world.promises.loopHangs(this);
    if (this.process) this.process.frozen = true;
  }

  thaw(): void {
    this.world.promises.thawed(this);
    this.wellSince = this.world.time.now;
    this.isFrozen = false;
    this.server?.thaw();
    for (const process of [this.process, this.watchdogThread]) {
      if (!process) continue;
      process.frozen = false;
      for (const run of process.waiting.splice(0)) if (process.alive) run();
    }
  }

  /** @param answers mariadbd goes on with what does not touch the volume */
  hangVolume(answers = false): void {
    this.wellSince = Infinity;
    // An engine that has ended before does not end now.
    if (!answers) this.server?.freeze();
    else if (this.server?.process?.alive) this.world.promises.stopped(this);
    this.volumeHangs = true;
  }

  /** Its volume has answered for so long. Milliseconds. */
  volumeHasAnsweredFor(milliseconds: number): boolean {
    return !this.volumeHangs && this.world.time.now - this.volumeBackAt >= milliseconds;
  }

  /** Resolves when the volume answers. */
  volumeAnswers(): Promise<void> {
    return this.volumeHangs ? new Promise(resolve => this.awaitingVolume.push(resolve)) : Promise.resolve();
  }

  recoverVolume(): void {
    this.wellSince = this.world.time.now;
    this.volumeBackAt = this.world.time.now;
    this.volumeHangs = false;
    this.server?.recover();
    for (const run of this.awaitingVolume.splice(0)) run();
  }

  /** The manager's call on its volume goes on: a change takes a moment, in which it can die. */
  private pass(changes: boolean): Promise<void> {
    const { process, world } = this;
    if (!process?.alive) return new Promise(() => undefined);
    if (!changes && !this.volumeHangs && !process.frozen) return Promise.resolve();
    this.world.comesTo(this);
    return new Promise(resolve => {
      const goOn = () => {
        if (this.volumeHangs) this.awaitingVolume.push(goOn);
        else inProcess(process, resolve);
      };
      if (this.volumeHangs) this.awaitingVolume.push(goOn);
      else world.time.after(world.random.between(0.05, 0.6), goOn);
    });
  }

  private ports(process: Process, server: SimulatedServer, watchdogThread: Process): NodePorts {
    const { world } = this;
    const { time } = world;
    const peers = new Peers(world.network, world.nodes, this.pod, process);
    const clock: NodePorts["clock"] = {
      now: () => this.now(),
      wall: () => Math.max(0, 1_800_000_000_000 + time.now + this.wallClockOffset),
      wallTime: () => new Date(Math.max(0, time.now + this.wallClockOffset)).toISOString(),
      sleep: ms => new Promise(resolve => time.after(ms / this.clockRate, () => inProcess(process, resolve))),
      every: (ms, run) => {
        let isOver = false;
        const again = () =>
          time.after(ms, () => {
            if (isOver || !process.alive) return;
            inProcess(process, run);
            again();
          });
        again();
        return () => (isOver = true);
      },
    };
    return {
      clock,
      kubernetes: world.kubernetes.client(process),
      engine: server,
      bucket: countingBucket(this.bucketFor(process), clock),
      files: {
        directory: this.directory,
        server: `${this.root}/mysql`,
        own: `${this.root}/store`,
        followerMemoryBytes: world.followerMemoryBytes,
        freshServer: async () => {
          await clock.sleep(freshServerTakes);
          await this.pass(true);
          this.hasServer = true;
        },
        isPrepared: () => true,
        onWrite: changed => this.volume.onWrite(() => time.after(alarmTakes, () => inProcess(process, changed))),
        hasServer: () => Promise.resolve(this.hasServer),
      },
      door: {
        open: handler => void (this.handler = handler),
        shut: () => void (this.handler = nobody),
        renewKey: () => void (this.key = `key-${world.nextSerial()}`),
      },
      cluster: world.cluster,
      pushEntry: (pod, entry, timeout) => peers.named(pod, timeout, desk => desk.takeEntry(entry)),
      peers: peers.ports,
      watchdog: world.mutation?.watchdog ?? simulatedWatchdog(this, watchdogThread, server, world),
      log: (level, message, fields) => {
        if (message === metAnother) this.judgeMet(String(fields?.error));
        world.say(() => {
          // Its folder's name counts the worlds of this process.
          const details = fields ? ` ${JSON.stringify(fields).replaceAll(this.root, "")}` : "";
          return `${this.pod} ${level}: ${message}${details}`;
        });
      },
      exit: () => {
        process.alive = false;
        watchdogThread.alive = false;
        server.vanish();
        world.kubernetes.ended.add(this.pod);
        world.say(`${this.pod} exited`);
      },
    };
  }

  /** Its writer says that somebody else has ended the epoch: it was not this node itself. */
  private judgeMet(error: string): void {
    const [, epoch, position] = /epoch (\d+) was ended at (\d+)/.exec(error) ?? [];
    if (position === undefined) return;
    if (this.created.has(entryKey(Number(epoch), Number(position))))
      this.world.promises.violated(`${this.pod} takes its own entry ${position} for another writer's`);
  }

  private bucketFor(process: Process): Bucket {
    const { network, objects, partBytes } = this.world;
    const call = <T>(timeout: number, effect: () => T): Promise<T> => {
      this.world.comesTo(this);
      return network.request(process, bucket, timeout, effect, bucketRoundTrip);
    };
    const sumOf = (content: Buffer) => ({ size: content.length, crc32: crc32(content) });
    return {
      get: (key, timeout) => call<StoredContent | undefined>(timeout, () => objects.get(key)),
      create: (key, content, timeout) =>
        call(timeout, () => {
          const outcome = objects.create(key, content, this);
          if (outcome === "created" && this.process === process) this.created.add(key);
          return outcome;
        }),
      replace: (key, content, etag, timeout) => call(timeout, () => objects.replace(key, content, etag, this)),
      putFile: async (key, path) => {
        await this.pass(false);
        const content = this.volume.read(path);
        // It is there with its last part.
        for (let at = partBytes; at < content.length; at += partBytes) await call(fileTimeout, () => undefined);
        await call(fileTimeout, () => objects.put(key, content, this));
        return sumOf(content);
      },
      getFile: async (key, path) => {
        const object = await call(fileTimeout, () => objects.get(key));
        if (!object) return undefined;
        await this.pass(true);
        this.volume.write(path, object.content);
        this.volume.sync(this.volume.inode(path));
        return sumOf(object.content);
      },
      list: (prefix, after, limit, timeout) => call(timeout, () => objects.list(prefix, after, limit)),
      delete: (key, timeout) => call(timeout, () => objects.delete(key)),
    };
  }
}
