import { readConfiguration } from "./configuration/configuration";
import { StartRefused } from "./configuration/optionFiles";
import { openEngine } from "./engineOptions";
import { Variables } from "./execute/variables";
import { install, parseInstallation } from "./installation";
import { banner, mariadbd } from "./mariadbd";

/** The simulated programs, chosen by the first argument. */
const programs: Record<string, (parameters: string[]) => Promise<number>> = {
  mariadbd,
  "mariadb-install-db": installDb,
};

/** Runs as mariadb-install-db. Like the real one, it has the engine open the bucket when it is told to load the plugin. */
async function installDb(parameters: string[]): Promise<number> {
  try {
    const installation = parseInstallation(parameters);
    const configuration = readConfiguration(installation.serverParameters);
    install(installation);
    if (configuration.plugins.has("ha_tidesdb")) {
      const engine = await openEngine(new Variables(configuration), installation.dataDirectory, () => undefined);
      await engine.tick();
      await engine.close();
    }
    return 0;
  } catch (error) {
    if (!(error instanceof StartRefused)) throw error;
    process.stderr.write(`FATAL ERROR: ${error.message}\n`);
    return 1;
  }
}

process.stderr.write(`${banner}\n`);
const [name = "", ...parameters] = process.argv.slice(2);
const program = programs[name];
if (!program) {
  process.stderr.write(`usage: engine.js ${Object.keys(programs).join("|")} [options]\n`);
  process.exitCode = 2;
} else {
  void program(parameters).then(code => process.exit(code));
}
