import { Manifest } from "./manifest";
import { Version } from "./memtable";
import { defaultFamilySettings, FamilySettings } from "./settings";
import { maxSequence, Sstable } from "./sstable";

/** One table's tree. */
export class ColumnFamily {
  /** Level 1 first; in each level the newest SSTable last. */
  readonly levels: Sstable[][];
  nextSstableId: number;
  compacting = false;
  dropped = false;

  /**
   * @param index prefix of its keys in the memtable and the WAL
   * @param manifest may name SSTables that are in no level: nothing loads them then
   */
  constructor(
    readonly name: string,
    readonly index: number,
    readonly settings: FamilySettings,
    readonly manifest: Manifest,
    levelCount: number,
  ) {
    this.levels = Array.from({ length: levelCount }, () => []);
    this.nextSstableId = manifest.sequence;
  }

  get sstables(): Sstable[] {
    return this.levels.flat();
  }

  level(number: number): Sstable[] {
    return this.levels[number - 1] ?? [];
  }

  place(sstable: Sstable): void {
    const level = this.level(sstable.level);
    level.push(sstable);
    level.sort((a, b) => a.id - b.id);
    this.nextSstableId = Math.max(this.nextSstableId, sstable.id + 1);
  }

  remove(sstable: Sstable): void {
    const level = this.level(sstable.level);
    const at = level.indexOf(sstable);
    if (at !== -1) level.splice(at, 1);
  }

  maxSequence(): number {
    return Math.max(0, ...this.sstables.map(maxSequence));
  }

  /** The version in the highest level that has the key: of several SSTables there, the one with the highest sequence. */
  find(key: string): { version: Version; sstable: Sstable } | undefined {
    for (const level of this.levels) {
      let best: { version: Version; sstable: Sstable } | undefined;
      for (const sstable of level) {
        const version = sstable.rows.get(key);
        if (version && (!best || version.sequence > best.version.sequence)) best = { version, sstable };
      }
      if (best) return best;
    }
    return undefined;
  }
}

/** `config.ini` of a column family. */
export function encodeFamilySettings(settings: FamilySettings): Uint8Array {
  return Buffer.from(
    Object.entries(settings)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(""),
  );
}

/** What the file does not say has the library's default. */
export function decodeFamilySettings(content: Uint8Array | undefined): FamilySettings {
  const settings: FamilySettings = { ...defaultFamilySettings };
  for (const line of content ? Buffer.from(content).toString("utf8").split("\n") : []) {
    const [key = "", value] = line.split("=");
    if (key in settings) settings[key as keyof FamilySettings] = Number(value);
  }
  return settings;
}
