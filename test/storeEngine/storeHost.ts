import { randomBytes } from "node:crypto";
import * as fsp from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Bucket, RestorableBucket, StoreClock } from "../../components/manager/store/bucket/bucket";
import { s3Bucket } from "../../components/manager/store/bucket/s3Bucket";
import { EngineHandler, Gateway } from "../../components/manager/store/gateway/gateway";
import { FollowerFeed } from "../../components/manager/store/view/feed";
import { StoreNode } from "../../components/manager/store/storeNode";
import { Writing } from "../../components/manager/store/writing";
import { S3Server } from "../engine/objectStore/s3Server";
import { RealEngine } from "./realEngine";

export const systemStoreClock: StoreClock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  sleep: milliseconds => delay(milliseconds).then(() => undefined),
};

/** A folder of a test's bucket, on a server that takes any key. */
export function testBucket(server: S3Server, prefix: string): RestorableBucket {
  const { endpoint } = server;
  return s3Bucket(
    { endpoint, bucket: "store-tests", region: "us-east-1", prefix, useTls: false, pathStyle: true },
    { current: () => Promise.resolve({ accessKeyId: "tests", secretAccessKey: "tests" }) },
  );
}

export interface HostOptions {
  bucket: Bucket;
  name: string;
  engine: RealEngine;
  durability: "commit" | "interval";
  writeBuffer: string;
  options: string[];
  /** Milliseconds between two looks at the WAL in `interval`. */
  tick: number;
  log(message: string): void;
}

/** How long the steps of a takeover took, in milliseconds. */
export type Steps = Record<string, number>;

/** What a manager does with its store and its engine, without Kubernetes. */
export class StoreHost {
  private gateway!: Gateway;
  private node!: StoreNode;
  private handler: EngineHandler | undefined;
  private accessKeyId = "";
  private crashed = false;
  private following: { stop: boolean; done: Promise<void> } | undefined;
  private ticking: { stop: boolean; done: Promise<void> } | undefined;
  /** In `interval`: the WAL is shipped. */
  ships = true;
  writing: Writing | undefined;
  feed: FollowerFeed | undefined;
  steps: Steps = {};
  /** Failures of requests, refusals, warnings. */
  readonly warnings: string[] = [];

  constructor(readonly options: HostOptions) {}

  get engine(): RealEngine {
    return this.options.engine;
  }

  get state() {
    return this.node.state;
  }

  private warn(message: string, detail?: unknown): void {
    const text = `${this.options.name}: ${message} ${detail instanceof Error ? String(detail) : JSON.stringify(detail ?? "")}`;
    this.warnings.push(text);
    this.options.log(text);
  }

  /** A manager that has just started: nothing in its memory, whatever is on the volume. */
  async boot(): Promise<void> {
    this.crashed = false;
    this.node = await StoreNode.open({
      bucket: this.options.bucket,
      clock: systemStoreClock,
      directory: this.engine.dataDirectory,
      server: this.engine.serverDirectory,
      own: join(this.engine.folder, "store"),
      name: this.options.name,
      durability: this.options.durability,
      warn: (message, fields) => this.warn(message, fields),
      sealed: () => this.engine.killNow(),
      overdue: milliseconds => {
        this.engine.killNow();
        this.warn("a commit has waited too long", { milliseconds });
      },
      boundMilliseconds: 20_000,
    });
    this.gateway = await Gateway.listen({
      bucket: "store",
      accessKeyId: () => this.accessKeyId,
      handler: () => this.handler!,
      lost: error => {
        this.engine.killNow();
        this.warn("a commit could not be brought into the log", error);
      },
      failed: (what, error) => this.warn(what, error),
      broken: error => {
        this.engine.killNow();
        this.warn("the gateway broke", error);
      },
    });
  }

  /** Follows from an aligned volume on. */
  async follow(): Promise<void> {
    await this.stop();
    await this.node.catchUp();
    await this.measured("align", () => this.node.align("follows"));
    await this.start(true);
    const { handler, feed } = this.node.follow(tables => this.reopen(tables));
    this.handler = handler;
    this.feed = feed;
    this.following = background(
      async () => {
        if ((await this.node.catchUp()) === 0) await delay(50);
      },
      error => this.warn("following failed", error),
    );
  }

  /** Seals, aligns, promotes, flushes and opens. @returns false when another was elected */
  async write(): Promise<boolean> {
    this.steps = {};
    await this.stop();
    await this.node.catchUp();
    const resumes = this.node.isLastWriters;
    const election = await this.measured("seal", () => this.node.takeOver());
    if (!election) return false;
    const replay = this.state.blocksToReplay().length;
    const alignment = await this.measured("align", () => this.node.align("writes"));
    await this.measured("start", () => this.start(!resumes));
    const writing = await this.node.write(election);
    this.writing = writing;
    this.handler = writing.handler;
    await this.measured("promote", () => this.engine.sql("SET GLOBAL tidesdb_promote_primary=ON"));
    if (this.options.durability === "interval")
      this.ticking = background(async () => {
        if (this.ships) await writing.handler.ship();
        await delay(this.options.tick);
      });
    if (replay > 0) await this.measured("flush", () => this.flush(alignment.generation));
    await this.engine.sql("SET GLOBAL read_only=OFF");
    return true;
  }

  /** Flushes, and waits until that is in the log. */
  async flush(generation = (this.writing?.flushes.releasedUntil ?? 0) + 1): Promise<void> {
    const tables = await this.engine.sql(
      "SELECT CONCAT('`', TABLE_SCHEMA, '`.`', TABLE_NAME, '`') AS name FROM information_schema.TABLES WHERE ENGINE = 'TidesDB' LIMIT 1",
    );
    const name = tables[0]?.name as string | undefined;
    if (!name) throw new Error("there are rows to replay and no table is known");
    await this.engine.sql(`OPTIMIZE TABLE ${name}`);
    await within(30_000, this.writing!.released(generation), `flush ${generation} was not released`);
  }

  /** Deletes what no kept position needs; only while it writes. @returns how many objects */
  async collectGarbage(options: Parameters<StoreNode["collectGarbage"]>[1]): Promise<number> {
    const { writing } = this;
    return writing ? this.node.collectGarbage(writing, options, () => this.writing === writing) : 0;
  }

  /** As if the node were lost: the engine is killed, nothing of the manager is left. The volume stays unless it is wiped. */
  async crash(): Promise<void> {
    this.crashed = true;
    await this.engine.kill();
    await this.stop();
    this.gateway.close();
    await this.node.close();
  }

  async wipe(): Promise<void> {
    await fsp.rm(this.engine.dataDirectory, { recursive: true, force: true });
    await fsp.rm(join(this.engine.folder, "store"), { recursive: true, force: true });
  }

  /** Has the server read definitions anew, as a manager does. */
  private async reopen(tables: string[]): Promise<void> {
    const connection = await this.engine.connect();
    try {
      await connection.query("SET SESSION lock_wait_timeout=2");
      await connection.query(`FLUSH TABLES ${tables.map(table => table.replace("/", ".")).join(", ")}`);
    } finally {
      connection.destroy();
    }
  }

  /** @param fresh it begins with the definitions of the log alone */
  private async start(fresh: boolean): Promise<void> {
    if (this.crashed) throw new Error("the node is gone");
    if (fresh) await this.engine.freshServer();
    await this.node.placeDefinitions();
    this.accessKeyId = randomBytes(16).toString("hex");
    this.handler = this.node.opening();
    await this.engine.start({
      endpoint: this.gateway.endpoint,
      accessKeyId: this.accessKeyId,
      durability: this.options.durability,
      writeBuffer: this.options.writeBuffer,
      options: this.options.options,
    });
  }

  private async stop(): Promise<void> {
    for (const loop of [this.following, this.ticking]) if (loop) loop.stop = true;
    await this.engine.kill();
    await this.writing?.close();
    await Promise.all([this.following?.done, this.ticking?.done]);
    this.following = this.ticking = this.writing = this.feed = undefined;
  }

  private async measured<T>(step: string, work: () => Promise<T>): Promise<T> {
    const begun = performance.now();
    const result = await work();
    this.steps[step] = Math.round(performance.now() - begun);
    if (this.crashed) throw new Error("the node is gone");
    return result;
  }
}

function background(step: () => Promise<void>, failed: (error: unknown) => void = () => undefined) {
  const loop = { stop: false, done: Promise.resolve() };
  loop.done = (async () => {
    while (!loop.stop) {
      try {
        await step();
      } catch (error) {
        if (loop.stop) return;
        failed(error);
        return;
      }
    }
  })();
  return loop;
}

async function within<T>(milliseconds: number, promise: Promise<T>, message: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${message} in ${milliseconds} ms`)), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
