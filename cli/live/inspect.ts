import { parseArgs } from "node:util";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { labels, podLayout } from "../../components/core/podLayout";
import { validateBucketLocation, validatePrefix } from "../../components/core/objectStoreLocation";
import type { RestorableBucket } from "../../components/manager/store/bucket/bucket";
import { s3Bucket } from "../../components/manager/store/bucket/s3Bucket";
import { clusterHelp, clusterOf, clusterOptions, type Target } from "./commandLine";
import { findDatabase, podsOf } from "./databaseState";
import { type ClusterOptions, KubectlError } from "./kubectl";
import { isReady } from "./kubernetesObjects";
import { whileSaying } from "./progress";
import { Refused, type Surroundings, UsageError } from "./surroundings";

const text = { type: "string" } as const;

/** Options of the commands that read what is in the bucket: through a pod of the database, or from here. */
export const storeOptions = {
  ...clusterOptions,
  bucket: text,
  prefix: text,
  region: text,
  endpoint: text,
  json: { type: "boolean", default: false },
} as const satisfies NonNullable<Parameters<typeof parseArgs>[0]>["options"];

/** Their part of a command's help. */
export const storeHelp = `  --json               print it as JSON
${clusterHelp}

The database's own pod reads the bucket. Where there is no pod any more, it is read from here:
  --bucket NAME        the bucket, with the key in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN)
  --prefix FOLDER/     the database's folder in it
  --region REGION      default: AWS_REGION
  --endpoint URL       of a store outside AWS: https://host:port`;

/** What was given of them. */
export interface StoreValues extends Target, ClusterOptions {
  bucket?: string;
  prefix?: string;
  region?: string;
  endpoint?: string;
}

/** The folder that is read, and others of the same bucket. */
export interface NamedFolder {
  bucket: string;
  prefix: string;
  open: (prefix: string) => RestorableBucket;
}

/** What is asked, in the pod or from here. */
export interface Inspection<Answer> {
  /** The pod's program takes these words. */
  command: readonly string[];
  /** Asked for with --bucket. */
  here: (bucket: RestorableBucket, scratch: string, folder: NamedFolder) => Promise<Answer>;
  timeoutMilliseconds: number;
  /** Said while it is waited for. */
  saying: string;
}

/**
 * Asks a pod of the database, or reads the bucket itself.
 * @returns the answer, and where the database is in the object store
 * @throws UsageError, KubectlError; Refused with the pod's own words
 */
export async function inspect<Answer extends object>(
  values: StoreValues,
  inspection: Inspection<Answer>,
  surroundings: Surroundings,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Answer & { place: string }> {
  const { command, here, saying } = inspection;
  if (values.bucket === undefined) {
    for (const option of ["prefix", "region", "endpoint"] as const)
      if (values[option] !== undefined) throw new UsageError(`--${option} goes with --bucket: name the bucket too.`);
    return whileSaying(surroundings, saying, inPod(values, inspection, surroundings));
  }
  const { location, credentials } = storeOf(values, environment);
  const folder = mkdtempSync(join(tmpdir(), `tidesql-${command[0]}-`));
  try {
    const open = (prefix: string) => s3Bucket({ ...location, prefix }, { current: () => Promise.resolve(credentials) });
    const named = { bucket: location.bucket, prefix: location.prefix, open };
    const asked = here(open(location.prefix), join(folder, "scratch"), named);
    const answer = await whileSaying(surroundings, saying, asked);
    return { place: `s3://${location.bucket}/${location.prefix}`, ...answer };
  } catch (error) {
    throw error instanceof UsageError ? error : new Refused((error as Error).message);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function inPod<Answer>(
  values: StoreValues,
  { command, timeoutMilliseconds }: Inspection<Answer>,
  surroundings: Surroundings,
): Promise<Answer & { place: string }> {
  const kubectl = surroundings.kubectl(clusterOf(values));
  const database = await findDatabase(kubectl, values);
  const pods = (await podsOf(kubectl, database)).filter(({ metadata }) => !metadata.deletionTimestamp);
  // A replica has less to do; one that is not ready may have credentials all the same.
  const rank = (pod: (typeof pods)[number]) =>
    isReady(pod) ? (pod.metadata.labels?.[labels.role] === "primary" ? 1 : 0) : 2;
  const [pod] = pods.sort((a, b) => rank(a) - rank(b));
  if (!pod)
    throw new Refused(
      `${database.name} in namespace ${database.namespace} has no pod that could read its bucket. Name the bucket: --bucket NAME --prefix FOLDER/`,
    );
  const program = `${podLayout.managerDirectory}/inspect.js`;
  // What it takes is the pod's memory: no more than it needs.
  const run = [podLayout.nodeBinary, "--max-old-space-size=256", program, ...command];
  try {
    const output = await kubectl.run(
      ["exec", pod.metadata.name, "-c", podLayout.containerName, "-n", database.namespace, "--", ...run],
      timeoutMilliseconds,
    );
    return JSON.parse(output.trim().split("\n").at(-1)!) as Answer & { place: string };
  } catch (error) {
    if (error instanceof SyntaxError) throw new Refused(`${pod.metadata.name} answers something else than was asked.`);
    if (!(error instanceof KubectlError)) throw error;
    if (/Cannot find module/.test(error.message))
      throw new Refused(
        `${pod.metadata.name} has no ${program}: its manager is older than this command. Deploy this release first.`,
      );
    throw error;
  }
}

function storeOf({ bucket = "", prefix, region, endpoint }: StoreValues, environment: NodeJS.ProcessEnv) {
  const {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  } = environment;
  if (!accessKeyId || !secretAccessKey)
    throw new UsageError("Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to a key that may list and read the bucket.");
  if (prefix === undefined)
    throw new UsageError("--prefix is missing: the database's folder in the bucket, like orders/.");
  const place =
    region ?? environment.AWS_REGION ?? environment.AWS_DEFAULT_REGION ?? (endpoint ? "us-east-1" : undefined);
  if (place === undefined) throw new UsageError("--region is missing: the region that the bucket is in.");
  const url = /^(https?):\/\/([^/]+)\/?$/.exec(endpoint ?? `https://s3.${place}.amazonaws.com`);
  if (!url)
    throw new UsageError(
      `--endpoint takes a URL without a path, like https://minio.example.com:9000, not "${endpoint}".`,
    );
  const location = {
    endpoint: url[2]!,
    bucket,
    region: place,
    prefix,
    useTls: url[1] === "https",
    pathStyle: endpoint !== undefined,
  };
  const [problem] = [...validateBucketLocation(location), ...validatePrefix(prefix)];
  if (problem) throw new UsageError(`--${problem.propertyPath} ${problem.reason}`);
  return { location, credentials: { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) } };
}
