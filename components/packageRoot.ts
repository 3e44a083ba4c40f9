import { existsSync, readFileSync, statSync } from "node:fs";
import path from "node:path";

/** This package's name in its package.json. */
const packageName = "pulumi-tidesql";

/**
 * The folder of this package, whether it runs from sources or from an installed tarball: the nearest at or above `start` that holds its package.json.
 * @throws Error when there is none
 */
export function packageRoot(start: string = __dirname): string {
  for (let folder = start; ; folder = path.dirname(folder)) {
    const file = path.join(folder, "package.json");
    if (existsSync(file) && statSync(file).isFile() && nameOf(file) === packageName) return folder;
    if (folder === path.dirname(folder)) {
      throw new Error(
        `no folder above ${start} holds the package.json of ${packageName}: import the package as npm installs it`,
      );
    }
  }
}

function nameOf(file: string): unknown {
  return (JSON.parse(readFileSync(file, "utf8")) as { name?: unknown }).name;
}
