import { execFile } from "node:child_process";
import { constants } from "node:fs";
import * as fs from "node:fs/promises";
import { promisify } from "node:util";
import { withoutIdentity } from "./credentials/choose";

const run = promisify(execFile);

/** Initialising takes a second; a slow volume may need much longer. Milliseconds. */
const initialiseTimeout = 120_000;

/** Where a server's own files are, and an empty server to copy. */
export type ServerLayout = Record<"templateDirectory" | "mariadbDirectory", string>;

/** Puts an empty server's files in place of what is there: a copy of one that is initialised once a volume. @throws when it cannot be initialised */
export async function copyServer(mariadbPrefix: string, layout: ServerLayout): Promise<void> {
  const { templateDirectory, mariadbDirectory } = layout;
  await fs.rm(mariadbDirectory, { recursive: true, force: true });
  await prepareTemplate(mariadbPrefix, templateDirectory);
  await fs.cp(templateDirectory, mariadbDirectory, { recursive: true, mode: constants.COPYFILE_FICLONE });
}

/** Initialises the server to copy, once a volume. The engine's plugin is left out: it would open the bucket as a writer. */
export async function prepareTemplate(mariadbPrefix: string, templateDirectory: string): Promise<void> {
  if (await exists(templateDirectory)) return;
  const temporary = `${templateDirectory}.new`;
  await fs.rm(temporary, { recursive: true, force: true });
  const installer = await firstExisting([
    `${mariadbPrefix}/scripts/mariadb-install-db`,
    `${mariadbPrefix}/bin/mariadb-install-db`,
  ]);
  await run(
    installer,
    [
      "--no-defaults",
      `--basedir=${mariadbPrefix}`,
      `--datadir=${temporary}`,
      "--auth-root-authentication-method=normal",
      "--skip-test-db",
      "--skip-name-resolve",
    ],
    { timeout: initialiseTimeout, env: withoutIdentity(process.env) },
  );
  await fs.rename(temporary, templateDirectory);
}

async function exists(file: string): Promise<boolean> {
  return fs.access(file).then(
    () => true,
    () => false,
  );
}

async function firstExisting(candidates: string[]): Promise<string> {
  for (const candidate of candidates) if (await exists(candidate)) return candidate;
  throw new Error(`the image has none of ${candidates.join(", ")}`);
}
