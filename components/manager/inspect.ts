import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ManagerConfiguration } from "../core/managerConfiguration";
import { podLayout } from "../core/podLayout";
import { systemStoreClock } from "./clock";
import { configurationFiles } from "./configurationFiles";
import { credentialSource } from "./credentials/choose";
import { CredentialKeeper } from "./credentials/keeper";
import { openStore, readKeyFiles } from "./onLog/openStore";
import { checkStore } from "./store/checkStore";
import { readHistory } from "./store/readHistory";

/** What the store on a log is asked from outside: a program of its own in the pod, beside the manager, with the pod's credentials. It only reads. Its answer is JSON on stdout. */
async function main([command, ...options]: string[]): Promise<void> {
  const configuration: ManagerConfiguration = configurationFiles(
    () => undefined,
    file => readFileSync(file, "utf8"),
  );
  const { bucket: name, prefix } = configuration.objectStore;
  if (configuration.store !== "log")
    throw new Error(`the database keeps the engine's own files in the bucket: only one with store "log" has a history`);
  const pod = process.env.POD_NAME ?? "inspect";
  const source = credentialSource(configuration, pod);
  const role =
    source && new CredentialKeeper(source, { clock: systemStoreClock, log: () => undefined, event: () => undefined });
  const bucket = openStore(configuration, role, readKeyFiles);
  const folder = mkdtempSync(join(tmpdir(), "inspect-"));
  try {
    const scratch = join(folder, "checkpoint");
    const place = `s3://${name}/${prefix}`;
    const answer =
      command === "history"
        ? await readHistory(bucket, scratch)
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

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
