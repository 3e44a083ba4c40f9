import assert from "node:assert/strict";
import * as fs from "node:fs/promises";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { StoreClock } from "../../../../components/manager/store/bucket/bucket";
import { Submission } from "../../../../components/manager/store/log/append";
import { DatabaseState } from "../../../../components/manager/store/log/state";
import { DefinitionWatch } from "../../../../components/manager/store/wal/definitionWatch";
import { fileHeader, writeFrame } from "../../../../components/manager/store/wal/frame";
import { Shipper } from "../../../../components/manager/store/wal/shipper";
import { decodeWalData, encodeWalData, WalEntry } from "../../../engine/formats/writeAheadLog";
import { MemoryBucket } from "../memoryBucket";

const clock: StoreClock = {
  now: () => performance.now(),
  wall: () => 0,
  sleep: ms => new Promise(resolve => setTimeout(resolve, ms)),
};
/** On which nobody looks by himself. */
const still: StoreClock = { ...clock, sleep: () => new Promise(() => undefined) };
const definitionsNumber = 0;
const rowsNumber = 1;

/** A server whose engine stores a definition that is one ALTER behind, and the log that its manager makes. */
class Server {
  readonly state = new DatabaseState();
  /** What the engine has stored as far as the log has it, by table. */
  private readonly stored = new Map<string, string>();
  /** The newest definition under which a row in the log was written, by table. */
  private readonly written = new Map<string, number>();
  private readonly files: string;
  private bytes = fileHeader;
  private sequence = 0;
  private versions = 0;
  /** The tables, with the version of the definition of each. */
  readonly tables = new Map<string, number>();
  readonly shipper: Shipper;
  readonly watch: DefinitionWatch;
  /** Changes of entries, in order. */
  readonly entries: Submission["changes"][] = [];

  constructor(
    private readonly folder: string,
    early: boolean,
    clock: StoreClock,
  ) {
    this.files = join(folder, "server");
    this.watch = new DefinitionWatch({ server: this.files, clock, early, number: () => definitionsNumber });
    this.shipper = new Shipper(new MemoryBucket(), clock, {
      directory: join(folder, "data"),
      epoch: 0,
      known: new Set(),
      sync: false,
      found: () => undefined,
      definitions: this.watch,
      submit: submission => Promise.resolve(this.append(submission)),
    });
  }

  async start(): Promise<void> {
    await fs.mkdir(join(this.files, "app"), { recursive: true });
    await fs.mkdir(join(this.folder, "data"), { recursive: true });
    this.append({
      changes: [{ type: "table", number: definitionsNumber, name: "__tidesql_schema" }],
      payload: [],
    });
    await this.commit();
  }

  /** What counts for a node that begins with the log. */
  counts(table: string): string | undefined {
    const file = this.state.definitions.get(`app/${table}`);
    return file === undefined ? this.stored.get(table) : Buffer.from(file, "base64").toString();
  }

  async create(table: string): Promise<void> {
    const version = this.version(table);
    await this.store([table, version]);
    if (version % 2 === 0) await this.open(table);
  }

  /** MariaDB writes the file that it has discovered. */
  async open(table: string): Promise<void> {
    const version = this.tables.get(table);
    const isThere = await fs.stat(this.file(table)).catch(() => undefined);
    if (version !== undefined && !isThere) await fs.writeFile(this.file(table), text(version));
  }

  /** In two halves: what a manager sees between them is what counts. */
  async alter(table: string): Promise<() => Promise<void>> {
    await this.open(table);
    const before = Number((await fs.readFile(this.file(table), "utf8")).split(" ")[1]);
    const version = ++this.versions;
    const own = this.file(`#sql-alter-1-${version}`);
    await fs.writeFile(own, text(version));
    await this.store([table, before]);
    return async () => {
      await fs.rename(own, this.file(table));
      this.tables.set(table, version);
    };
  }

  async copy(table: string): Promise<void> {
    const version = this.version(table);
    await fs.rm(this.file(table), { force: true });
    await this.store([table, version]);
  }

  async rename(from: string, to: string): Promise<void> {
    const version = this.tables.get(from)!;
    const stored = this.engine.get(from)!;
    await this.commit([definitionsNumber, `app\0${to}`, stored], [definitionsNumber, `app\0${from}`, null]);
    this.engine.set(to, stored);
    this.engine.delete(from);
    this.tables.delete(from);
    this.tables.set(to, version);
    await fs.rename(this.file(from), this.file(to)).catch(() => undefined);
  }

  async drop(table: string): Promise<void> {
    await this.commit([definitionsNumber, `app\0${table}`, null]);
    await fs.rm(this.file(table), { force: true });
    this.tables.delete(table);
  }

  async row(table: string): Promise<void> {
    await this.open(table);
    await this.commit([rowsNumber, table, String(this.tables.get(table))]);
  }

  /** What the engine has stored. */
  private readonly engine = new Map<string, string>();

  private version(table: string): number {
    this.tables.set(table, ++this.versions);
    return this.versions;
  }

  private async store([table, version]: [string, number]): Promise<void> {
    this.engine.set(table, text(version));
    await this.commit([definitionsNumber, `app\0${table}`, text(version)]);
  }

  private async commit(...entries: WalEntry[]): Promise<void> {
    if (entries.length > 0)
      this.bytes = Buffer.concat([this.bytes, writeFrame(encodeWalData(++this.sequence, entries))]);
    await fs.writeFile(join(this.folder, "data", "uwal_1.log"), this.bytes);
  }

  private file(table: string): string {
    return join(this.files, "app", `${table}.frm`);
  }

  /** An entry is in the log. A node may begin with it at any moment. */
  private append({ changes, payload }: Submission): number {
    const { state } = this;
    const position = state.position + 1;
    this.entries.push(changes);
    state.apply({ kind: "changes", epoch: 0, position, nonce: "", time: 0, changes, payload: Buffer.concat(payload) });
    for (const data of payload)
      for (const [family, key, value] of decodeWalData(data).writes) {
        const table = family === definitionsNumber ? key.slice("app\0".length) : key;
        if (family === rowsNumber) this.written.set(table, Number(value));
        else if (value === null) this.stored.delete(table);
        else this.stored.set(table, value);
      }
    for (const [table, version] of this.written) {
      const counts = this.counts(table);
      if (counts === undefined) continue;
      assert.ok(
        Number(counts.split(" ")[1]) >= version,
        `a row of ${table} was written under ${version}, the log has ${counts}`,
      );
    }
    return position;
  }
}

const text = (version: number) => `version ${version}`;

describe("definitions that the engine does not store", () => {
  const folders: string[] = [];
  after(() => Promise.all(folders.map(folder => fs.rm(folder, { recursive: true }))));

  async function server(early = false, on = clock): Promise<Server> {
    const folder = mkdtempSync(join(tmpdir(), "definitions-"));
    folders.push(folder);
    const made = new Server(folder, early, on);
    await made.start();
    return made;
  }

  it("are in the log with the first row that was written under them, whatever statements follow one another", async () => {
    const step = fc.record({
      what: fc.constantFrom("create", "alter", "alter", "copy", "rename", "drop", "row", "row", "open"),
      table: fc.constantFrom("a", "b"),
      /** The manager looks between the halves of the statement, and after it. */
      between: fc.boolean(),
      looks: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 25 }), fc.boolean(), async (steps, early) => {
        const one = await server(early, still);
        for (const { what, table, between, looks } of steps) {
          const isThere = one.tables.has(table);
          const other = table === "a" ? "b" : "a";
          if (what === "create" && !isThere) await one.create(table);
          if (!isThere) continue;
          if (what === "alter") {
            const finish = await one.alter(table);
            if (between) await one.shipper.look();
            await finish();
          } else if (what === "copy") await one.copy(table);
          else if (what === "rename" && !one.tables.has(other)) await one.rename(table, other);
          else if (what === "drop") await one.drop(table);
          else if (what === "row") await one.row(table);
          else if (what === "open") await one.open(table);
          if (looks) await one.shipper.look();
        }
        await one.shipper.look();
        for (const [table, version] of one.tables) assert.equal(one.counts(table), text(version));
        assert.equal(one.watch.isWaiting, false);
        await one.shipper.close();
      }),
      { numRuns: 150 },
    );
  });

  it("are told before their statement goes on, where the engine waits for the log", async () => {
    const one = await server(true);
    await one.create("a");
    await one.shipper.look();
    const finish = await one.alter("a");
    for (let looks = 0; looks < 3; looks++) {
      await one.shipper.look();
      assert.equal(one.counts("a"), "version 2");
    }
    await finish();
    await one.shipper.look();
    assert.equal(one.counts("a"), "version 2");
    assert.equal(one.watch.isWaiting, false);
    assert.equal(one.entries.flat().filter(change => change.type === "definition" && change.file).length, 1);
    await one.shipper.close();
  });

  it("wait for their statements where two are on their way, and are found without anybody who asks", async () => {
    const one = await server(true);
    for (const table of ["a", "b"]) {
      await one.create(table);
      await one.open(table);
    }
    await one.shipper.look();
    const finish = [await one.alter("a"), await one.alter("b")];
    await one.shipper.look();
    assert.deepEqual([one.counts("a"), one.counts("b")], ["version 1", "version 2"]);
    for (const end of finish) await end();
    for (const until = Date.now() + 10_000; one.watch.isWaiting; await clock.sleep(5)) assert.ok(Date.now() < until);
    assert.deepEqual([one.counts("a"), one.counts("b")], ["version 3", "version 4"]);
    await one.shipper.close();
  });

  it("are those of the disk for an engine that was started on it again", async () => {
    const one = await server();
    await one.create("a");
    await one.open("a");
    await one.shipper.look();
    const finish = await one.alter("a");
    await one.shipper.look();
    await one.shipper.close();
    await finish();
    const blocks = [...one.state.blocks.values()];
    const again = new DefinitionWatch({
      server: join(folders.at(-1)!, "server"),
      clock,
      early: false,
      number: () => 0,
    });
    again.begin(blocks, one.state.definitions);
    const [found, ...more] = await again.look();
    assert.equal(found?.change.file && Buffer.from(found.change.file, "base64").toString(), "version 2");
    assert.deepEqual(more, []);
  });

  it("are not those of a file that is half written", async () => {
    const one = await server();
    await one.create("a");
    const whole = Buffer.alloc(100);
    whole[0] = 0xfe;
    whole.writeUInt32LE(whole.length, 10);
    const path = join(folders.at(-1)!, "server/app/a.frm");
    await fs.writeFile(path, whole.subarray(0, 60));
    one.watch.begin([], new Map([["app/a", Buffer.from("other").toString("base64")]]));
    assert.deepEqual(await one.watch.look(), []);
    await fs.writeFile(path, whole);
    assert.equal((await one.watch.look()).length, 1);
    await one.shipper.close();
  });
});
