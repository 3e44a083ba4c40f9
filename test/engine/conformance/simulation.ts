import * as fs from "node:fs";
import * as path from "node:path";
import { buildEngine } from "../build";

/** The simulated engine in a folder that looks like MariaDB's. @returns the folder */
export async function installSimulation(folder: string): Promise<string> {
  const bundle = await buildEngine(path.join(folder, "engine.js"));
  for (const program of ["bin/mariadbd", "scripts/mariadb-install-db"]) {
    const file = path.join(folder, program);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    const command = [process.execPath, bundle, path.basename(program)];
    fs.writeFileSync(file, `#!/bin/sh\nexec ${command.map(word => `'${word}'`).join(" ")} "$@"\n`, { mode: 0o755 });
  }
  return folder;
}
