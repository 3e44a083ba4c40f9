import * as fsp from "node:fs/promises";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { S3Server } from "../engine/objectStore/s3Server";
import { historyTiming } from "../../components/manager/store/log/history";
import { checkpointAfter } from "../../components/manager/store/log/keeping";
import { readOwner } from "../../components/manager/store/log/owner";
import { describeHistory } from "../../components/manager/store/log/past";
import { restoreDatabase } from "../../components/manager/store/log/restore";
import { createLog } from "../../components/manager/store/log/seal";
import { mulberry } from "./mulberry";
import { PastLedger, pastTables } from "./pastLedger";
import { forcedCompaction, port, RealEngine } from "./realEngine";
import { StoreHost, systemStoreClock, testBucket } from "./storeHost";

const usage = `Restores of random past positions with real engines, on this machine, while the source writes on, loses nodes and collects garbage:
  npx tsx test/storeEngine/restore.ts --engine PREFIX [--restores 10] [--clients 8] [--buffer 1M] [--seed N] [--compaction forced|default]
--engine is MariaDB's prefix (bin/mariadbd, lib/mysql/plugin/ha_tidesdb.so). Exits with 1 when a row is wrong.`;

/** Seconds stand for days here: every position of the last 20 s is kept, then a checkpoint of each 8 s for 2 minutes. */
const rules = { everyPositionMilliseconds: 20_000, dailyCheckpointMilliseconds: 120_000 };

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      engine: { type: "string" },
      restores: { type: "string", default: "10" },
      clients: { type: "string", default: "8" },
      buffer: { type: "string", default: "1M" },
      seed: { type: "string", default: String(Date.now() % 1_000_000) },
      compaction: { type: "string", default: "forced" },
    },
  });
  if (!values.engine) throw new Error(usage);
  const random = mulberry(Number(values.seed));
  const folder = mkdtempSync(join(tmpdir(), "store-restore-"));
  const server = await S3Server.start("store-tests");
  historyTiming.dayMilliseconds = 8000;
  Object.assign(checkpointAfter, { entries: 60, milliseconds: 4000 });
  const source = testBucket(server, "db/");
  await createLog(source, "source", "restore", systemStoreClock);
  console.log(JSON.stringify({ ...values, folder }));
  const hostOn = async (bucket: ReturnType<typeof testBucket>, name: string, index: number) => {
    const engine = new RealEngine(values.engine!, join(folder, name), port(index));
    await engine.install(join(folder, "template"));
    const host = new StoreHost({
      bucket,
      name,
      engine,
      durability: "commit",
      writeBuffer: values.buffer,
      options: values.compaction === "forced" ? forcedCompaction : [],
      tick: 50,
      log: message => console.log(message),
    });
    await host.boot();
    return host;
  };
  const hosts = [await hostOn(source, "a", 0), await hostOn(source, "b", 1)];
  let [writer, other] = hosts as [StoreHost, StoreHost];
  let position = 0;
  const ledger = new PastLedger(() => (position = Math.max(position, (writer.writing?.log.position ?? 0) - 1)));
  let wrong = 0;
  let garbage = 0;
  let single = 0;
  try {
    await writer.write();
    await writer.engine.sql("CREATE DATABASE IF NOT EXISTS app");
    for (const table of pastTables)
      await writer.engine.sql(`CREATE TABLE app.${table} (id INT PRIMARY KEY, v INT, s VARCHAR(1500), KEY v (v))`);
    const created = writer.state.position;
    for (let restore = 1; restore <= Number(values.restores); restore++) {
      let stop = false;
      const { engine } = writer;
      const work = Promise.all(
        Array.from({ length: Number(values.clients) }, (_, client) => ledger.write(engine, client, random, () => stop)),
      );
      // A clock of its own: the window goes on with time.
      for (let times = 0; times < 6; times++) {
        await delay(1500 + random() * 1000);
        // A request that gets no answer in time ends a run; the next one goes on.
        garbage += await writer.collectGarbage({ keepMilliseconds: 1000, rules }).catch(() => 0);
      }
      const { owner } = (await readOwner(source, 5000))!;
      const alone = describeHistory(owner).daily.filter(({ position: at }) => at >= created);
      const first = Math.max(owner.horizon, created);
      const at =
        alone.length > 0 && random() < 0.5
          ? alone[Math.floor(random() * alone.length)]!.position
          : first + Math.floor(random() * (writer.writing!.log.position - first));
      if (at < first) single++;
      const prefix = `restored-${restore}/`;
      const target = testBucket(server, prefix);
      const begun = performance.now();
      await restoreDatabase({
        target,
        source,
        copy: (key, size) => target.copyFrom({ bucket: "store-tests", prefix: "db/" }, key, size),
        clock: systemStoreClock,
        scratch: join(folder, "scratch"),
        databaseId: `restored-${restore}`,
        author: "restore",
        place: "s3://store-tests/db/",
        at: String(at),
        log: () => undefined,
      });
      const copied = Math.round(performance.now() - begun);
      const host = await hostOn(target, `restored-${restore}`, 2);
      await host.write();
      const findings = await ledger.compare(host.engine, at);
      // The restored one is a database of its own: it writes on.
      await host.engine.sql("INSERT INTO app.t0 (id, v) VALUES (999999, 1)");
      await host.crash();
      await host.wipe();
      for (const key of [...server.store.objects.keys()]) if (key.startsWith(prefix)) server.store.objects.delete(key);
      await fsp.rm(host.engine.folder, { recursive: true, force: true });
      const bad = Object.values(findings.wrong).reduce((sum, count) => sum + count, 0) + findings.torn;
      wrong += bad;
      console.log(
        JSON.stringify({
          restore,
          at,
          of: writer.writing!.log.position - 1,
          horizon: owner.horizon,
          alone: at < owner.horizon,
          acknowledged: ledger.acknowledged,
          rows: findings.rows,
          wrong: bad,
          ...(bad > 0 && { findings }),
          copied,
          garbage,
        }),
      );
      // Every third time the node is lost, and the other takes over.
      if (restore % 3 === 0) {
        engine.killNow();
        stop = true;
        await work;
        await writer.crash();
        await writer.boot();
        // It has read nothing since it began, and what it knows is behind the horizon.
        await other.crash();
        await other.boot();
        [writer, other] = [other, writer];
        if (!(await writer.write())) throw new Error("nobody else wanted to write, and the seal failed");
      } else {
        stop = true;
        await work;
      }
    }
    console.log(
      JSON.stringify({ restores: Number(values.restores), single, acknowledged: ledger.acknowledged, garbage, wrong }),
    );
  } finally {
    for (const host of hosts) await host.crash().catch(() => undefined);
    server.stop();
    if (wrong === 0) await fsp.rm(folder, { recursive: true, force: true });
  }
  process.exit(wrong === 0 ? 0 : 1);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
