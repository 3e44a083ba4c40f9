/**
 * The SSTables of a column family: by level and number. The partition in a file's name is not among what it says, which is why a node that loads its tables from
 * the bucket cannot find partitioned files.
 */
export interface ManifestEntry {
  level: number;
  id: number;
  entries: number;
  bytes: number;
}

/** Manifests by the content that they were decoded from: a replica decodes each at every poll, and few have changed. */
const decoded = new WeakMap<Uint8Array, Manifest>();

export class Manifest {
  readonly entries = new Map<string, ManifestEntry>();
  /** The next SSTable's number. */
  sequence = 0;

  static decode(content: Uint8Array | undefined): Manifest {
    const manifest = new Manifest();
    for (const line of content ? Buffer.from(content).toString("utf8").split("\n") : []) {
      const [first, ...numbers] = line.split(" ");
      const [a = 0, b = 0, c = 0, d = 0] = numbers.map(Number);
      if (first === "sequence") manifest.sequence = a;
      if (first === "sstable") manifest.add({ level: a, id: b, entries: c, bytes: d });
    }
    return manifest;
  }

  /** As {@link decode}, for one that is only looked at. A store in memory answers with the same content until it changes. */
  static peek(content: Uint8Array): Manifest {
    let manifest = decoded.get(content);
    if (!manifest) decoded.set(content, (manifest = Manifest.decode(content)));
    return manifest;
  }

  encode(): Uint8Array {
    const lines = [...this.entries.values()].map(e => `sstable ${e.level} ${e.id} ${e.entries} ${e.bytes}\n`);
    return Buffer.from(`sequence ${this.sequence}\n${lines.join("")}`);
  }

  has(level: number, id: number): boolean {
    return this.entries.has(`${level} ${id}`);
  }

  add(entry: ManifestEntry): void {
    this.entries.set(`${entry.level} ${entry.id}`, entry);
  }

  remove(level: number, id: number): void {
    this.entries.delete(`${level} ${id}`);
  }
}
