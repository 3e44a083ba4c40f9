import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { optionsInHelp } from "./readHelp";

/**
 * Writes the options of a MariaDB server into components/core/engineOptions, as the server itself tells them: `npm run engine-options -- /path/to/mariadbd [options that it needs to start]`.
 * Its help does not tell whole numbers from fractions, so each option that takes a number is tried with one. That takes a minute.
 */
const [server = "mariadbd", ...more] = process.argv.slice(2);

function helpWith(...options: string[]) {
  const { stdout, stderr, error } = spawnSync(server, ["--no-defaults", ...more, ...options, "--verbose", "--help"], {
    encoding: "utf8",
    maxBuffer: 2 ** 24,
  });
  if (error) throw error;
  return { stdout, stderr };
}

const { stdout } = helpWith();
const [, series, patch] = /Ver (\d+\.\d+)\.(\d+)-MariaDB/.exec(stdout) ?? [];
if (series === undefined || patch === undefined) {
  throw new Error(`${server} is no MariaDB server: it does not say which version it is`);
}
const options = optionsInHelp(stdout);
for (const [name, kind] of Object.entries(options)) {
  if (kind === "number" && !/Unknown suffix/.test(helpWith(`--${name}=1.5`).stderr)) options[name] = "decimal";
}
const document = { version: `${series}.${patch}`, made: "npm run engine-options -- mariadbd", options };
writeFileSync(
  path.join(__dirname, `../../components/core/engineOptions/mariadb-${series}.json`),
  `${JSON.stringify(document, undefined, 2)}\n`,
);
