import { execFile } from "node:child_process";
import { constants } from "node:fs";
import * as fs from "node:fs/promises";
import { promisify } from "node:util";
import { withoutIdentity } from "../credentials/choose";

const run = promisify(execFile);

/** Initialising takes a second; a slow volume may need much longer. Milliseconds. */
const initialiseTimeout = 120_000;

/** Where a server's own files are, and an empty server to copy. */
export type ServerLayout = Record<"templateDirectory" | "mariadbDirectory", string>;

/** Puts an empty server's files in place of what is there: a copy of one that is initialised once a volume. @throws when it cannot be initialised */
export async function copyServer(mariadbPrefix: string, layout: ServerLayout): Promise<void> {
  const { templateDirectory, mariadbDirectory } = layout;
  await fs.rm(mariadbDirectory, { recursive: true, force: true });
  await copyTemplate(mariadbPrefix, templateDirectory, mariadbDirectory);
}

async function copyTemplate(mariadbPrefix: string, templateDirectory: string, to: string): Promise<void> {
  await prepareTemplate(mariadbPrefix, templateDirectory);
  await fs.cp(templateDirectory, to, { recursive: true, mode: constants.COPYFILE_FICLONE });
}

/** A copy is begun so long after the last was taken: what has just started has the disk for itself. Milliseconds. */
const sparePause = 3000;

/**
 * Keeps a copy of the empty server ready beside the one that is used: who takes over needs a new one, and a hundred megabytes take from half a second to seconds. Taking it is a rename. Only for a manager that
 * starts and ends its server many times.
 */
export class SpareServer {
  private readonly spare: string;
  private readonly old: string;
  private preparing: Promise<void> | undefined;
  /** A copy is there to be taken. What another process left does not count, and may be half of a server: its node may have lost power. */
  isReady = false;

  /** @param sleep waits so many milliseconds */
  constructor(
    private readonly mariadbPrefix: string,
    private readonly layout: ServerLayout,
    private readonly sleep: (milliseconds: number) => Promise<void>,
    private readonly failed: (error: unknown) => void,
  ) {
    this.spare = `${layout.mariadbDirectory}.spare`;
    this.old = `${layout.mariadbDirectory}.old`;
  }

  /** Puts an empty server's files in place of what is there. No server runs. @throws when it cannot be initialised */
  async place(): Promise<void> {
    const { mariadbDirectory } = this.layout;
    await this.preparing;
    if (this.isReady) {
      this.isReady = false;
      await fs.rm(this.old, { recursive: true, force: true });
      if (await exists(mariadbDirectory)) await fs.rename(mariadbDirectory, this.old);
      await fs.rename(this.spare, mariadbDirectory);
    } else await copyServer(this.mariadbPrefix, this.layout);
    void this.sleep(sparePause).then(() => this.prepare());
  }

  /** Makes the next copy, unless it is there. */
  prepare(): Promise<void> {
    if (this.isReady) return Promise.resolve();
    this.preparing ??= this.copy()
      .then(() => void (this.isReady = true))
      .catch(this.failed)
      .finally(() => (this.preparing = undefined));
    return this.preparing;
  }

  private async copy(): Promise<void> {
    for (const folder of [this.old, this.spare]) await fs.rm(folder, { recursive: true, force: true });
    await copyTemplate(this.mariadbPrefix, this.layout.templateDirectory, this.spare);
  }
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
