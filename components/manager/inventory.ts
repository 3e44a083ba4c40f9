import { Following, Monotonic } from "./view";

/** What a primary has, for a follower to compare itself with. */
export interface Inventory {
  epoch: number;
  /** Number of its last heartbeat that is known to be in the bucket. */
  beat: number;
  /** Its tables' files, by the names under which other nodes look for them. */
  files: string[];
  /** So long ago it removed what an earlier primary had sent too late, or found its own WAL cut short; undefined: there was nothing. Milliseconds. */
  removedFor?: number;
  /** How far it had followed an earlier primary that was lost, when it was promoted; undefined: that one had left in order, or was itself. */
  sequence?: number;
}

/** What a follower remembers of its comparisons. */
export interface Compared {
  inventory: Inventory;
  /** Files of the primary's that this node does not have, and since when it did not. */
  lacking: ReadonlyMap<string, Monotonic>;
}

/** The engine's files begin with a header of so much, whatever is in them. Bytes. */
const fileHeaderBytes = 8;

/** Whether there is nothing in one of the engine's files: it has its header at most. */
export function isWithoutContent(size: number): boolean {
  return size <= fileHeaderBytes;
}

/** Files that carry a partition in their names are looked for without it. */
export function plainName(name: string): string {
  return name.replace(/\/(L\d+)P\d+(_\d+\.[kv]log)$/, "/$1$2");
}

/**
 * The SSTables among files or objects, by their keys' files. One without its values is a leftover: of a merge that went on while it was fetched, or of an upload that was cut short.
 */
export function wholeSstables(names: Iterable<string>): string[] {
  const all = new Set(names);
  return [...all].filter(name => name.endsWith(".klog") && all.has(name.replace(/klog$/, "vlog")));
}

/** The files with content of whole SSTables. One whose values are all kept beside their keys has a file of values without content. */
export function filesWithContent(files: readonly { name: string; size: number }[]): string[] {
  const sizes = new Map(files.map(({ name, size }) => [name, size]));
  const has = (name: string) => !isWithoutContent(sizes.get(name) ?? 0);
  return wholeSstables(sizes.keys())
    .filter(has)
    .flatMap(keys => [keys, keys.replace(/klog$/, "vlog")].filter(has));
}

/**
 * The files of SSTables without content: the engine makes one of an object that it did not find, and takes it for the real one from then on. A file of values may be empty by right.
 */
export function filesWithoutContent(files: readonly { name: string; size: number }[]): string[] {
  return files.filter(({ size }) => isWithoutContent(size)).map(({ name }) => name);
}

/**
 * What the follower lacks now. Not all of it is amiss: files come and go with each merge.
 * @param leftovers files that belong to no table: they were still missing after the bucket was opened again
 */
export function compareWith(
  before: Compared | undefined,
  inventory: Inventory,
  localFiles: Iterable<string>,
  leftovers: ReadonlySet<string>,
  now: Monotonic,
): Compared {
  const local = new Set([...leftovers, ...[...localFiles].map(plainName)]);
  const lacking = inventory.files.filter(name => !local.has(name));
  return { inventory, lacking: new Map(lacking.map(name => [name, before?.lacking.get(name) ?? now])) };
}

/** Files that have been lacked for so long that they will not come any more. */
export function overdue({ lacking }: Compared, now: Monotonic): string[] {
  return [...lacking].filter(([, since]) => now - since >= patience).map(([name]) => name);
}

/**
 * Why a node has lost the primary from sight; undefined when it has not. A file that it has lacked for long is one that its engine will never load: of a table that it discovers, it takes the files
 * for loaded that the manifest names already.
 * @param before the comparison before this one
 * @param position the node's own
 */
export function lostSight(
  before: Compared | undefined,
  compared: Compared,
  position: { epoch: number; beat: number },
  now: Monotonic,
): string | undefined {
  const [file] = overdue(compared, now);
  if (file !== undefined) return `${file} is on the primary but was not loaded here`;
  const { epoch, beat } = before?.inventory ?? { epoch: -1, beat: -1 };
  const behind = position.epoch < epoch || (position.epoch === epoch && position.beat < beat);
  return behind && compared.inventory.epoch === epoch
    ? `heartbeat ${beat} of the primary is in the bucket but was not followed here`
    : undefined;
}

/** A file may be on its way for so long. Milliseconds. */
const patience = 4000;

/** Comparisons are so far apart. Milliseconds. */
export const compareEvery: Record<Following, number> = { joining: 1000, following: 15_000, missed: Infinity };
