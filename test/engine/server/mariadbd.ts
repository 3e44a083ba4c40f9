import * as fs from "node:fs";
import * as path from "node:path";
import { Engine } from "../model/engine";
import { readConfiguration } from "./configuration/configuration";
import { StartRefused } from "./configuration/optionFiles";
import { openEngine, runEngine } from "./engineOptions";
import { Host, Server } from "./execute/server";
import { libraryVersion, pluginVersion } from "./execute/serverStatus";
import { serverVersion, Variables } from "./execute/variables";
import { runInitFile } from "./initFile";
import { listen } from "./listeners";
import { sqlErrors } from "./sqlError";
import { Accounts } from "./storage/accounts";
import { LocalTables } from "./storage/localTables";

/** The first line of the output, whatever is run. */
export const banner = "This is a simulation of TideSQL for tests, not a database.";

/** Runs as mariadbd until it is told to end. @returns the exit code */
export async function mariadbd(parameters: string[]): Promise<number> {
  let log: Host["log"] = logTo(text => process.stderr.write(text));
  let stop: () => void = () => undefined;
  const ended = new Promise<void>(resolve => (stop = resolve));
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  process.on("SIGHUP", () => undefined);
  try {
    const configuration = readConfiguration(parameters);
    const logFile = configuration.options.get("log_error");
    if (logFile) log = logTo(text => fs.appendFileSync(logFile, text));
    log("Note", `Starting MariaDB ${serverVersion} as process ${process.pid}`);
    for (const warning of configuration.warnings) log("Warning", warning);
    const host: Host = {
      log: (level, message) => log(level, message),
      shutdown: stop,
      crash(reason) {
        log("ERROR", `mariadbd got signal 11 ; ${reason}`);
        process.kill(process.pid, "SIGSEGV");
      },
    };
    const variables = new Variables(configuration);
    const dataDirectory = path.resolve(variables.get("datadir"));
    const accounts = Accounts.open(dataDirectory);
    if (!accounts) {
      throw new StartRefused("Fatal error: Can't open and lock privilege tables: Table 'mysql.servers' doesn't exist");
    }
    const engine = configuration.plugins.has("ha_tidesdb")
      ? await startEngine(variables, dataDirectory, host)
      : undefined;
    const server = new Server(configuration, accounts, new LocalTables(dataDirectory), engine, host);
    server.loadCertificate();
    const initFile = configuration.options.get("init_file");
    if (initFile) await runInitFile(server, initFile);
    const pidFile = variables.get("pid_file");
    if (pidFile) fs.writeFileSync(pidFile, `${process.pid}\n`);
    const listening = await listen(server);
    log("Note", "mariadbd: ready for connections.");
    log("Note", `Version: '${serverVersion}'  socket: '${variables.get("socket")}'  port: ${variables.get("port")}`);

    await ended;
    log("Note", "mariadbd: Normal shutdown");
    listening.close();
    server.disconnectAll(sqlErrors.connectionKilled());
    server.stop();
    await engine?.close();
    if (pidFile) fs.rmSync(pidFile, { force: true });
    log("Note", "mariadbd: Shutdown complete");
    return 0;
  } catch (error) {
    if (!(error instanceof StartRefused)) throw error;
    log("ERROR", error.message);
    log("ERROR", "Aborting");
    return 1;
  }
}

async function startEngine(variables: Variables, dataDirectory: string, host: Host): Promise<Engine> {
  const engine = await openEngine(variables, dataDirectory, (level, message) => {
    host.log(level === "info" ? "Note" : level === "warning" ? "Warning" : "ERROR", `[TIDESDB] ${message}`);
  });
  host.log(
    "Note",
    `[TIDESDB] TidesDB opened, plugin ${pluginVersion}, library ${libraryVersion}, replica mode ${variables.get("tidesdb_replica_mode")}`,
  );
  runEngine(engine, error => host.crash(error instanceof Error ? (error.stack ?? error.message) : "?"));
  return engine;
}

function logTo(write: (text: string) => void): Host["log"] {
  return (level, message) => {
    const time = new Date().toISOString().replace("T", " ").slice(0, 19);
    write(`${time} 0 [${level}] ${message}\n`);
  };
}
