import { Heartbeat } from "../../components/manager/base/ports";
import { NodeEngine } from "../../components/manager/transitions/nodePorts";
import { EngineAnswer } from "../../components/manager/store/gateway/answer";
import { serve } from "../../components/manager/store/gateway/gateway";
import { ConnectionMemory } from "../../components/manager/store/gateway/request";
import { WriteGate } from "../engine/server/execute/locks";
import { inProcess, Process } from "./network";
import { Ask, EngineModel, RowChange } from "./engine";
import type { SimulatedNode } from "./node";
import type { World } from "./world";

/** How long parts of the server take. Milliseconds. */
const processStart = 500;
const statement = 2;
const loopback = 0.2;
const pollEvery = 250;

const heartbeatTable = "tidesql_internal__heartbeat";
const folder = (table: string) => `shop__${table}`;

const noQuery = new URLSearchParams();
const queries = new Map<string, URLSearchParams>();

/** Of a listing: there are few, and each is asked for very often. */
function queryOf(prefix: string): URLSearchParams {
  const known = queries.get(prefix) ?? new URLSearchParams({ prefix });
  if (prefix === "uwal_") queries.set(prefix, known);
  return known;
}

/** mariadbd with the model of the engine in it, as a manager on the log sees it: a process that can be killed, frozen, be slow, and lie. */
export class SimulatedServer implements NodeEngine {
  process: Process | undefined;
  /** The next promotion does nothing, and says that all is well. */
  lies = false;
  /** It answers, and no commit comes to its end any more: its flushes stand still, for instance. */
  wedged = false;
  model: EngineModel | undefined;
  private doomed: Process | undefined;
  private readOnly = true;
  private gate = new WriteGate();
  private pids = 0;
  private heldUntil = 0;
  private sessions = 0;
  private key = "";
  /** Commits on their way, and who copies it to another, by table. */
  private readonly writers = new Map<string, number>();
  private readonly copied = new Set<string>();
  /** Rows that are being changed. */
  private readonly locks = new Map<string, Promise<void>>();
  private readonly listeners: ((how: string) => void)[] = [];

  constructor(
    private readonly node: SimulatedNode,
    private readonly manager: Process,
    private readonly world: World,
  ) {}

  get open(): boolean {
    const { process } = this;
    return process?.alive === true && process !== this.doomed && !this.readOnly && this.model?.isPrimary === true;
  }

  get answers(): boolean {
    return this.process?.alive === true && this.model !== undefined;
  }

  pid(): number {
    return this.process?.alive ? this.pids : 0;
  }

  onExit(listener: (how: string) => void): void {
    this.listeners.push(listener);
  }

  async start(timeoutMilliseconds: number, onSpawn: (pid: number) => void): Promise<void> {
    const { manager, node, world } = this;
    const { time } = world;
    const process: Process = { place: manager.place, alive: true, frozen: false, waiting: [] };
    this.process = process;
    this.readOnly = true;
    this.gate = new WriteGate();
    this.model = undefined;
    this.lies = false;
    this.wedged = false;
    this.key = node.key;
    for (const known of [this.locks, this.writers, this.copied]) known.clear();
    this.pids++;
    onSpawn(this.pids);
    process.frozen = node.volumeHangs;
    await new Promise<void>((resolve, reject) => {
      const ended = () => reject(new Error("mariadbd ended before it answered"));
      this.listeners.push(ended);
      const timer = time.after(timeoutMilliseconds, () =>
        inProcess(manager, () => reject(new Error("mariadbd did not answer"))),
      );
      time.after(processStart * world.random.between(0.6, 2) + node.slowStart, () =>
        inProcess(process, () => {
          if (time.now < node.brokenUntil) return this.endProcess(process, "exit code 1");
          const answers = () =>
            inProcess(manager, () => {
              timer.run = undefined;
              this.listeners.splice(this.listeners.indexOf(ended), 1);
              resolve();
            });
          this.openModel(process).then(answers, (error: unknown) =>
            world.promises.violated(`${node.pod} cannot open its volume: ${String(error)}`),
          );
        }),
      );
    });
  }

  private async openModel(process: Process): Promise<void> {
    const { world, node } = this;
    const { random } = world;
    const model = EngineModel.open({
      volume: node.volume,
      directory: node.directory,
      random,
      partBytes: world.partBytes,
      ask: this.askFor(process),
      sleep: milliseconds => this.sleep(process, milliseconds),
      within: (milliseconds, work) =>
        new Promise(resolve => {
          const timer = world.time.after(milliseconds, () => inProcess(process, () => resolve(undefined)));
          work.then(
            value => {
              timer.run = undefined;
              resolve(value);
            },
            () => resolve(undefined),
          );
        }),
    });
    await model.readMap();
    this.model = model;
    let connection: ConnectionMemory = {};
    this.repeat(process, pollEvery, async () => {
      if (!model.isPrimary && !(await model.poll(connection))) connection = {};
    });
    this.repeat(process, 250, () => {
      if (!model.isPrimary) return Promise.resolve();
      const tables = model.tables();
      const merge = () => (tables.length > 0 ? model.merge(random.pick(tables)) : Promise.resolve());
      const soon = (work: () => Promise<void>) =>
        this.beside(process, this.sleep(process, random.between(0, 40)).then(work));
      if (random.chance(world.flushShare)) {
        this.beside(process, model.flush());
        // They overlap, and with merges as well.
        if (random.chance(0.3)) soon(() => model.flush());
        if (random.chance(0.3)) soon(merge);
      }
      if (random.chance(world.flushShare / 2)) this.beside(process, merge());
      return Promise.resolve();
    });
  }

  private beside(process: Process, work: Promise<void>): void {
    work.catch((error: unknown) => {
      if (process.alive) this.world.promises.violated(`the engine of ${this.node.pod} has failed: ${String(error)}`);
    });
  }

  /** A request to the manager's port, over loopback, answered by the code that answers the real engine's. */
  private askFor(process: Process): Ask {
    const { world, manager, node, key: own } = this;
    const { random } = world;
    return (method, key, { body = Buffer.alloc(0), length = body.length, connection = {}, prefix, part, headers }) =>
      new Promise<EngineAnswer>(resolve => {
        // What a follower's poll asks for is on its way for no time, most of the time: there are very many.
        const isQuick = (method === "GET" || method === "HEAD") && random.chance(0.9);
        const later = (run: () => void) => (isQuick ? run() : void world.time.after(loopback, run));
        const answer = (given: EngineAnswer) => later(() => inProcess(process, () => resolve(given)));
        const query = part ? new URLSearchParams(part) : prefix === undefined ? noQuery : queryOf(prefix);
        const request = {
          method,
          key,
          query,
          connection,
          length,
          ...headers,
          ifNoneMatch: headers?.ifNoneMatch === true,
          epoch: 0,
          body: () => Promise.resolve(body),
          drain: () => Promise.resolve(),
        };
        const arrive = () => {
          if (own !== node.key) return void answer({ status: 403 });
          serve(request, {
            handler: () => node.handler,
            lost: error => node.manager?.engine.kill(`a commit could not be appended to the log: ${String(error)}`),
            failed: (what, error) => world.say(() => `${node.pod} not answered: ${what} ${String(error)}`),
          }).then(
            given => given && answer(given),
            () => undefined,
          );
        };
        later(() => inProcess(process, () => inProcess(manager, arrive)));
      });
  }

  kill(): void {
    const { process } = this;
    if (process?.alive && this.node.volumeHangs) {
      this.doomed = process;
      process.frozen = true;
    } else if (process) this.endProcess(process, "signal SIGKILL");
  }

  end(): Promise<void> {
    this.kill();
    return new Promise(resolve => {
      if (!this.process?.alive) return void this.world.time.after(2, () => inProcess(this.manager, resolve));
      const gone = () => {
        this.listeners.splice(this.listeners.indexOf(gone), 1);
        resolve();
      };
      this.listeners.push(gone);
    });
  }

  vanish(): void {
    if (!this.process?.alive) return;
    this.world.promises.stopped(this.node);
    this.process.alive = false;
  }

  freeze(): void {
    if (!this.process?.alive) return;
    this.world.promises.stopped(this.node);
    this.process.frozen = true;
  }

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
    this.world.time.after(1, () =>
      inProcess(this.manager, () => {
        for (const listener of [...this.listeners]) listener(how);
      }),
    );
  }

  checkAccounts(): Promise<void> {
    return Promise.resolve();
  }

  version(): Promise<string> {
    return Promise.resolve("4.5.7");
  }

  setReadOnly(on: boolean, timeout: number): Promise<void> {
    const { gate, process, world, node } = this;
    const until = world.time.now + timeout;
    let changed = false;
    const change = () => {
      changed = true;
      this.readOnly = on;
      if (this.open && this.model?.replayedGeneration !== undefined)
        world.promises.violated(`${node.pod} takes writes before its replayed rows were flushed`);
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
    if (!this.process?.alive) throw new Error("mariadbd does not run");
    this.heldUntil = this.world.time.now + milliseconds;
    await new Promise<void>(resolve => this.world.time.after(milliseconds, () => inProcess(this.manager, resolve)));
  }

  promote(timeout: number): Promise<void> {
    return this.ask(timeout, async model => {
      if (this.lies) this.lies = false;
      else await model.promote();
    });
  }

  writeHeartbeat({ epoch, beat }: Heartbeat, timeout: number): Promise<void> {
    return this.ask(timeout, async model => {
      if (!model.isPrimary) throw new Error("1290 replica");
      for (const table of [heartbeatTable, ...this.world.tables.map(folder)]) await model.createTable(table);
      await this.commit(model, [{ table: heartbeatTable, key: "1", value: JSON.stringify({ epoch, beat }) }]);
    });
  }

  flush(timeout: number): Promise<void> {
    return this.ask(timeout, model => model.flush());
  }

  reopenTables(_tables: string[], timeout: number): Promise<void> {
    return this.ask(timeout, () => Promise.resolve());
  }

  /** A client's transaction; a value of null deletes. Resolves when it is acknowledged. @param table default: the one for the key @throws when it is refused */
  async write({ key, value }: { key: string; value: string | null }, table?: string): Promise<void> {
    const { process, model, world } = this;
    if (!process?.alive || !model) throw new Error("connection refused");
    await this.sleep(process, statement);
    const { sessions } = this;
    const into = folder(table ?? world.tableOf(key));
    while (this.copied.has(into)) await this.sleep(process, statement);
    const rows = [{ table: into, key, value: value ?? undefined }];
    // Whoever changes a row waits for the one before.
    const before = this.locks.get(key);
    let unlock = () => undefined as void;
    const mine = new Promise<void>(resolve => (unlock = resolve));
    this.locks.set(key, mine);
    await before;
    this.writers.set(into, (this.writers.get(into) ?? 0) + 1);
    try {
      await this.commit(model, rows, () => this.mustBeOpen());
    } finally {
      this.writers.set(into, this.writers.get(into)! - 1);
      unlock();
      if (this.locks.get(key) === mine) this.locks.delete(key);
    }
    if (sessions !== this.sessions) throw new Error("the session was ended");
    await new Promise<void>(resolve => inProcess(process, resolve));
    world.promises.accepted(this.node);
  }

  private mustBeOpen(): void {
    if (this.readOnly || !this.model?.isPrimary) throw new Error("1290 read_only");
  }

  private async commit(model: EngineModel, rows: RowChange[], mayWrite?: () => void): Promise<void> {
    const { gate, process, world } = this;
    const isSafe = world.configuration.durability === "commit";
    await gate.enter(rows);
    try {
      mayWrite?.();
      if (this.wedged) await new Promise(() => undefined);
      if (this.node.volumeHangs && process) {
        await this.node.volumeAnswers();
        await new Promise<void>(resolve => inProcess(process, resolve));
      }
      const held = this.heldUntil - world.time.now;
      if (held > 0 && process) await this.sleep(process, held);
      const begunAt = world.time.now;
      const block = await model.commit(rows, isSafe, written => world.judge.commits.began(model, written, begunAt));
      world.judge.commits.acknowledged(model, block, world.time.now);
      if (isSafe && !world.judge.has(block))
        world.promises.violated(`${this.node.pod} acknowledges ${block.sequence}, which is not in the log`);
    } finally {
      gate.leave(rows);
    }
  }

  async createTable(table: string): Promise<void> {
    if (!this.model || !this.open) throw new Error("no primary");
    await this.model.createTable(folder(table));
  }

  async dropTable(table: string): Promise<void> {
    if (!this.model || !this.open) throw new Error("no primary");
    await this.model.dropTable(folder(table));
  }

  async renameTable(from: string, to: string): Promise<void> {
    if (!this.model || !this.open) throw new Error("no primary");
    await this.model.renameTable(folder(from), folder(to));
  }

  /** ALTER TABLE that copies: into another table, which takes the name then. */
  async alterTable(table: string): Promise<void> {
    const { model, process } = this;
    if (!model || !process || !this.open) throw new Error("no primary");
    const [own, copy, former] = [table, `copy_of_${table}`, `former_${table}`].map(folder) as [string, string, string];
    this.copied.add(own);
    try {
      while ((this.writers.get(own) ?? 0) > 0) await this.sleep(process, statement);
      await model.createTable(copy);
      const rows = model.rowsOf(own).map(([key, value]) => ({ table: copy, key, value }));
      if (rows.length > 0) await this.commit(model, rows, () => this.mustBeOpen());
      await model.renameTable(own, former);
      await model.renameTable(copy, own);
      await model.dropTable(former);
    } finally {
      this.copied.delete(own);
    }
  }

  knownTables(): string[] {
    return this.model?.tables().map(name => name.replace(/^shop__/, "")) ?? [];
  }

  /** The application's rows by scan, and each by point read. @param only of this table; default: of all that the client writes to */
  rows(only?: string) {
    const { model, world } = this;
    if (!model) throw new Error("no engine");
    const scanned = new Map<string, string>();
    for (const [row, value] of model.scan()) {
      const [table = "", key = ""] = row.split("/");
      if ((only === undefined ? world.tables : [only]).some(own => folder(own) === table)) scanned.set(key, value);
    }
    return {
      scanned,
      read: (key: string) => model.point(folder(only ?? world.tableOf(key)), key),
    };
  }

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
        inProcess(process, () =>
          inProcess(manager, () => {
            settled();
            finish();
          }),
        );
      time.after(statement, () =>
        inProcess(process, () => {
          work(model).then(
            value => answer(() => resolve(value)),
            (error: Error) => answer(() => reject(error)),
          );
        }),
      );
    });
  }

  private repeat(process: Process, interval: number, work: () => Promise<void>): void {
    const again = () => void this.world.time.after(interval, () => inProcess(process, run));
    const run = () => {
      work().then(again, (error: unknown) => {
        if (process.alive) this.world.promises.violated(`the engine of ${this.node.pod}: ${String(error)}`);
      });
    };
    again();
  }

  private sleep(process: Process, milliseconds: number): Promise<void> {
    return new Promise(resolve => this.world.time.after(milliseconds, () => inProcess(process, resolve)));
  }
}
