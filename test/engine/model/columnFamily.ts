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

/** How `config.ini` names a setting, and what one of the file's units is in the model's. */
const fileNames: Record<keyof FamilySettings, { name: string; scale: number }> = {
  writeBufferBytes: { name: "write_buffer_size", scale: 1 },
  minLevels: { name: "min_levels", scale: 1 },
  l1FileCountTrigger: { name: "l1_file_count_trigger", scale: 1 },
  // A share there.
  tombstoneDensityTrigger: { name: "tombstone_density_trigger", scale: 10_000 },
  tombstoneDensityMinEntries: { name: "tombstone_density_min_entries", scale: 1 },
};
const settingNames = Object.keys(fileNames) as (keyof FamilySettings)[];

/** `config.ini` of a column family: a section of its name, and what the model knows of its settings. */
export function encodeFamilySettings(family: string, settings: FamilySettings): Uint8Array {
  const lines = settingNames.map(setting => {
    const { name, scale } = fileNames[setting];
    return `${name} = ${scale === 1 ? settings[setting] : (settings[setting] / scale).toFixed(6)}\n`;
  });
  return Buffer.from(`[${family}]\n${lines.join("")}`);
}

/** What the file does not say has the library's default. The section's name is not looked at. */
export function decodeFamilySettings(content: Uint8Array | undefined): FamilySettings {
  const settings: FamilySettings = { ...defaultFamilySettings };
  const values = new Map<string, string>();
  for (const line of content ? Buffer.from(content).toString("utf8").split("\n") : []) {
    const [name = "", value] = line.split("=");
    if (value !== undefined) values.set(name.trim(), value.trim());
  }
  for (const setting of settingNames) {
    const { name, scale } = fileNames[setting];
    const value = values.get(name);
    if (value !== undefined) settings[setting] = scale === 1 ? Number(value) : Math.round(Number(value) * scale);
  }
  return settings;
}
