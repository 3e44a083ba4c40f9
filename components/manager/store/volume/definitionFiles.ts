import * as fs from "node:fs/promises";
import { dirname, join } from "node:path";

/**
 * Puts definitions in place that are not there, for a server that does not run: it takes the file before what the engine stores.
 * @param server MariaDB's own data directory
 * @param definitions files in base64, by `database/table`
 */
export async function placeDefinitions(server: string, definitions: ReadonlyMap<string, string>): Promise<void> {
  for (const [table, file] of definitions) {
    const isThere = await fs.stat(pathOf(server, table)).then(
      () => true,
      () => false,
    );
    if (!isThere) await writeDefinition(server, table, file);
  }
}

/** Puts a definition in the place of the one that is there: a server that runs has either, and keeps what it has opened. */
export async function writeDefinition(server: string, table: string, file: string): Promise<void> {
  const path = pathOf(server, table);
  await fs.mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.making`;
  await fs.writeFile(temporary, Buffer.from(file, "base64"));
  await fs.rename(temporary, path);
}

function pathOf(server: string, table: string): string {
  return join(server, `${table}.frm`);
}
