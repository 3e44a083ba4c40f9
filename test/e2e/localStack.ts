import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { run } from "./command";
import { Deployment } from "./deployment";
import { environment, Environment } from "./environment";

/** The package's folder. */
export const projectFolder = resolve(__dirname, "../..");

/** The Node image of the database's init container: the stack's default, with this machine's Node in it on the sandbox. */
const nodeImage = "docker.io/library/node:22-slim";

/** The user and the database that the tests' stack declares. */
const user = "app";
const database = "app";

/** One primary and two replicas, one per node. */
const nodes = 3;

export interface LocalStackOptions {
  /** Default `interval`. */
  durability?: string;
}

/** Plans the local stack for this environment, applies what the plan rendered and waits until the database is healthy. */
export async function deployLocalStack(options: LocalStackOptions = {}): Promise<Deployment> {
  const prepared = await environment(nodeImage);
  // A name of its own for each run: the bucket's folder remembers the database that it belongs to.
  const name = `e2e-${randomBytes(3).toString("hex")}`;
  const manifests = mkdtempSync(join(tmpdir(), "tidesql-manifests-"));
  await planManifests(manifests, configuration(prepared, name, options));
  await prepared.kubernetes.kubectl(["apply", "--server-side", "-f", manifests]);
  return new Deployment(prepared, { name, namespace: name, nodes, user, database, manifests });
}

/** Takes away what was applied, the volumes included; with E2E_KEEP=1 all of it stays for a person to look at. The objects in the bucket stay in any case. */
export async function remove(deployment: Deployment): Promise<void> {
  const { name, namespace, manifests } = deployment.options;
  if (process.env.E2E_KEEP === "1") {
    console.log(`the database ${name} is kept; its manifests are in ${manifests}`);
    return;
  }
  await deployment.kubernetes.kubectl(["delete", "-f", manifests, "--ignore-not-found", "--timeout=120s"], {
    deadlineSeconds: 180,
  });
  await deployment.kubernetes.kubectl(["delete", "namespace", namespace, "--ignore-not-found", "--timeout=120s"]);
  rmSync(manifests, { recursive: true, force: true });
}

/** The local stack's configuration, as `pulumi config set` would be given it. */
export function configuration(prepared: Environment, name: string, options: LocalStackOptions): Record<string, string> {
  const { objectStore, engineImage } = prepared;
  return {
    name,
    namespace: name,
    image: engineImage,
    durability: options.durability ?? "interval",
    endpoint: objectStore.endpoint,
  };
}

async function planManifests(folder: string, values: Record<string, string>): Promise<void> {
  const settings = Object.entries(values).flatMap(([key, value]) => ["--config", `${key}=${value}`]);
  await run("npx", ["tsx", "cli/main.ts", "plan", "--stack", "local", "--manifests", folder, ...settings], {
    directory: projectFolder,
  });
}
