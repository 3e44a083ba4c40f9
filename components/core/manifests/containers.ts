import { posix } from "node:path";
import { identityEnvironment, identityMounts, PodIdentityInputs } from "./identity";
import { environmentManifest, EnvironmentVariable, extraMountsManifest, ExtraVolume } from "./extras";
import { podLayout } from "../podLayout";
import { byteQuantity, cpuQuantity, mebibyte } from "../quantities";
import { ephemeralStorageBytes, nodeVolumeBytes, Sizing } from "../sizing";

/** What the database container depends on. */
export interface DatabaseContainerInputs<Text> {
  image: Text;
  imagePullPolicy: string;
  sizing: Sizing;
  storage: { onInstanceStore: boolean };
  /** The pods' role at AWS. Absent: they have a key in a Secret. */
  identity?: PodIdentityInputs<Text>;
  /** What the user adds. */
  environment: EnvironmentVariable<Text>[];
  volumes: ExtraVolume<Text>[];
}

/** Where the official Node images have their binary. */
const nodeBinaryInImage = "/usr/local/bin/node";

/**
 * How Node runs the manager: with what spares memory, since it waits for most of its time.
 * - Of V8's compilers it has the last one only, for what is busy all the time: under load that is what reads and checks the WAL. Without any (`--jitless`) 6 MB less are resident while nobody writes; with 6 MB/s
 *   of writes it was 40 to 95 MB more, and the primary's manager takes a third more of a core.
 * - Neither threads that compile and collect beside it, nor a copy of V8's own code near what is compiled.
 * - Objects that die young get 1 MB, not the 16 MB that the heap grows to while the manager starts.
 * - The watchdog's thread collects its garbage once, before it never makes any again.
 */
const nodeOptions = [
  "--no-expose-wasm",
  "--no-sparkplug",
  "--no-maglev",
  "--no-short-builtin-calls",
  "--single-threaded",
  "--max-semi-space-size=1",
  "--expose-gc",
];

/** What the Pod Security level "restricted" wants of each container, and a root file system that nobody writes to. */
const securityContext = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
  capabilities: { drop: ["ALL"] },
  seccompProfile: { type: "RuntimeDefault" },
};

/**
 * Copies the Node binary to where the database container finds it: any image of the engine then runs the manager. Node does it itself: `cp` writes in larger pieces, which Linux 6.18 maps
 * as a whole wherever a page of them is touched, so that 8 MB more of the binary are resident.
 */
export function nodeContainer(image: string, imagePullPolicy: string) {
  return {
    name: podLayout.initContainerName,
    image,
    imagePullPolicy,
    command: [
      nodeBinaryInImage,
      "-e",
      `require("node:fs").copyFileSync(process.execPath, ${JSON.stringify(podLayout.nodeBinary)})`,
    ],
    securityContext,
    resources: {
      requests: { cpu: "50m", memory: byteQuantity(64 * mebibyte), "ephemeral-storage": byteQuantity(nodeVolumeBytes) },
      limits: { cpu: "1", memory: byteQuantity(256 * mebibyte), "ephemeral-storage": byteQuantity(nodeVolumeBytes) },
    },
    volumeMounts: [{ name: "node", mountPath: posix.dirname(podLayout.nodeBinary) }],
  };
}

/** The manager as process 1, with mariadbd as its child. */
export function databaseContainer<Text>(inputs: DatabaseContainerInputs<Text>) {
  const { image, imagePullPolicy, sizing, storage } = inputs;
  const memory = byteQuantity(sizing.memoryBytes);
  const ephemeralStorage = byteQuantity(ephemeralStorageBytes(sizing, storage.onInstanceStore));
  return {
    name: podLayout.containerName,
    image,
    imagePullPolicy,
    command: [podLayout.nodeBinary, ...nodeOptions, `${podLayout.managerDirectory}/manager.js`],
    env: [
      fromField("POD_NAME", "metadata.name"),
      fromField("POD_UID", "metadata.uid"),
      fromField("POD_NAMESPACE", "metadata.namespace"),
      fromField("POD_IP", "status.podIP"),
      fromField("NODE_NAME", "spec.nodeName"),
      ...environmentManifest(inputs.environment),
      ...identityEnvironment(inputs.identity),
    ],
    ports: [
      { name: "mysql", containerPort: podLayout.mysqlPort, protocol: "TCP" },
      { name: "http", containerPort: podLayout.managerPort, protocol: "TCP" },
      { name: "peers", containerPort: podLayout.peerPort, protocol: "TCP" },
    ],
    // /healthz says that the manager runs, and asks nothing of the engine, the bucket or the primary: restarting a replica because its primary is gone would leave no candidate.
    startupProbe: { ...probe("/healthz"), periodSeconds: 2, timeoutSeconds: 2, failureThreshold: 150 },
    // A manager that hangs will not leave in order either: the grace period is for one that does.
    livenessProbe: {
      ...probe("/healthz"),
      periodSeconds: 5,
      timeoutSeconds: 5,
      failureThreshold: 6,
      terminationGracePeriodSeconds: 10,
    },
    // A change of role is to be seen by the Services within a second or two.
    readinessProbe: { ...probe("/readyz"), periodSeconds: 1, timeoutSeconds: 2, failureThreshold: 2 },
    securityContext,
    resources: {
      requests: { cpu: cpuQuantity(sizing.cpuRequestCores), memory, "ephemeral-storage": ephemeralStorage },
      limits: { cpu: cpuQuantity(sizing.cpuLimitCores), memory, "ephemeral-storage": ephemeralStorage },
    },
    volumeMounts: [
      { name: "data", mountPath: podLayout.dataDirectory },
      { name: "run", mountPath: podLayout.runDirectory },
      { name: "tmp", mountPath: podLayout.temporaryDirectory },
      readOnly("node", posix.dirname(podLayout.nodeBinary)),
      readOnly("manager", podLayout.managerDirectory),
      readOnly("config", podLayout.configurationDirectory),
      ...(inputs.identity
        ? identityMounts(inputs.identity)
        : [readOnly("object-store", podLayout.objectStoreSecretDirectory)]),
      readOnly("users", podLayout.usersSecretDirectory),
      readOnly("tls", podLayout.tlsSecretDirectory),
      ...extraMountsManifest(inputs.volumes),
    ],
  };
}

function fromField(name: string, fieldPath: string) {
  return { name, valueFrom: { fieldRef: { apiVersion: "v1", fieldPath } } };
}

function probe(path: string) {
  return { httpGet: { path, port: "http", scheme: "HTTP" } };
}

function readOnly(name: string, mountPath: string) {
  return { name, mountPath, readOnly: true };
}
