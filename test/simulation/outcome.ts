import { Acknowledged, Client } from "./client";
import { CorruptTable } from "../engine/model/errors";
import { Manifest } from "../engine/model/manifest";
import type { SimulatedNode } from "./node";
import { promised } from "./promised";
import type { World } from "./world";

/** A replica that was cut off from the bucket is in the middle of a poll, in which each request has a time limit of its own. Milliseconds. */
const catchUpWithin = 30_000;
const lookAgainAfter = 1000;

/** Compares what was acknowledged with what is there, on the primary and on every replica that serves (invariants b and c). @returns the number of lost writes */
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
      const mayHaveMore = promises.lossAcceptedAt !== undefined && !promised.agreementAfterAcceptedLoss;
      const difference = howItDiffers(node, expected, mayHaveMore, () => (promises.overtaken = true));
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
function howItDiffers(
  { server, pod }: SimulatedNode,
  expected: Map<string, string>,
  mayHaveMore: boolean,
  onOvertaken: () => void,
): string | undefined {
  try {
    const rows = server?.rows();
    const isExcused = (key: string) => {
      if (promised.overtakenRows || !rows?.isOvertaken(key)) return false;
      onOvertaken();
      return true;
    };
    for (const [key, value] of expected) {
      const scanned = rows?.scanned.get(key);
      const read = rows?.read(key);
      if ((scanned === value && read === value) || isExcused(key)) continue;
      return `${key}=${value} on the primary is ${scanned} by scan and ${read} by point read on the replica ${pod}`;
    }
    for (const [key, value] of rows?.scanned ?? [])
      if (!expected.has(key) && !mayHaveMore && !isExcused(key))
        return `${key}=${value} is on the replica ${pod} and not on the primary`;
    return undefined;
  } catch (error) {
    if (error instanceof CorruptTable && !promised.valuesOfReplicas) return undefined;
    return `the replica ${pod} cannot be read: ${String(error)}`;
  }
}

/**
 * Whether the bucket has been left with a manifest that names files which are gone from it, and nobody can mend that: there is no primary, and the last one's volume is gone. The engine does that to
 * itself when a replica's start puts an old manifest over a new one, and the primary is lost with its disk before it has repaired that. docs/failover-limits.md names it as not covered.
 */
export function isStranded(world: World): boolean {
  const { store, nodes } = world;
  const owner = nodes.map(node => node.manager?.view().owner).find(record => record !== undefined);
  const isKept = nodes.some(({ record }) => record.epoch !== undefined && record.epoch === owner?.epoch);
  if (world.writer() || isKept) return false;
  return store.list("data/").some(({ key }) => {
    if (!key.endsWith("/MANIFEST")) return false;
    const folder = key.slice(0, -"MANIFEST".length);
    const klogs = store.list(folder).map(object => object.key.slice(folder.length));
    const named = Manifest.peek(store.get(key)!.body).entries.values();
    return [...named].some(({ level, id }) => !klogs.includes(`L${level}_${id}.klog`));
  });
}

function newestByKey(client: Client): Map<string, Acknowledged> {
  return new Map(client.acknowledged.map(row => [row.key, row]));
}
