import { watch } from "node:fs";

/**
 * Tells that a file in a folder was written, or has come or gone; it may tell more than once.
 * @param changed is also told where nobody can know: the folder is gone, or the machine has given all its watches away
 * @returns ends it
 */
export function onWrite(folder: string, changed: () => void): () => void {
  try {
    const watcher = watch(folder, { persistent: false });
    watcher.on("change", changed).on("error", changed);
    return () => watcher.close();
  } catch {
    changed();
    return () => undefined;
  }
}
