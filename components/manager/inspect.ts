import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ManagerConfiguration } from "../core/managerConfiguration";
import { podLayout } from "../core/podLayout";
import { systemStoreClock } from "./base/clock";
import { configurationFiles } from "./base/configurationFiles";
import { credentialSource } from "./credentials/choose";
import { CredentialKeeper } from "./credentials/keeper";
import { openStore, readKeyFiles } from "./transitions/openStore";
import { checkStore } from "./store/checkStore";
import type { RestorableBucket } from "./store/bucket/bucket";
import { ForeignPrefix } from "./store/log/owner";
import { NotKept } from "./store/log/past";
import { readHistory } from "./store/readHistory";
import { fillRestore, planRestore } from "./store/restoreCommand";

/** What the store on a log is asked from outside: a program of its own in the pod, beside the manager, with the pod's credentials. It only reads, but for `restore --fill`, which writes into another folder. Its answer is JSON on stdout. */
async function main([command, ...options]: string[]): Promise<void> {
  const configuration: ManagerConfiguration = configurationFiles(
    () => undefined,
    file => readFileSync(file, "utf8"),
  );
  const { bucket: name, prefix } = configuration.objectStore;
  const pod = process.env.POD_NAME ?? "inspect";
  const source = credentialSource(configuration, pod);
  const role =
    source && new CredentialKeeper(source, { clock: systemStoreClock, log: () => undefined, event: () => undefined });
  const open = (folder: string) =>
    openStore({ objectStore: { ...configuration.objectStore, prefix: folder } }, role, readKeyFiles);
  const bucket = open(prefix);
  const folder = mkdtempSync(join(tmpdir(), "inspect-"));
  try {
    const scratch = join(folder, "checkpoint");
    const place = `s3://${name}/${prefix}`;
    const answer =
      command === "history"
        ? await readHistory(bucket, scratch)
        : command === "restore"
          ? await restore(name, prefix, bucket, open, scratch, options)
          : await checkStore({
              bucket,
              scratch,
              progress: text => process.stderr.write(`${text}\n`),
              ...(options.includes("--volume") && {
                volume: { directory: podLayout.tidesdbDirectory, own: podLayout.storeDirectory },
              }),
            });
    process.stdout.write(`${JSON.stringify({ place, ...answer })}\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param options the moment, the new database's folder, and `--fill` where it is to be filled. @returns the plan, or why it is refused */
async function restore(
  name: string,
  sourcePrefix: string,
  source: RestorableBucket,
  open: (prefix: string) => RestorableBucket,
  scratch: string,
  [at = "", targetPrefix = "", fill]: string[],
) {
  const target = open(targetPrefix);
  const options = { source, target, bucket: name, sourcePrefix, targetPrefix, at, scratch, clock: systemStoreClock };
  const log = (message: string, fields: object = {}) => process.stderr.write(`${message} ${JSON.stringify(fields)}\n`);
  try {
    return await (fill === "--fill" ? fillRestore({ ...options, log }) : planRestore(options));
  } catch (error) {
    if (error instanceof ForeignPrefix || error instanceof NotKept) return { refused: error.message };
    throw error;
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
