import * as fsp from "node:fs/promises";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { S3Server } from "../engine/objectStore/s3Server";
import { createLog } from "../../components/manager/store/log/seal";
import { mulberry } from "./mulberry";
import { Findings, Ledger, tables } from "./ledger";
import { forcedCompaction, port, RealEngine } from "./realEngine";
import { StoreHost, systemStoreClock, testBucket } from "./storeHost";

const usage = `Rounds of faults on real engines behind the store, on this machine:
  npx tsx test/storeEngine/rounds.ts --engine PREFIX [--rounds 10] [--clients 16] [--durability commit|interval] [--buffer 1M]
      [--delay MS] [--tick MS] [--seed N] [--compaction forced|default] [--keep]
--engine is MariaDB's prefix (bin/mariadbd, lib/mysql/plugin/ha_tidesdb.so). Exits with 1 when a row is wrong.`;

/** What happens to the writer in one round. */
const faults = [
  "node lost",
  "resume in place",
  "resume twice",
  "killed in a flush",
  "takeover cut off",
  "handover",
] as const;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      engine: { type: "string" },
      rounds: { type: "string", default: "10" },
      clients: { type: "string", default: "16" },
      durability: { type: "string", default: "commit" },
      buffer: { type: "string", default: "1M" },
      delay: { type: "string", default: "0" },
      tick: { type: "string", default: "50" },
      seed: { type: "string", default: String(Date.now() % 1_000_000) },
      compaction: { type: "string", default: "forced" },
      keep: { type: "boolean", default: false },
    },
  });
  if (!values.engine) throw new Error(usage);
  const { durability } = values;
  if (durability !== "commit" && durability !== "interval") throw new Error("--durability is commit or interval");
  const random = mulberry(Number(values.seed));
  const folder = mkdtempSync(join(tmpdir(), "store-engine-"));
  const server = await S3Server.start("store-tests");
  const slow = Number(values.delay);
  if (slow > 0) server.store.fault = () => delay(slow).then(() => undefined);
  const bucket = testBucket(server, "db/");
  await createLog(bucket, "rounds", "rounds", systemStoreClock);
  console.log(JSON.stringify({ ...values, folder }));
  const hosts: StoreHost[] = [];
  for (const [index, name] of ["a", "b", "c"].entries()) {
    const engine = new RealEngine(values.engine, join(folder, name), port(index));
    await engine.install(join(folder, "template"));
    const host = new StoreHost({
      bucket,
      name,
      engine,
      durability,
      writeBuffer: values.buffer,
      options: values.compaction === "forced" ? forcedCompaction : [],
      tick: Number(values.tick),
      log: message => console.log(message),
    });
    await host.boot();
    hosts.push(host);
  }
  let wrong = 0;
  let finished = false;
  try {
    wrong = await play(hosts, new Ledger(), Number(values.rounds), Number(values.clients), durability, random);
    finished = true;
  } finally {
    for (const host of hosts) await host.crash().catch(() => undefined);
    server.stop();
    if (!values.keep && wrong === 0 && finished) await fsp.rm(folder, { recursive: true, force: true });
  }
  process.exit(wrong === 0 ? 0 : 1);
}

async function play(
  hosts: StoreHost[],
  ledger: Ledger,
  rounds: number,
  clients: number,
  durability: "commit" | "interval",
  random: () => number,
): Promise<number> {
  let writer = hosts[0]!;
  await writer.write();
  await writer.engine.sql("CREATE DATABASE IF NOT EXISTS app");
  for (const table of tables)
    await writer.engine.sql(`CREATE TABLE app.${table} (id INT PRIMARY KEY, v INT, s VARCHAR(1500), KEY v (v))`);
  for (const host of hosts.slice(1)) await host.follow();
  let wrong = 0;
  for (let round = 1; round <= rounds; round++) {
    const fault = faults[Math.floor(random() * faults.length)]!;
    const others = hosts.filter(host => host !== writer);
    let next = others[Math.floor(random() * others.length)]!;
    let stop = false;
    const before = ledger.acknowledged;
    const begun = performance.now();
    const { engine } = writer;
    const work = Promise.all(
      Array.from({ length: clients }, (_, client) => ledger.write(engine, client, random, () => stop)),
    );
    await delay(500 + random() * 2500);
    let lostAt: number | undefined;
    if (fault === "handover") {
      stop = true;
      await work;
      await writer.writing!.handler.ship();
      await writer.crash();
      await writer.boot();
    } else if (fault === "killed in a flush") {
      void writer.flush().catch(() => undefined);
      await delay(random() * 150);
    }
    if (fault !== "handover") {
      engine.killNow();
      lostAt = performance.now();
      stop = true;
      await work;
      await writer.crash();
    }
    const rate = (1000 * (ledger.acknowledged - before)) / (performance.now() - begun);
    const down = performance.now();
    if (fault.startsWith("resume")) {
      next = writer;
      // The volume is there, so nothing that was acknowledged may be lost.
      lostAt = undefined;
      await next.boot();
      if (fault === "resume twice") {
        if (!(await next.write())) throw new Error("nobody else wanted to write, and the seal failed");
        await next.crash();
        await next.boot();
      }
    } else if (fault === "takeover cut off") {
      // A first candidate seals and is killed somewhere on its way.
      const first = next;
      const attempt = first.write().catch(() => false);
      await Promise.race([attempt, delay(random() * 1500)]);
      await first.crash();
      await attempt;
      await first.boot();
      next = others.find(host => host !== first)!;
    }
    if (!(await next.write())) throw new Error("nobody else wanted to write, and the seal failed");
    const outage = Math.round(performance.now() - down);
    const findings = await ledger.compare(next.engine, durability === "interval" ? lostAt : undefined, true);
    const followers: Record<string, Findings | string> = {};
    for (const host of hosts) {
      if (host === next) continue;
      if (!host.engine.running) {
        if (host === writer && fault !== "handover") {
          if (random() < 0.5) await host.wipe();
          await host.boot();
        }
        await host.follow();
      }
      followers[host.options.name] = await follower(host, next, ledger);
    }
    const count = sum(findings.wrong);
    wrong += count;
    console.log(
      JSON.stringify({
        round,
        fault,
        writer: next.options.name,
        rate: Math.round(rate),
        acknowledged: ledger.acknowledged,
        outage,
        steps: next.steps,
        rows: findings.rows,
        wrong: count,
        ...(findings.lost > 0 && { lost: findings.lost, lostMilliseconds: Math.round(findings.lostMilliseconds) }),
        ...(count > 0 && { how: findings.wrong, examples: findings.examples }),
        followers,
        position: next.state.position,
      }),
    );
    writer = next;
  }
  const warnings = hosts.flatMap(host => host.warnings);
  console.log(JSON.stringify({ rounds, acknowledged: ledger.acknowledged, wrong, warnings: warnings.length }));
  return wrong;
}

/** What a running follower shows, once it is where the writer is. */
async function follower(host: StoreHost, writer: StoreHost, ledger: Ledger): Promise<string> {
  for (const until = performance.now() + 10_000; ; await delay(50)) {
    if (host.feed && host.feed.position >= writer.state.position) break;
    if (performance.now() > until) return `behind: ${host.feed?.position} of ${writer.state.position}`;
  }
  await delay(400);
  const reasons = host.feed.restartReasons;
  const findings = await ledger.compare(host.engine, undefined, false);
  const count = sum(findings.wrong);
  const state = count === 0 ? "right" : `${count} wrong (${findings.examples[0]})`;
  return reasons.length > 0 ? `${state}; due for a restart: ${reasons.join(", ")}` : state;
}

function sum(counts: Record<string, number>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

void main().catch((error: unknown) => {
  console.error(error instanceof Error && error.message.startsWith("Rounds") ? error.message : error);
  process.exit(1);
});
