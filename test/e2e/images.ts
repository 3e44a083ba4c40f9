import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { run } from "./command";

/** Where the image has the engine: the place where TideSQL's own image has MariaDB. */
const mariadbPrefix = "/usr/local/mariadb";
const nodeInImage = "/usr/local/bin/node";
const engineInImage = `${mariadbPrefix}/engine.js`;

/** What an init container copies the Node binary with, and what a person needs who looks into a pod. */
const tools = ["sh", "cp", "cat", "ls", "mkdir", "chmod", "rm", "sleep", "env"];

/** An image's content, with a name of the content: another content has another name. */
export interface RootFileSystem {
  folder: string;
  /** Twelve hexadecimal digits. */
  hash: string;
}

/**
 * Makes the one file system that serves as both images of the tests: the Node binary and the simulated engine, with a shell and the libraries that they need,
 * all taken from this machine, so that neither a registry nor a package mirror is asked.
 * @param folder where it is made, in a folder named by its content; what is there already is used
 * @param engineBundle path of the simulated engine, one JavaScript file
 */
export async function makeRootFileSystem(folder: string, engineBundle: string): Promise<RootFileSystem> {
  const programs = ["/bin", "/usr/bin"];
  const find = (name: string) => {
    const path = programs.map(directory => join(directory, name)).find(existsSync);
    if (!path) throw new Error(`this machine has no ${name} in ${programs.join(" or ")}`);
    return path;
  };
  const files = new Map<string, string>([[nodeInImage, realpathSync(process.execPath)]]);
  for (const name of tools) files.set(`/bin/${name}`, find(name));
  for (const source of [...files.values()]) for (const library of await libraries(source)) files.set(library, library);

  const engine = readFileSync(engineBundle);
  const wrapper = (program: string) => `#!/bin/sh\nexec ${nodeInImage} ${engineInImage} ${program} "$@"\n`;
  const written = new Map<string, { content: Buffer | string; mode: number }>([
    [engineInImage, { content: engine, mode: 0o644 }],
    [`${mariadbPrefix}/bin/mariadbd`, { content: wrapper("mariadbd"), mode: 0o755 }],
    [`${mariadbPrefix}/scripts/mariadb-install-db`, { content: wrapper("mariadb-install-db"), mode: 0o755 }],
    ["/etc/passwd", { content: "root:x:0:0:root:/:/bin/sh\n", mode: 0o644 }],
  ]);

  const hash = createHash("sha256")
    .update(process.version)
    .update(JSON.stringify([...files.keys()]));
  for (const [path, { content }] of written) hash.update(path).update(content);
  const name = hash.digest("hex").slice(0, 12);
  const root = join(folder, `rootfs-${name}`);
  const complete = join(folder, `rootfs-${name}.complete`);
  if (existsSync(complete)) return { folder: root, hash: name };

  rmSync(root, { recursive: true, force: true });
  for (const [path, source] of files) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    copyFileSync(source, join(root, path));
    chmodSync(join(root, path), 0o755);
  }
  for (const [path, { content, mode }] of written) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content, { mode });
  }
  mkdirSync(join(root, "tmp"), { recursive: true });
  chmodSync(join(root, "tmp"), 0o1777);
  writeFileSync(complete, "");
  return { folder: root, hash: name };
}

/** The shared libraries of a program, the loader included, at the paths where it looks for them. */
async function libraries(program: string): Promise<string[]> {
  const text = await run("ldd", [program]);
  return [...text.matchAll(/(\/\S+) \(0x/g)].map(match => match[1] ?? "").filter(path => path !== "");
}
