import promises from "node:fs/promises";
import type { Random } from "./random";

/** A file, whatever its names. */
export interface Inode {
  content: Buffer;
  size: number;
  /** Writes that no sync has covered, oldest first, with the bytes that were there before. */
  unsynced: { at: number; before: Buffer }[];
  isSynced: boolean;
}

/** A name that came or went, and that no sync of its folder has covered. */
interface Renaming {
  folder: string;
  paths: string[];
  /** Of a new file: a sync of that makes its first name durable too, as the usual file systems do. */
  made?: Inode;
  undo: () => void;
}

const mostUnsyncedNames = 64;

/** A file system in memory, of one node. Paths are whole. What has a file open keeps it when its name is gone. */
export class SimulatedVolume {
  private readonly files = new Map<string, Inode>();
  private readonly folders = new Set<string>();
  private renamings: Renaming[] = [];
  /** What {@link list} has found, by folder, until a name comes or goes. */
  private readonly listed = new Map<string, Map<string, boolean>>();
  private readonly onWriteListeners = new Set<() => void>();

  clear(): void {
    this.files.clear();
    this.folders.clear();
    this.listed.clear();
    this.renamings = [];
  }

  makeFolder(path: string): void {
    this.folders.add(path);
    this.listed.clear();
  }

  /** Tells of every write to a file. @returns ends it */
  onWrite(written: () => void): () => void {
    this.onWriteListeners.add(written);
    return () => this.onWriteListeners.delete(written);
  }

  /** What was written of a file is on the disk. */
  sync(inode: Inode): void {
    inode.unsynced = [];
    inode.isSynced = true;
    const durable = this.renamings.findIndex(({ made }) => made === inode);
    if (durable < 0) return;
    // Names come to the disk in their order: what had this one before does not come back to it. A folder has one entry of a name, which is the new file's now.
    const path = this.renamings[durable]!.paths[0]!;
    this.renamings = this.renamings.filter(({ paths }, index) => index > durable || !paths.includes(path));
  }

  /** The names in a folder are. */
  syncFolder(path: string): void {
    if (this.renamings.length > 0) this.renamings = this.renamings.filter(({ folder }) => folder !== path);
  }

  /** The machine has no power any more: of what was not synced some is there, and some is not. Names come to the disk in their order, bytes in any. */
  losePower(random: Random): void {
    const kept = random.below(this.renamings.length + 1);
    for (const { undo } of this.renamings.splice(kept).reverse()) undo();
    this.renamings = [];
    for (const inode of new Set(this.files.values())) {
      if (!inode.isSynced && random.chance(0.5)) this.resize(inode, 0);
      else
        for (const { at, before } of inode.unsynced.reverse())
          if (random.chance(0.5) && at + before.length <= inode.size) inode.content.set(before, at);
      this.sync(inode);
    }
    this.listed.clear();
  }

  has(path: string): boolean {
    return this.files.has(path);
  }

  /** @throws ENOENT */
  inode(path: string): Inode {
    const inode = this.files.get(path);
    if (!inode) throw noEntry(path);
    return inode;
  }

  read(path: string): Buffer {
    const { content, size } = this.inode(path);
    return Buffer.from(content.subarray(0, size));
  }

  size(path: string): number {
    return this.inode(path).size;
  }

  /** A new file in place of one of that name. */
  create(path: string): Inode {
    const inode: Inode = { content: Buffer.alloc(256), size: 0, unsynced: [], isSynced: false };
    const former = this.files.get(path);
    if (!former) this.listed.clear();
    this.files.set(path, inode);
    this.named({
      folder: folderOf(path),
      paths: [path],
      made: inode,
      undo: () => (former ? this.files.set(path, former) : this.files.delete(path)),
    });
    return inode;
  }

  /** After a while a name is on the disk also without a sync. */
  private named(renaming: Renaming): void {
    if (this.renamings.push(renaming) > mostUnsyncedNames) this.renamings.shift();
  }

  write(path: string, content: Uint8Array): void {
    this.writeAt(this.create(path), 0, content);
  }

  writeAt(inode: Inode, at: number, bytes: Uint8Array): void {
    this.resize(inode, Math.max(inode.size, at + bytes.length));
    inode.unsynced.push({ at, before: Buffer.from(inode.content.subarray(at, at + bytes.length)) });
    inode.content.set(bytes, at);
    for (const written of this.onWriteListeners) written();
  }

  resize(inode: Inode, size: number): void {
    if (size > inode.content.length) {
      const content = Buffer.alloc(2 * size);
      inode.content.copy(content, 0, 0, inode.size);
      inode.content = content;
    } else if (size < inode.size) inode.content.fill(0, size, inode.size);
    inode.size = size;
  }

  remove(path: string): void {
    this.listed.clear();
    const isFile = this.files.has(path);
    // Nothing is below a file.
    if (isFile) return this.removeFile(path, folderOf(path));
    for (const name of [...this.files.keys()]) if (name.startsWith(`${path}/`)) this.removeFile(name, folderOf(path));
    for (const name of [...this.folders]) if (name === path || name.startsWith(`${path}/`)) this.folders.delete(name);
  }

  private removeFile(path: string, folder: string): void {
    const inode = this.files.get(path)!;
    this.files.delete(path);
    this.named({ folder, paths: [path], undo: () => void this.files.set(path, inode) });
  }

  /** Of a file, or of a folder with all that is in it. */
  rename(from: string, to: string): void {
    this.listed.clear();
    if (this.folders.delete(from)) {
      this.folders.add(to);
      for (const name of [...this.files.keys()])
        if (name.startsWith(`${from}/`)) this.rename(name, `${to}${name.slice(from.length)}`);
      return;
    }
    const inode = this.inode(from);
    const former = this.files.get(to);
    this.files.delete(from);
    this.files.set(to, inode);
    const undo = () => {
      if (former) this.files.set(to, former);
      else this.files.delete(to);
      this.files.set(from, inode);
    };
    this.named({ folder: folderOf(to), paths: [from, to], undo });
  }

  /** What is directly in a folder, by name, and whether it is a folder. @throws ENOENT */
  list(folder: string): Map<string, boolean> {
    const known = this.listed.get(folder);
    if (known) return known;
    const names = new Map<string, boolean>();
    const prefix = `${folder}/`;
    const add = (path: string) => {
      if (!path.startsWith(prefix) || path === prefix) return;
      const end = path.indexOf("/", prefix.length);
      names.set(path.slice(prefix.length, end < 0 ? undefined : end), end >= 0);
    };
    for (const path of this.files.keys()) add(path);
    for (const path of this.folders) add(`${path}/`);
    if (names.size === 0 && !this.folders.has(folder)) throw noEntry(folder);
    this.listed.set(folder, names);
    return names;
  }
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

function noEntry(path: string): Error {
  return Object.assign(new Error(`ENOENT: ${path}`), { code: "ENOENT" });
}

/** A mounted volume, and how its calls come to pass. */
export interface Mount {
  volume: SimulatedVolume;
  /** Comes when the process that calls goes on: never for a dead one. A change may be made before or after. */
  pass: (changes: boolean) => Promise<void>;
  /** Whether a change that is being made now takes effect before its caller goes on, or after. */
  first: () => boolean;
}

const mounts = new Map<string, Mount>();

/** Makes a volume reachable under a root, for whoever uses `node:fs/promises` with paths below it. @returns what ends that */
export function mount(root: string, volume: Mount): () => void {
  route();
  mounts.set(root, volume);
  return () => mounts.delete(root);
}

/** `/simulated/<world>-<node>/…` */
function mountOf(path: unknown): Mount | undefined {
  if (typeof path !== "string" || !path.startsWith("/simulated/")) return undefined;
  const root = path.split("/", 3).join("/");
  const found = mounts.get(root);
  if (!found) throw noEntry(path);
  return found;
}

async function change<T>({ pass, first, volume }: Mount, effect: (volume: SimulatedVolume) => T): Promise<T> {
  if (first()) {
    const result = effect(volume);
    await pass(true);
    return result;
  }
  await pass(true);
  return effect(volume);
}

async function look<T>({ pass, volume }: Mount, effect: (volume: SimulatedVolume) => T): Promise<T> {
  await pass(false);
  return effect(volume);
}

type Call = (mount: Mount, path: string, ...rest: never[]) => unknown;

/** How each call comes to pass. */
export const calls: Record<string, Call> = {
  mkdir: (mount, path) => look(mount, volume => volume.makeFolder(path)),
  readdir: (mount, path, options?: { withFileTypes?: boolean }) =>
    look(mount, volume => {
      const names = volume.list(path);
      if (!options?.withFileTypes) return [...names.keys()];
      return [...names].map(([name, isFolder]) => ({ name, isDirectory: () => isFolder }));
    }),
  readFile: (mount, path, encoding?: BufferEncoding) =>
    look(mount, volume => {
      const content = volume.read(path);
      return encoding ? content.toString(encoding) : content;
    }),
  // Not in one piece: whoever dies meanwhile leaves an empty file.
  writeFile: async (mount, path, content: string | Uint8Array, options?: { flush?: boolean }) => {
    const inode = await change(mount, volume => volume.create(path));
    await change(mount, volume => volume.writeAt(inode, 0, Buffer.from(content)));
    if (options?.flush) await change(mount, volume => volume.sync(inode));
  },
  rm: (mount, path) => change(mount, volume => volume.remove(path)),
  rename: (mount, path, to: string) => change(mount, volume => volume.rename(path, to)),
  stat: (mount, path) => look(mount, volume => ({ size: volume.size(path) })),
  open: (mount, path, flags = "r" as never) => look(mount, volume => openFile(mount, volume, path, flags)),
};

function openFile(mount: Mount, volume: SimulatedVolume, path: string, flags: string) {
  // A folder is opened to be synced.
  const isThere = volume.has(path);
  if (flags === "r" && !isThere) {
    volume.list(path);
    return { sync: () => change(mount, () => volume.syncFolder(path)), close: () => Promise.resolve() };
  }
  const inode = flags === "w" || (flags === "a" && !isThere) ? volume.create(path) : volume.inode(path);
  let end = inode.size;
  const append = (bytes: Uint8Array) =>
    change(mount, () => {
      volume.writeAt(inode, end, bytes);
      end += bytes.length;
    });
  return {
    read: (bytes: Buffer, offset: number, length: number, position: number) =>
      look(mount, () => {
        const count = Math.max(0, Math.min(length, inode.size - position));
        inode.content.copy(bytes, offset, position, position + count);
        return { bytesRead: count };
      }),
    write: append,
    appendFile: (text: string) => append(Buffer.from(text)),
    stat: () => look(mount, () => ({ size: inode.size })),
    sync: () => change(mount, () => volume.sync(inode)),
    datasync: () => change(mount, () => volume.sync(inode)),
    close: () => Promise.resolve(),
  };
}

let isRouted = false;

/** Leads calls with a path of a mounted volume there; all others go where they went. */
function route(): void {
  if (isRouted) return;
  isRouted = true;
  const real = promises as unknown as Record<string, (...given: unknown[]) => unknown>;
  for (const name of Object.keys(calls)) {
    const original = real[name]!;
    real[name] = (...given) => {
      let found: Mount | undefined;
      try {
        found = mountOf(given[0]);
      } catch (error) {
        return Promise.reject(error instanceof Error ? error : new Error(String(error)));
      }
      return found ? calls[name]!(found, ...(given as [string])) : original(...given);
    };
  }
}
