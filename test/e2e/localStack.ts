import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { run } from "./command";
import { Deployment } from "./deployment";
import { environment, Environment } from "./environment";

/** The package's folder. */
export const projectFolder = resolve(__dirname, "../..");

/** The user and the database that the tests' stack declares. */
const user = "app";
const database = "app";

/** One primary and two replicas, one per node. */
const defaultNodes = 3;

export interface LocalStackOptions {
  /** Default `interval`. */
  durability?: string;
  /** Folder in the bucket, ends with `/`. Default: of the database's own name. */
  prefix?: string;
  /** Default: a new one, {@link freshName}. */
  name?: string;
  /** Number of pods. Default 3. */
  nodes?: number;
  /** Attaches the data that are in the folder. */
  databaseId?: string;
  /** Begins it as a copy of another database. */
  restore?: { prefix: string; at: string };
}

/** A name of its own for each run: the bucket's folder remembers the database that it belongs to. */
export function freshName(): string {
  return `e2e-${randomBytes(3).toString("hex")}`;
}

/** Plans the local stack for this environment, applies what the plan rendered and waits until the database is healthy. */
export async function deployLocalStack(options: LocalStackOptions = {}): Promise<Deployment> {
  const prepared = await environment();
  const { name = freshName(), nodes } = options;
  const manifests = mkdtempSync(join(tmpdir(), "tidesql-manifests-"));
  await planManifests(manifests, prepared, name, options);
  await prepared.kubernetes.kubectl(["apply", "--server-side", "-f", manifests]);
  return localDeployment(prepared, name, { manifests, ...(nodes !== undefined && { nodes }) });
}

/** The local stack's database under this name, deployed or yet to be. @param options folder of its manifests, and its number of pods: 3 by default */
export function localDeployment(
  prepared: Environment,
  name: string,
  { manifests, nodes = defaultNodes }: { manifests?: string; nodes?: number } = {},
): Deployment {
  return new Deployment(prepared, { name, namespace: name, nodes, user, database, ...(manifests && { manifests }) });
}

/** Takes away what was applied, the volumes included; with E2E_KEEP=1 all of it stays for a person to look at. The objects in the bucket stay in any case. */
export async function remove(deployment: Deployment): Promise<void> {
  const { name, namespace, manifests } = deployment.options;
  if (process.env.E2E_KEEP === "1") {
    console.log(`the database ${name} is kept; its manifests are in ${manifests}`);
    return;
  }
  if (manifests === undefined) throw new Error(`${name} was not applied from manifests`);
  await deployment.kubernetes.kubectl(["delete", "-f", manifests, "--ignore-not-found", "--timeout=120s"], {
    deadlineSeconds: 180,
  });
  await deployment.kubernetes.kubectl(["delete", "namespace", namespace, "--ignore-not-found", "--timeout=120s"]);
  rmSync(manifests, { recursive: true, force: true });
}

/** The local stack's configuration, keys without the project's name, where it differs from Pulumi.local.yaml. */
export function plainConfiguration(prepared: Environment, name: string, options: LocalStackOptions) {
  const { endpoint, bucket, region, useTls, pathStyle } = prepared.objectStore;
  return {
    name,
    namespace: name,
    replicas: String((options.nodes ?? defaultNodes) - 1),
    image: prepared.engineImage,
    durability: options.durability ?? process.env.E2E_DURABILITY ?? "interval",
    ...(options.prefix && { prefix: options.prefix }),
    ...(options.databaseId && { databaseId: options.databaseId }),
    ...(options.restore && { restore: JSON.stringify(options.restore) }),
    endpoint,
    bucketName: bucket,
    region,
    useTls: String(useTls),
    pathStyle: String(pathStyle),
    memoryMiB: "1024",
    cpuCores: "0.25",
    volumeGiB: "2",
  };
}

/** The same for its secrets. */
export function secretConfiguration({ objectStore: { accessKeyId, secretAccessKey } }: Environment) {
  return { accessKeyId, secretAccessKey };
}

/** Renders the Kubernetes objects of the local stack into a folder, with the command that users have. */
async function planManifests(folder: string, prepared: Environment, name: string, options: LocalStackOptions) {
  const secrets = mkdtempSync(join(tmpdir(), "tidesql-secrets-"));
  try {
    const plain = Object.entries(plainConfiguration(prepared, name, options));
    const settings = plain.flatMap(([key, value]) => ["--config", `${key}=${value}`]);
    for (const [key, value] of Object.entries(secretConfiguration(prepared))) {
      const file = join(secrets, key);
      writeFileSync(file, value, { mode: 0o600 });
      settings.push("--secret-file", `${key}=${file}`);
    }
    const plan = ["start", "--silent", "--", "--stack", "local", "--manifests", folder, ...settings];
    await run("npm", plan, { directory: projectFolder, deadlineSeconds: 300 });
  } finally {
    rmSync(secrets, { recursive: true, force: true });
  }
}
