import * as fs from "node:fs";
import { StartRefused } from "./configuration/optionFiles";
import { ClientSession } from "./execute/clientSession";
import { Server } from "./execute/server";
import { parseStatements } from "./sql/parse";
import { SqlError } from "./sqlError";

/**
 * Runs the init file, one statement after another. The first that fails ends it, and the server starts all the same.
 * @throws StartRefused when there is no such file
 */
export async function runInitFile(server: Server, file: string): Promise<void> {
  let text: string;
  try {
    text = fs.readFileSync(file, "utf8");
  } catch {
    throw new StartRefused(`mariadbd: File '${file}' not found (Errcode: 2 "No such file or directory")`);
  }
  const session = new ClientSession(server);
  try {
    for (const statement of parseStatements(text)) await session.run(statement, []);
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    server.host.log("ERROR", `ERROR: ${error.errno}  ${error.message}`);
  } finally {
    session.closed();
  }
}
