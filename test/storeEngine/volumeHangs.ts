import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { podLayout } from "../../components/core/podLayout";
import { audit, LedgerEntry, outages } from "../e2e/ledger";
import { LedgerWriter } from "../e2e/writer";
import { ManagerProcesses } from "./managerProcesses";
import { say, until } from "./running";

const usage = `Three managers with real engines as processes of this machine, whose volumes hang one after the other: each is a file system of its own that is frozen, so that whoever writes to it waits in the kernel and no signal ends it.
  npx tsx test/storeEngine/volumeHangs.ts --engine PREFIX [--durability commit|interval] [--rounds 1]
It mounts loop devices, so it needs root. A round is: under a primary that serves, in the middle of a resume, and under a follower before the primary is lost.
Exits with 1 when no other node takes over, when the node does not say why or does not come back by itself, or when a row is lost that the mode does not allow.`;

/** Rows that `interval` may lose with a volume were acknowledged so shortly before. Milliseconds. */
const allowedLoss = 1000;
const lease = 4;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      engine: { type: "string" },
      durability: { type: "string", default: "interval" },
      rounds: { type: "string", default: "1" },
    },
  });
  const { durability } = values;
  if (!values.engine || process.getuid?.() !== 0) throw new Error(usage);
  if (durability !== "commit" && durability !== "interval") throw new Error("--durability is commit or interval");
  const folder = mkdtempSync(join(tmpdir(), "hangs-"));
  const database = new ManagerProcesses({
    prefix: values.engine,
    folder,
    durability,
    nodes: 3,
    leaseDurationSeconds: lease,
    memoryBytes: 2 ** 30,
  });
  const volumes = new Map(database.pods.map(pod => [pod, new Volume(folder, pod)]));
  const run = new Run(database, volumes, durability);
  let isRight: boolean;
  try {
    await database.start();
    isRight = await run.play(Number(values.rounds));
  } finally {
    for (const volume of volumes.values()) volume.thaw();
    await database.stop();
    for (const volume of volumes.values()) volume.unmount();
  }
  if (isRight) rmSync(folder, { recursive: true });
  process.exit(isRight ? 0 : 1);
}

/** A pod's volume: a file system in a file. */
class Volume {
  private readonly at: string;
  private isFrozen = false;

  constructor(folder: string, pod: string) {
    this.at = join(folder, pod) + podLayout.dataDirectory;
    mkdirSync(this.at, { recursive: true });
    const image = join(folder, `${pod}.img`);
    execFileSync("truncate", ["-s", "2G", image]);
    execFileSync("mkfs.ext4", ["-q", image]);
    execFileSync("mount", ["-o", "loop,noatime", image, this.at]);
  }

  freeze(): void {
    execFileSync("fsfreeze", ["-f", this.at]);
    this.isFrozen = true;
  }

  thaw(): void {
    if (this.isFrozen) execFileSync("fsfreeze", ["-u", this.at]);
    this.isFrozen = false;
  }

  unmount(): void {
    execFileSync("umount", ["-l", this.at]);
  }
}

class Run {
  private readonly lostAt: number[] = [];

  constructor(
    private readonly database: ManagerProcesses,
    private readonly volumes: ReadonlyMap<string, Volume>,
    private readonly durability: "commit" | "interval",
  ) {}

  async play(rounds: number): Promise<boolean> {
    const { database } = this;
    await until("all pods to be healthy", 180, () => database.healthy());
    const connection = await database.connect();
    await connection.query("CREATE TABLE app.ledger (id BIGINT PRIMARY KEY)");
    connection.destroy();
    const connect = () => database.connect();
    const writer = new LedgerWriter({ connect, table: "app.ledger", suspectAfterMilliseconds: 1000 });
    await writer.acknowledgements(20, 60);
    for (let round = 1; round <= rounds; round++) {
      await this.hangs("while it serves", writer, volume => volume.freeze());
      await this.hangs("while it resumes", writer, async (volume, pod) => {
        database.killEngine(pod);
        await delay(150);
        volume.freeze();
      });
      await this.followerHangs(writer);
    }
    await writer.acknowledgements(1, 60);
    const entries = await writer.stop();
    return this.judge(entries);
  }

  /** The primary's volume hangs. */
  private async hangs(
    when: string,
    writer: LedgerWriter,
    freeze: (volume: Volume, pod: string) => void | Promise<void>,
  ): Promise<void> {
    const { database, volumes } = this;
    const victim = database.primary()!;
    const volume = volumes.get(victim)!;
    const from = performance.now();
    await freeze(volume, victim);
    this.lostAt.push(performance.now());
    await until("another primary", 60, () => ![undefined, victim].includes(database.primary()));
    await writer.acknowledgements(10, 60);
    const metrics = await database.metrics(victim);
    const said = { alarm: metrics.get("tidesql_alarm"), silent: metrics.get("tidesql_volume_silent_seconds") };
    if (said.alarm !== 1 || !(said.silent! >= 10)) throw new Error(`it does not say so: ${JSON.stringify(said)}`);
    await this.comesBack(volume, victim);
    const [longest = 0] = outages(writer.entries, from, performance.now())
      .map(({ durationMilliseconds }) => Math.round(durationMilliseconds))
      .sort((a, b) => b - a);
    say({ hangs: when, victim, primary: database.primary(), writeOutage: longest, ...said });
  }

  private async followerHangs(writer: LedgerWriter): Promise<void> {
    const { database, volumes } = this;
    const primary = database.primary()!;
    const [victim, other] = database.pods.filter(pod => pod !== primary) as [string, string];
    volumes.get(victim)!.freeze();
    await delay(12_000);
    const from = performance.now();
    this.lostAt.push(from);
    await database.lose(primary, false);
    await until("the other follower to be the primary", 60, () => database.primary() === other);
    await writer.acknowledgements(10, 60);
    const again = writer.entries.find(
      ({ sentAtMilliseconds: sent, acknowledgedAtMilliseconds: at }) => at !== undefined && sent > from + 100,
    );
    database.run(primary);
    await this.comesBack(volumes.get(victim)!, victim);
    say({
      hangs: "under a follower",
      victim,
      writtenAgainAfter: Math.round(again!.acknowledgedAtMilliseconds! - from),
    });
  }

  private async comesBack(volume: Volume, pod: string): Promise<void> {
    const { database } = this;
    volume.thaw();
    await until(`${pod} to follow`, 120, () => database.role(pod) === "replica" && database.healthy());
    const alarm = (await database.metrics(pod)).get("tidesql_alarm");
    if (alarm !== 0) throw new Error("the alarm has not ended");
  }

  private async judge(entries: LedgerEntry[]): Promise<boolean> {
    const connection = await this.database.connect();
    const [rows] = await connection.query("SELECT id FROM app.ledger");
    connection.destroy();
    const found = audit(
      entries,
      (rows as { id: unknown }[]).map(({ id }) => Number(id)),
    );
    const beyond = found.lost.filter(id => !this.mayBeLost(entries[id - 1]!.acknowledgedAtMilliseconds!));
    const { acknowledged, lost, unknown } = found;
    say({ acknowledged, lost: lost.length, lostBeyondTheMode: beyond, unknown: unknown.length });
    return beyond.length + unknown.length === 0;
  }

  private mayBeLost(at: number): boolean {
    return this.durability === "interval" && this.lostAt.some(lost => at <= lost + 200 && at > lost - allowedLoss);
  }
}

void main().catch((error: unknown) => {
  console.error(error instanceof Error && error.message.startsWith("Three") ? error.message : error);
  process.exit(1);
});
