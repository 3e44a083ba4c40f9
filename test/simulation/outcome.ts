import { Acknowledged, Client, MadeTable } from "./client";
import type { SimulatedNode } from "./node";
import { difference } from "./past";
import type { World } from "./world";

/** A replica that was cut off from the bucket is in the middle of a poll, in which each request has a time limit of its own. Milliseconds. */
const catchUpWithin = 30_000;
const lookAgainAfter = 1000;

/** Compares what was acknowledged with what is there, on the primary and on every replica that serves. @returns the number of lost writes */
export async function compareAtTheEnd(world: World, client: Client): Promise<number> {
  const { promises, time } = world;
  // It may just have stopped taking writes, while the bucket catches up.
  for (const until = time.now + catchUpWithin; !world.writer() && time.now < until;)
    await time.runUntil(time.now + lookAgainAfter);
  const writer = world.writer();
  if (!writer?.server) {
    promises.violated("there is no primary at the end");
    return 0;
  }
  let lost = 0;
  try {
    const server = writer.server;
    const tables = new Set(server.knownTables());
    const known = new Map<MadeTable | undefined, ReturnType<typeof server.rows>>();
    for (const row of newestByKey(client).values()) {
      if (row.made && (row.made.isOver || !tables.has(row.made.table))) continue;
      const rows = known.get(row.made) ?? server.rows(row.made?.table);
      known.set(row.made, rows);
      const scanned = rows.scanned.get(row.key) ?? null;
      const read = rows.read(row.key) ?? null;
      const unanswered = client.unanswered.get(row.key);
      if (scanned === read && (scanned === row.value || unanswered?.has(scanned))) continue;
      lost++;
      if (scanned === read && promises.mayBeLost(row.pod, row.sentAt, row.at)) continue;
      promises.violated(
        `${row.key}=${row.value}, acknowledged by ${row.pod} at ${(row.at / 1000).toFixed(3)}, is ${scanned} by scan and ${read} by point read on ${writer.pod}`,
      );
    }
    for (const { table, pod, sentAt, at } of client.tables) {
      if (tables.has(table)) continue;
      lost++;
      if (!promises.mayBeLost(pod, sentAt, at)) promises.violated(`${table}, made on ${pod}, is not there any more`);
    }
    await compareReplicas(world);
    await judgeFlush(world);
  } catch (error) {
    promises.violated(`the primary cannot be read: ${String(error)}`);
  }
  return lost;
}

/** Waits for each replica that serves to have what the primary has, and nothing else. */
async function compareReplicas(world: World): Promise<void> {
  const { promises, kubernetes, time } = world;
  for (const node of world.nodes) {
    const until = time.now + catchUpWithin;
    for (;;) {
      if (!node.alive || kubernetes.roles.get(node.pod) !== "replica") break;
      const differs = howItDiffers(node, world.writer());
      if (differs === undefined) break;
      if (time.now > until) {
        promises.violated(differs);
        break;
      }
      await time.runUntil(time.now + lookAgainAfter);
    }
  }
}

/** How a replica's rows and tables differ from the primary's. */
function howItDiffers({ server, manager, pod }: SimulatedNode, writer: SimulatedNode | undefined): string | undefined {
  const [own, primary] = [server?.model, writer?.server?.model];
  if (!own || !primary) return `the replica ${pod} or the primary cannot be read`;
  const [tables, expected] = [own, primary].map(model => model.tables().sort().join()) as [string, string];
  if (tables !== expected) return `the replica ${pod} has the tables ${tables}, and the primary ${expected}`;
  for (const table of own.merging)
    if (manager?.store.state?.tables.get(table)?.configuration)
      return `the replica ${pod} merges files of table ${table}`;
  return difference(own, primary.scan(), `the replica ${pod} beside the primary`);
}

/** Where all is well every flush is released. */
async function judgeFlush(world: World): Promise<void> {
  const writer = world.writer();
  const writing = writer?.manager?.engine.writing;
  const model = writer?.server?.model;
  if (!writing || !model) return;
  const flush = model.flush();
  flush.catch(() => undefined);
  const isReleased = () => writing.flushes.releasedUntil >= model.flushedUntil;
  for (const until = world.time.now + catchUpWithin; world.time.now < until;) {
    await world.time.runUntil(world.time.now + 200);
    if (isReleased() || writer.manager?.engine.writing !== writing) return;
  }
  const { releasedUntil } = writing.flushes;
  world.promises.violated(
    `flush ${model.flushedUntil} is not released: the last one that is has number ${releasedUntil}`,
  );
}

function newestByKey(client: Client): Map<string, Acknowledged> {
  return new Map(client.acknowledged.map(row => [row.key, row]));
}
