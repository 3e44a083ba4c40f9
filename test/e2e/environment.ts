import { resolve } from "node:path";
import { defaultNodeImage } from "../../components/nodeImage";
import { buildEngine } from "../engine/build";
import { Kubernetes } from "./kubernetes";
import { Sandbox } from "./sandbox";

/** The Kubernetes, the object store and the images that the end-to-end tests run on: see README.md in this folder. */
export interface Environment {
  kubernetes: Kubernetes;
  objectStore: {
    endpoint: string;
    region: string;
    bucket: string;
    accessKeyId: string;
    secretAccessKey: string;
    useTls: boolean;
    pathStyle: boolean;
  };
  /** The image with the engine, or with its simulation. */
  engineImage: string;
  /**
   * `direct`: the addresses of services and pods are reachable from here, which is where outages are measured truly. `forward`: each connection goes through a
   * kubectl port-forward of its own, which adds about half a second to each.
   */
  route: "direct" | "forward";
  /** Undefined on a cluster of the user's own: nodes, network and object store cannot be made to fail there. */
  sandbox?: Sandbox;
}

let prepared: Promise<Environment> | undefined;

/** Prepares the environment once for all files of a run. */
export function environment(): Promise<Environment> {
  prepared ??= prepare();
  return prepared;
}

async function prepare(): Promise<Environment> {
  const own = process.env.KUBECONFIG;
  if (own && !(Sandbox.exists() && resolve(own) === (await Sandbox.kubeconfig()))) return ownCluster(own);
  if (!Sandbox.exists()) {
    throw new Error(
      `no cluster to test on: set KUBECONFIG and the E2E_ variables (test/e2e/README.md), or TIDESQL_SANDBOX; there is no sandbox at ${Sandbox.folder()}`,
    );
  }
  const sandbox = await Sandbox.start();
  await sandbox.tidy();
  const bucket = "tidesql-e2e";
  return {
    kubernetes: sandbox.kubernetes,
    objectStore: { ...(await sandbox.objectStore(bucket)), bucket, useTls: false, pathStyle: true },
    engineImage: await engineImage(sandbox),
    route: "direct",
    sandbox,
  };
}

/** An image that the sandbox has already, or the simulated engine's, which is made of what this machine has. The Node image is made in any case. */
async function engineImage(sandbox: Sandbox): Promise<string> {
  const simulation = await sandbox.loadImages(
    await buildEngine(resolve(__dirname, "../../bin/engine/engine.js")),
    defaultNodeImage,
  );
  return process.env.E2E_IMAGE ?? simulation;
}

function ownCluster(kubeconfig: string): Environment {
  const missing: string[] = [];
  const required = (name: string) => {
    const value = process.env[name];
    if (!value) missing.push(name);
    return value ?? "";
  };
  const prepared: Environment = {
    kubernetes: new Kubernetes(kubeconfig),
    objectStore: {
      endpoint: required("E2E_S3_ENDPOINT"),
      region: process.env.E2E_S3_REGION ?? "us-east-1",
      bucket: required("E2E_S3_BUCKET"),
      accessKeyId: required("E2E_S3_ACCESS_KEY"),
      secretAccessKey: required("E2E_S3_SECRET_KEY"),
      useTls: process.env.E2E_S3_TLS !== "false",
      pathStyle: process.env.E2E_S3_PATH_STYLE !== "false",
    },
    engineImage: required("E2E_IMAGE"),
    route: process.env.E2E_ROUTE === "direct" ? "direct" : "forward",
  };
  if (missing.length > 0) throw new Error(`a cluster of your own needs ${missing.join(", ")}: see test/e2e/README.md`);
  return prepared;
}
