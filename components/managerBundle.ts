import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { packageRoot } from "./packageRoot";

/** The manager's scripts, as they run in the pods. */
export interface ManagerBundle {
  /** Process 1. */
  manager: string;
  /** Its watchdog thread. */
  watchdog: string;
  /** What `tidesql history` and `tidesql check` run beside it. */
  inspect: string;
}

/** Where `npm run build:manager` puts them, from the package's root. */
const bundleDirectory = path.join("bin", "manager");
/** What a ConfigMap holds, all keys together. Bytes. */
const largestBundle = 1024 * 1024;

/**
 * Reads the manager's scripts from this package, whether it runs from sources or from an installed tarball.
 * @param start the folder below the package's root to start from
 * @throws Error when they were not built, or do not fit into a ConfigMap
 */
export function readManagerBundle(start: string = __dirname): ManagerBundle {
  const directory = path.join(packageRoot(start), bundleDirectory);
  const bundle = {
    manager: read(directory, "manager.js"),
    watchdog: read(directory, "watchdog.js"),
    inspect: read(directory, "inspect.js"),
  };
  const size = Object.values(bundle).reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (size > largestBundle) {
    throw new Error(
      `the manager in ${directory} takes ${size} bytes, but a ConfigMap holds ${largestBundle}: build it with "npm run build:manager", which minifies it`,
    );
  }
  return bundle;
}

function read(directory: string, file: string): string {
  const full = path.join(directory, file);
  if (!existsSync(full)) {
    throw new Error(`${full} is missing: run "npm run build:manager" in ${path.dirname(path.dirname(directory))}`);
  }
  return readFileSync(full, "utf8");
}
