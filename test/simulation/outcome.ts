import { Acknowledged, Client } from "./client";
import type { SimulatedNode } from "./node";
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
    const rows = writer.server.rows();
    for (const row of newestByKey(client).values()) {
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
    const tables = new Set(writer.server.knownTables());
    for (const { table, pod, sentAt, at } of client.tables) {
      if (tables.has(table)) continue;
      lost++;
      if (!promises.mayBeLost(pod, sentAt, at)) promises.violated(`${table}, made on ${pod}, is not there any more`);
    }
    await compareReplicas(world, rows.scanned);
  } catch (error) {
    promises.violated(`the primary cannot be read: ${String(error)}`);
  }
  return lost;
}

/** Waits for each replica that serves to have what the primary has, and nothing else. */
async function compareReplicas(world: World, expected: Map<string, string>): Promise<void> {
  const { promises, kubernetes, time } = world;
  for (const node of world.nodes) {
    const until = time.now + catchUpWithin;
    for (;;) {
      if (!node.alive || kubernetes.roles.get(node.pod) !== "replica") break;
      const difference = howItDiffers(node, expected);
      if (difference === undefined) break;
      if (time.now > until) {
        promises.violated(difference);
        break;
      }
      await time.runUntil(time.now + lookAgainAfter);
    }
  }
}

/** How a replica's rows differ from the primary's. */
function howItDiffers({ server, pod }: SimulatedNode, expected: Map<string, string>): string | undefined {
  try {
    const rows = server?.rows();
    for (const [key, value] of expected) {
      const scanned = rows?.scanned.get(key);
      const read = rows?.read(key);
      if (scanned === value && read === value) continue;
      return `${key}=${value} on the primary is ${scanned} by scan and ${read} by point read on the replica ${pod}`;
    }
    for (const [key, value] of rows?.scanned ?? [])
      if (!expected.has(key)) return `${key}=${value} is on the replica ${pod} and not on the primary`;
    return undefined;
  } catch (error) {
    return `the replica ${pod} cannot be read: ${String(error)}`;
  }
}

function newestByKey(client: Client): Map<string, Acknowledged> {
  return new Map(client.acknowledged.map(row => [row.key, row]));
}
