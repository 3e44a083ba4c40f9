import { createHash, randomUUID } from "node:crypto";
import { existsSync, watch } from "node:fs";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { podLayout } from "../core/podLayout";
import { olderWals, walGeneration } from "./comparison";
import { definitionsTable } from "./definitions";
import { copyServer } from "./serverTemplate";
import { LocalFile, Volume, WalFile } from "./ports";
import { VolumeRecord } from "./view";
import { WalEnds } from "./walEnds";

/** Where things are on the volume. */
type VolumeLayout = Record<
  "mariadbDirectory" | "tidesdbDirectory" | "templateDirectory" | "keptDirectory" | "epochFile" | "dataDirectory",
  string
>;

/** The pod's own volume: the server's data, the engine's files, and the small file that says whose data it is. */
export function dataVolume(mariadbPrefix: string, layout: VolumeLayout = podLayout): Volume {
  const { mariadbDirectory, tidesdbDirectory, templateDirectory, keptDirectory, epochFile, dataDirectory } = layout;
  const walEnds = new WalEnds();

  async function write(record: VolumeRecord): Promise<void> {
    const temporary = `${epochFile}.new`;
    const file = await fs.open(temporary, "w", 0o600);
    await file.writeFile(JSON.stringify(record));
    await file.sync();
    await file.close();
    await fs.rename(temporary, epochFile);
    await syncDirectory(dataDirectory);
  }

  return {
    write,

    async read() {
      // None, or not whole: the volume says nothing, and is wiped before it is used. One that cannot be read may be the last primary's.
      const content = await contentOf(epochFile);
      return parseRecord(content?.toString()) ?? { volumeId: "" };
    },

    async wipe() {
      // The record goes first: whatever happens on the way, the rest is never taken for a primary's data.
      await fs.rm(epochFile, { force: true });
      await syncDirectory(dataDirectory);
      await fs.rm(keptDirectory, { recursive: true, force: true });
      await fs.rm(tidesdbDirectory, { recursive: true, force: true });
      await fs.rm(mariadbDirectory, { recursive: true, force: true });
      await copyServer(mariadbPrefix, { templateDirectory, mariadbDirectory });
      const record: VolumeRecord = { volumeId: randomUUID() };
      await write(record);
      return record;
    },

    async sstableFiles() {
      const found: { name: string; size: number }[] = [];
      for (const name of (await filesIn(tidesdbDirectory)).filter(isOfSstable)) {
        const size = await sizeOf(path.join(tidesdbDirectory, name));
        if (size !== undefined) found.push({ name, size });
      }
      return found;
    },

    async walFiles() {
      const found: WalFile[] = [];
      for (const name of await fs.readdir(tidesdbDirectory)) {
        const generation = walGeneration(name);
        const content = generation === undefined ? undefined : await walEnds.of(path.join(tidesdbDirectory, name));
        if (generation !== undefined && content !== undefined) found.push({ generation, ...content });
      }
      return found;
    },

    async keep() {
      await fs.mkdir(keptDirectory, { recursive: true });
      const kept = await filesIn(keptDirectory);
      await makeFolders(tidesdbDirectory, kept);
      for (const name of kept) {
        if (isManifest(name)) await copyWhole(path.join(keptDirectory, name), path.join(tidesdbDirectory, name));
        else await linkTo(keptDirectory, tidesdbDirectory, name);
      }
      // The tables' files of before are kept as one, the manifests last. What was flushed since is named by none of these, and comes from WALs that are kept, too.
      const isWhole = kept.some(isManifest);
      const files = await filesIn(tidesdbDirectory);
      const toKeep = files.filter(name => isOfWal(name) || (!isWhole && (isOfSstable(name) || isManifest(name))));
      await makeFolders(keptDirectory, toKeep);
      for (const name of toKeep) if (!isManifest(name)) await linkTo(tidesdbDirectory, keptDirectory, name);
      await syncDirectory(keptDirectory);
      for (const name of toKeep)
        if (isManifest(name)) await copyWhole(path.join(tidesdbDirectory, name), path.join(keptDirectory, name));
    },

    async lostSinceKept() {
      const present = new Set(await filesIn(tidesdbDirectory));
      const gone = (await filesIn(keptDirectory)).filter(name => isOfSstable(name) && !present.has(name));
      const lost: string[] = [];
      for (const name of gone) {
        const manifest = path.join(path.dirname(name), "MANIFEST");
        const [kept, now] = await Promise.all(
          [keptDirectory, tidesdbDirectory].map(folder => contentOf(path.join(folder, manifest))),
        );
        if (kept && !(now && kept.equals(now))) lost.push(name);
      }
      return lost.sort();
    },

    async forgetKept() {
      await fs.rm(keptDirectory, { recursive: true, force: true });
      await syncDirectory(dataDirectory);
    },

    async dropFlushedWals() {
      for (const name of olderWals(await fs.readdir(tidesdbDirectory))) await fs.rm(path.join(tidesdbDirectory, name));
      await syncDirectory(tidesdbDirectory);
    },

    watchDefinitions(written) {
      const folder = path.join(tidesdbDirectory, definitionsTable);
      if (!existsSync(folder)) return undefined;
      const watcher = watch(folder, { persistent: false }, (_event, file) => {
        if (file !== null) written(`${definitionsTable}/${file}`);
      });
      // The folder goes with the volume's data.
      watcher.on("error", () => watcher.close());
      return () => watcher.close();
    },

    async readFile(name) {
      const file = path.join(tidesdbDirectory, name);
      if (!isOfWal(name)) return contentOf(file);
      return contentOf(file, (await walEnds.of(file))?.bytes);
    },

    async list() {
      const files: LocalFile[] = [];
      for (const name of (await filesIn(tidesdbDirectory)).filter(belongsInBucket)) {
        const full = path.join(tidesdbDirectory, name);
        const size = isOfWal(name) ? (await walEnds.of(full))?.bytes : await sizeOf(full);
        if (size === undefined) continue;
        const md5 = isRewritten(name)
          ? createHash("md5")
              .update(await fs.readFile(full))
              .digest("hex")
          : undefined;
        files.push({ name, size, md5 });
      }
      return files;
    },
  };
}

/** Undefined when it was not written to its end. */
function parseRecord(text = ""): VolumeRecord | undefined {
  try {
    const record = JSON.parse(text) as Partial<VolumeRecord> | null;
    return typeof record?.volumeId === "string" ? (record as VolumeRecord) : undefined;
  } catch {
    return undefined;
  }
}

/** Undefined for a file that has gone meanwhile. */
async function sizeOf(file: string): Promise<number | undefined> {
  try {
    return (await fs.stat(file)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Tables' files, their manifests, the map of their key prefixes, and the WAL. What else the engine keeps (locks, logs, temporary files) stays on the node. */
function belongsInBucket(name: string): boolean {
  return isRewritten(name) || isOfSstable(name) || isOfWal(name);
}

function isOfWal(name: string): boolean {
  return walGeneration(path.basename(name)) !== undefined;
}

function isOfSstable(name: string): boolean {
  return /\.(klog|vlog)$/.test(name);
}

/** Rewritten under its name, often at the same size. */
function isRewritten(name: string): boolean {
  return ["MANIFEST", "UNIMAP"].includes(path.basename(name));
}

function isManifest(name: string): boolean {
  return path.basename(name) === "MANIFEST";
}

/** The files below a folder, by their paths within it. */
async function filesIn(folder: string): Promise<string[]> {
  const entries = await fs.readdir(folder, { withFileTypes: true, recursive: true });
  return entries
    .filter(entry => entry.isFile())
    .map(entry => path.relative(folder, path.join(entry.parentPath, entry.name)));
}

/** Makes the folders that the names lie in. */
async function makeFolders(base: string, names: readonly string[]): Promise<void> {
  for (const folder of new Set(names.map(name => path.dirname(name))))
    await fs.mkdir(path.join(base, folder), { recursive: true });
}

/** Gives a file of one folder a second name in the other, unless it has one there. */
async function linkTo(folder: string, other: string, name: string): Promise<void> {
  try {
    await fs.link(path.join(folder, name), path.join(other, name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

/** For files that are rewritten: a second name would change with the first. */
async function copyWhole(from: string, to: string): Promise<void> {
  await fs.copyFile(from, `${to}.new`);
  await fs.rename(`${to}.new`, to);
}

/** Undefined for a file that has gone meanwhile. @param bytes no more than so many */
async function contentOf(file: string, bytes?: number): Promise<Buffer | undefined> {
  try {
    if (bytes === undefined) return await fs.readFile(file);
    const handle = await fs.open(file);
    try {
      const content = Buffer.alloc(bytes);
      const { bytesRead } = await handle.read(content, 0, bytes, 0);
      return content.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await fs.open(directory, "r");
  await handle.sync();
  await handle.close();
}
