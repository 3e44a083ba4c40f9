import { decodeManifest, encodeManifest, ManifestEntry } from "../formats/manifest";

/** Manifests by the content that they were decoded from: a replica decodes each at every poll, and few have changed. */
const decoded = new WeakMap<Uint8Array, Manifest>();

/**
 * The SSTables of a column family: by level and number. The partition in a file's name is not among what it says, which is why a node that loads its tables from
 * the bucket cannot find partitioned files.
 */
export class Manifest {
  readonly entries = new Map<string, ManifestEntry>();
  /** The next SSTable's number. */
  sequence = 0;

  static decode(content: Uint8Array | undefined): Manifest {
    const manifest = new Manifest();
    if (!content) return manifest;
    const { entries, sequence } = decodeManifest(content);
    manifest.sequence = sequence;
    for (const entry of entries) manifest.add(entry);
    return manifest;
  }

  /** As {@link decode}, for one that is only looked at. A store in memory answers with the same content until it changes. */
  static peek(content: Uint8Array): Manifest {
    let manifest = decoded.get(content);
    if (!manifest) decoded.set(content, (manifest = Manifest.decode(content)));
    return manifest;
  }

  encode(): Uint8Array {
    return encodeManifest({ entries: [...this.entries.values()], sequence: this.sequence });
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
