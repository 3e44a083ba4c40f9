import { Disk } from "../model/ports";

interface MemoryFile {
  /** Longer than the content: what is appended does not move what is there. */
  buffer: Uint8Array;
  length: number;
}

/** A disk in memory, for tests and simulations: what was written stays when an engine is killed. */
export class MemoryDisk implements Disk {
  /** Called with the name of each file that is written anew. */
  onWrite: ((name: string) => void) | undefined;
  private readonly files = new Map<string, MemoryFile>();

  read(name: string): Uint8Array | undefined {
    const file = this.files.get(name);
    return file?.buffer.subarray(0, file.length);
  }

  write(name: string, content: Uint8Array): void {
    this.files.set(name, { buffer: content.slice(), length: content.length });
    this.onWrite?.(name);
  }

  append(name: string, content: Uint8Array): void {
    const file = this.files.get(name) ?? { buffer: new Uint8Array(), length: 0 };
    const length = file.length + content.length;
    let { buffer } = file;
    if (length > buffer.length) {
      buffer = new Uint8Array(Math.max(length, 2 * buffer.length));
      buffer.set(file.buffer.subarray(0, file.length));
    }
    buffer.set(content, file.length);
    this.files.set(name, { buffer, length });
  }

  /** Nothing is reserved here. */
  trim(): void {
    return undefined;
  }

  size(name: string): number | undefined {
    return this.files.get(name)?.length;
  }

  remove(name: string): void {
    for (const file of this.list()) if (file === name || file.startsWith(`${name}/`)) this.files.delete(file);
  }

  list(): string[] {
    return [...this.files.keys()];
  }
}
