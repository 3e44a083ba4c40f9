import { tableFolder } from "../../components/manager/orphans";
import { CompactableTable } from "../../components/manager/compaction";
import { Engine, Heartbeat } from "../../components/manager/ports";
import { Engine as EngineModel, reaperIntervalMilliseconds, RowWrite } from "../engine/model/engine";
import { EngineCrashed, NoSuchTable } from "../engine/model/errors";
import { ObjectStore } from "../engine/model/ports";
import { WriteGate } from "../engine/server/execute/locks";
import { bucket, inProcess, Process, transfer } from "./network";
import type { SimulatedNode } from "./node";
import { promised } from "./promised";
import type { World } from "./world";

/** How long parts of the server take. Milliseconds. */
const processStart = 600;
const statement = 2;
/** One call to the bucket, there and back. */
const storeRoundTrip = 10;
const statusTimeout = 5000;
/** A read on a healthy link is answered at once, and the time that it took is slept together with that of its neighbours: so often. */
const sleepProbability = 0.2;

const heartbeatTable = { database: "tidesql_internal", table: "heartbeat" };
const markerTable = { database: "tidesql_internal", table: "joined" };
/** What engine.cnf makes the default of new tables. */
const familySettings = {
  l1FileCountTrigger: 1000,
  minLevels: 2,
  writeBufferBytes: 1024 ** 3,
};
/** The application's first table. */
export const applicationTable = { database: "shop", table: "orders" };

/** mariadbd, with the model of the engine in it: a process that can be killed, frozen, be slow, and lie. */
export class SimulatedServer implements Engine {
  process: Process | undefined;
  /** The next promotion does nothing, and says that all is well. */
  lies = false;
  /** It was sent SIGKILL while it waited for a volume that does not answer. */
  private doomed: Process | undefined;
  private model: EngineModel | undefined;
  private readOnly = true;
  private gate = new WriteGate();
  private pids = 0;
  private heldUntil = 0;
  /** Changes whenever all sessions are ended. */
  private sessions = 0;
  private readonly listeners: ((how: string) => void)[] = [];

  /** @param manager what it awaits is answered in this process */
  constructor(
    private readonly node: SimulatedNode,
    private readonly manager: Process,
    private readonly world: World,
  ) {}

  /** Whether a client's write would be accepted, now or, in a frozen process, at its thaw. */
  get open(): boolean {
    const { process } = this;
    return process?.alive === true && process !== this.doomed && !this.readOnly && this.model?.replicaMode === false;
  }

  pid(): number {
    return this.process?.alive ? this.pids : 0;
  }

  onExit(listener: (how: string) => void): void {
    this.listeners.push(listener);
  }

  async start(timeoutMilliseconds: number, onSpawn: (pid: number) => void): Promise<void> {
    const { manager, node } = this;
    const { time } = this.world;
    const process: Process = { place: manager.place, alive: true, frozen: false, waiting: [] };
    this.process = process;
    this.readOnly = true;
    this.gate = new WriteGate();
    this.model = undefined;
    this.lies = false;
    this.pids++;
    onSpawn(this.pids);
    process.frozen = node.volumeHangs;
    await new Promise<void>((resolve, reject) => {
      const ended = () => reject(new Error("mariadbd ended before it answered"));
      this.listeners.push(ended);
      const timer = time.after(timeoutMilliseconds, () =>
        inProcess(manager, () => reject(new Error("mariadbd did not answer"))),
      );
      const answers = () => {
        timer.run = undefined;
        this.listeners.splice(this.listeners.indexOf(ended), 1);
        resolve();
      };
      time.after(processStart + node.slowStart, () =>
        inProcess(process, () => {
          if (time.now < node.brokenUntil) return this.endProcess(process, "exit code 1");
          this.openModel(process).then(
            () => inProcess(manager, answers),
            (error: unknown) => this.endProcess(process, String(error)),
          );
        }),
      );
    });
  }

  private async openModel(process: Process): Promise<void> {
    const { world, node } = this;
    const clock = { now: () => world.time.now, sleep: (ms: number) => this.sleep(process, ms) };
    const environment = {
      disk: node.disk,
      store: this.storeFor(process),
      clock,
      random: () => world.random.next(),
      log: (_level: string, text: string) => world.say(() => `${node.pod} engine: ${text}`),
    };
    const model = await EngineModel.open(environment, { ...world.settings, replicaMode: true });
    if (!process.alive) return model.kill();
    this.model = model;
    this.repeat(process, reaperIntervalMilliseconds, () => model.tick());
    this.repeat(process, model.settings.replicaSyncIntervalMilliseconds, () => model.poll());
  }

  /** SIGKILL from whoever: the manager, the watchdog, the kernel. One that waits for its volume ends when that answers, before it runs another instruction. */
  kill(): void {
    const { process } = this;
    if (process?.alive && this.node.volumeHangs) this.doomed = process;
    else if (process) this.endProcess(process, "signal SIGKILL");
  }

  end(): Promise<void> {
    this.kill();
    if (this.process?.alive)
      return new Promise(resolve => {
        const gone = () => {
          this.listeners.splice(this.listeners.indexOf(gone), 1);
          resolve();
        };
        this.listeners.push(gone);
      });
    return new Promise(resolve => this.world.time.after(2, () => inProcess(this.manager, resolve)));
  }

  /** The machine went down: nobody is told. */
  vanish(): void {
    if (!this.process?.alive) return;
    this.world.promises.stopped(this.node);
    this.process.alive = false;
    this.model?.kill();
  }

  /** SIGSTOP: it hangs, and its manager does not. */
  freeze(): void {
    if (!this.process?.alive) return;
    this.world.promises.stopped(this.node);
    this.process.frozen = true;
  }

  /** It has been opened: a server that only starts answers nobody yet. */
  get answers(): boolean {
    return this.process?.alive === true && this.model !== undefined;
  }

  /** The volume answers again. */
  recover(): void {
    const { process } = this;
    if (process && process === this.doomed) this.endProcess(process, "signal SIGKILL");
    else if (!this.node.isFrozen) this.thaw();
  }

  thaw(): void {
    const { process } = this;
    if (!process || this.node.volumeHangs) return;
    process.frozen = false;
    for (const run of process.waiting.splice(0)) if (process.alive) run();
  }

  private endProcess(process: Process, how: string): void {
    if (!process.alive) return;
    if (this.process === process) this.world.promises.stopped(this.node);
    process.alive = false;
    this.model?.kill();
    this.world.time.after(1, () =>
      inProcess(this.manager, () => {
        for (const listener of [...this.listeners]) listener(how);
      }),
    );
  }

  reloadCertificate(): Promise<void> {
    return Promise.resolve();
  }

  checkAccounts(): Promise<void> {
    return Promise.resolve();
  }

  version(): Promise<string> {
    return Promise.resolve("4.5.7");
  }

  /** Waits for the commits that are under way, and lets none begin meanwhile: with a bucket that swallows requests, one may take very long. */
  setReadOnly(on: boolean, timeout: number): Promise<void> {
    const { gate, process, world, node } = this;
    const until = world.time.now + timeout;
    let changed = false;
    const change = () => {
      changed = true;
      this.readOnly = on;
      if (this.open) world.promises.opened(node);
      else if (on) world.promises.closed(node);
    };
    if (!on) return this.ask(timeout, () => Promise.resolve(change()));
    world.time.after(timeout, () => gate.wake());
    return this.ask(timeout, async () => {
      await gate.close(change, () => world.time.now >= until || !process?.alive);
      if (!changed) throw new Error("a commit was waited for in vain");
    });
  }

  endSessions(timeout: number): Promise<void> {
    return this.ask(timeout, () => Promise.resolve(void this.sessions++));
  }

  ping(timeout: number): Promise<void> {
    return this.ask(timeout, () => Promise.resolve());
  }

  async holdCommits(milliseconds: number): Promise<void> {
    const { process } = this;
    if (!process?.alive) throw new Error("mariadbd does not run");
    this.heldUntil = this.world.time.now + milliseconds;
    await new Promise<void>(resolve => this.world.time.after(milliseconds, () => inProcess(this.manager, resolve)));
  }

  compactableTables(timeout: number): Promise<CompactableTable[]> {
    const { database } = applicationTable;
    const tables = this.world.tables.map(table => ({ database, table, keyColumn: "id" }));
    return this.ask(timeout, () => Promise.resolve(tables));
  }

  compact(table: CompactableTable, timeout: number): Promise<void> {
    return this.ask(timeout, model => {
      const keys = [...model.scan(table).keys()].sort();
      return model.compactRange(table, [keys[0] ?? "", keys.at(-1) ?? ""]);
    });
  }

  lastUploadedGeneration(): Promise<number> {
    return this.ask(statusTimeout, model => Promise.resolve(model.status().lastUploadedGeneration));
  }

  sequence(): Promise<number> {
    return this.ask(statusTimeout, model => Promise.resolve(model.status().globalSequence));
  }

  promote(timeout: number): Promise<void> {
    return this.ask(timeout, async model => {
      if (this.lies) this.lies = false;
      else await model.promote();
    });
  }

  writeHeartbeat({ epoch, beat, generation }: Heartbeat, timeout: number): Promise<void> {
    return this.ask(timeout, async model => {
      const { database } = applicationTable;
      const own = this.world.tables.map(table => ({ database, table }));
      for (const table of [heartbeatTable, markerTable, ...own]) {
        if (model.definition(table) === undefined)
          await model.createTable(table, "made by the manager", this.familySettings());
      }
      await this.commit(model, [{ ...heartbeatTable, key: "1", value: JSON.stringify({ epoch, beat, generation }) }]);
    });
  }

  readHeartbeat(timeout: number): Promise<Heartbeat | undefined> {
    return this.ask(timeout, model => {
      const value = readIfThere(model, heartbeatTable, "1");
      return Promise.resolve(value === undefined ? undefined : (JSON.parse(value) as Heartbeat));
    });
  }

  writeMarker(marker: string, timeout: number): Promise<void> {
    return this.ask(timeout, model => this.commit(model, [{ ...markerTable, key: marker, value: "" }]));
  }

  hasMarker(marker: string, timeout: number): Promise<boolean> {
    return this.ask(timeout, model => Promise.resolve(readIfThere(model, markerTable, marker) !== undefined));
  }

  flush(timeout: number): Promise<void> {
    return this.ask(timeout, model => model.optimize(heartbeatTable));
  }

  walGeneration(): Promise<number> {
    return this.ask(statusTimeout, model => Promise.resolve(model.status().walGeneration));
  }

  /** A client's transaction; a value of null deletes. Resolves when it is acknowledged. @throws when it is refused */
  async write(row: Omit<RowWrite, keyof typeof applicationTable>, table = this.world.tableOf(row.key)): Promise<void> {
    const { process, model } = this;
    if (!process?.alive || !model) throw new Error("connection refused");
    await this.sleep(process, statement);
    if (this.readOnly) throw new Error("1290 read_only");
    const { sessions } = this;
    await this.commit(model, [{ ...applicationTable, table, ...row }], () => {
      // It may have waited for the server to become read-only.
      if (this.readOnly) throw new Error("1290 read_only");
    });
    // It may have taken effect, but nobody is told so.
    if (sessions !== this.sessions) throw new Error("the session was ended");
    // A dead process answers nobody.
    await new Promise<void>(resolve => inProcess(process, resolve));
    this.world.promises.accepted(this.node);
  }

  private async commit(model: EngineModel, rows: RowWrite[], mayWrite?: () => void): Promise<void> {
    const { gate, process } = this;
    await gate.enter(rows);
    try {
      mayWrite?.();
      const held = this.heldUntil - this.world.time.now;
      if (held > 0 && process) await this.sleep(process, held);
      await model.commit(rows);
    } finally {
      gate.leave(rows);
    }
  }

  /** DDL, by a client of the primary. */
  createTable(table: string): Promise<void> {
    if (!this.model || !this.open) return Promise.reject(new Error("no primary"));
    return this.model.createTable(
      { database: applicationTable.database, table },
      "made by the application",
      this.familySettings(),
    );
  }

  dropTable(table: string): Promise<void> {
    if (!this.model || !this.open) return Promise.reject(new Error("no primary"));
    return this.model.dropTable({ database: applicationTable.database, table });
  }

  tables(timeout: number): Promise<string[]> {
    return this.ask(timeout, model =>
      Promise.resolve(model.tables().map(({ database, table }) => tableFolder(database, table))),
    );
  }

  /** The tables that this node knows. */
  knownTables(): string[] {
    return this.model?.tables().map(({ table }) => table) ?? [];
  }

  /** The application's rows by scan, and each by point read: the two may differ. @param only of this table. Default: of all that the application writes to */
  rows(only?: string): {
    scanned: Map<string, string>;
    read: (key: string) => string | undefined;
    isOvertaken: (key: string) => boolean;
  } {
    const { model } = this;
    if (!model) throw new Error("no engine");
    const { database } = applicationTable;
    const holding = (key: string) => ({ database, table: only ?? this.world.tableOf(key) });
    const tables = only === undefined ? this.world.tables : [only];
    return {
      scanned: new Map(tables.flatMap(table => [...model.scan({ database, table })])),
      read: key => model.get(holding(key), key),
      isOvertaken: key => model.isOvertaken(holding(key), key),
    };
  }

  /** The manager asks, the server answers: each in its own process. */
  private ask<T>(timeoutMilliseconds: number, work: (model: EngineModel) => Promise<T>): Promise<T> {
    const { manager } = this;
    const { time } = this.world;
    return new Promise<T>((resolve, reject) => {
      const { process, model } = this;
      if (!process?.alive || !model) return reject(new Error("mariadbd does not run"));
      const settled = () => {
        timer.run = undefined;
        const at = this.listeners.indexOf(lost);
        if (at >= 0) this.listeners.splice(at, 1);
      };
      // A connection breaks with the process at its other end.
      const lost = () => {
        settled();
        reject(new Error("mariadbd ended"));
      };
      this.listeners.push(lost);
      const timer = time.after(timeoutMilliseconds, () =>
        inProcess(manager, () => {
          settled();
          reject(new Error("mariadbd did not answer"));
        }),
      );
      const answer = (finish: () => void) =>
        inProcess(manager, () => {
          settled();
          finish();
        });
      time.after(statement, () =>
        inProcess(process, () => {
          begun(() => work(model)).then(
            value => inProcess(process, () => answer(() => resolve(value))),
            (error: Error) => {
              if (error instanceof EngineCrashed) this.endProcess(process, "signal SIGSEGV");
              answer(() => reject(error));
            },
          );
        }),
      );
    });
  }

  private repeat(process: Process, interval: number, work: () => Promise<void>): void {
    const again = () => void this.world.time.after(interval, () => inProcess(process, run));
    const run = () => {
      work().then(again, (error: unknown) => {
        if (error instanceof EngineCrashed) this.endProcess(process, "signal SIGSEGV");
        else again();
      });
    };
    again();
  }

  private familySettings() {
    const automatic = { tombstoneDensityTrigger: 1, tombstoneDensityMinEntries: 1 };
    return { ...familySettings, ...(this.world.automaticCompaction && automatic) };
  }

  private sleep(process: Process, milliseconds: number): Promise<void> {
    return new Promise(resolve => this.world.time.after(milliseconds, () => inProcess(process, resolve)));
  }

  private storeFor(process: Process): ObjectStore {
    const { engineRequestTimeout, network, store, random } = this.world;
    /** While it opens, unless that is promised to do no harm. */
    const isSpared = () => !promised.bucketNowAndThen && (this.model === undefined || this.process !== process);
    const call = <T>(effect: () => T, bytes = 0) =>
      network.request(process, bucket, engineRequestTimeout, effect, storeRoundTrip + transfer(bytes), isSpared());
    /** Milliseconds that reads took and that were not slept yet. */
    let owed = 0;
    const read = <T>(effect: () => T, bytesOf: (result: T) => number = () => 0): Promise<T> => {
      if (!network.calm || process.frozen) return call(effect);
      const result = effect();
      owed += network.latency(bucket, storeRoundTrip + transfer(bytesOf(result)));
      if (!random.chance(sleepProbability)) return Promise.resolve(result);
      const time = owed;
      owed = 0;
      return this.sleep(process, time).then(() => result);
    };
    const folder = (key: string) => `data/${key}`;
    return {
      put: (key, body, options) => call(() => store.put(folder(key), body, options), body.length),
      get: key =>
        read(
          () => store.get(folder(key)),
          object => object?.body.length ?? 0,
        ),
      head: key => read(() => store.head(folder(key))),
      list: prefix =>
        read(() => store.list(folder(prefix)).map(({ key, size }) => ({ key: key.slice("data/".length), size }))),
      delete: key => call(() => store.delete(folder(key))),
      thread: (_kind, work) => work(),
    };
  }
}

/** A read that fails does so at once. */
async function begun<T>(work: () => Promise<T>): Promise<T> {
  return work();
}

function readIfThere(model: EngineModel, table: typeof heartbeatTable, key: string): string | undefined {
  try {
    return model.get(table, key);
  } catch (error) {
    if (error instanceof NoSuchTable) return undefined;
    throw error;
  }
}
