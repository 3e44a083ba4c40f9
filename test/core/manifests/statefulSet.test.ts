import assert from "node:assert/strict";
import { configurationManifest, managerManifest } from "../../../components/core/manifests/configMaps";
import {
  objectStoreSecretData,
  objectStoreSecretManifest,
  tlsSecretManifest,
  usersSecretManifest,
} from "../../../components/core/manifests/secrets";
import {
  configurationHashAnnotation,
  StatefulSetInputs,
  statefulSetManifest,
} from "../../../components/core/manifests/statefulSet";
import { databaseNames } from "../../../components/core/names";
import { labels, podLayout } from "../../../components/core/podLayout";
import { gibibyte } from "../../../components/core/quantities";
import { deriveSizing } from "../../../components/core/sizing";

const names = databaseNames("orders", "shop", 3);

function inputs(changes: Partial<StatefulSetInputs<string>> = {}): StatefulSetInputs<string> {
  return {
    image: "registry.example/tidesql@sha256:0",
    nodeImage: "docker.io/library/node:22.0.0-slim",
    imagePullPolicy: "IfNotPresent",
    imagePullSecrets: [],
    sizing: deriveSizing({ onInstanceStore: false }),
    storage: { onInstanceStore: false },
    spread: { hosts: "required", zones: "preferred" },
    nodeSelector: {},
    tolerations: [],
    priorityClassName: names.priorityClass,
    terminationGracePeriodSeconds: 120,
    configurationHash: "abc",
    labels: {},
    annotations: {},
    environment: [],
    volumes: [],
    affinity: {},
    topologySpreadConstraints: [],
    ids: { userId: podLayout.userId, groupId: podLayout.groupId },
    existingPasswords: [],
    ...changes,
  };
}

function podOf(changes: Partial<StatefulSetInputs<string>> = {}) {
  return statefulSetManifest(names, inputs(changes)).spec.template.spec;
}

describe("StatefulSet", () => {
  it("has identical pods that start at once, one for the primary and one a replica", () => {
    const { spec } = statefulSetManifest(names, inputs());
    assert.equal(spec.replicas, 3);
    assert.equal(spec.podManagementPolicy, "Parallel");
    assert.equal(spec.serviceName, names.headlessService);
    for (const [key, value] of Object.entries(spec.selector.matchLabels)) {
      assert.equal(spec.template.metadata.labels[key], value);
    }
    // The role is the managers' to give: in the template, every new pod would be a primary.
    assert.equal(labels.role in spec.template.metadata.labels, false);
  });

  it("rolls out when the configuration's hash changes, and only then", () => {
    const template = (hash: string) =>
      JSON.stringify(statefulSetManifest(names, inputs({ configurationHash: hash })).spec.template);
    assert.equal(template("a"), template("a"));
    assert.notEqual(template("a"), template("b"));
    const { metadata } = statefulSetManifest(names, inputs()).spec.template;
    assert.equal(metadata.annotations[configurationHashAnnotation], "abc");
  });

  it("passes through what is not known yet", () => {
    const later = { known: "later" };
    const manifest = statefulSetManifest<unknown>(names, { ...inputs(), image: later, configurationHash: later });
    assert.equal(manifest.spec.template.spec.containers[0]?.image, later);
    assert.equal(manifest.spec.template.metadata.annotations[configurationHashAnnotation], later);
  });

  it("is admitted where Pod Security is restricted, with a root file system that nobody writes to", () => {
    const pod = podOf();
    assert.equal(pod.securityContext.runAsNonRoot, true);
    assert.equal(pod.securityContext.runAsUser, podLayout.userId);
    assert.equal(pod.securityContext.fsGroup, podLayout.groupId);
    assert.equal(pod.securityContext.seccompProfile.type, "RuntimeDefault");
    for (const container of [...pod.initContainers, ...pod.containers]) {
      assert.equal(container.securityContext.allowPrivilegeEscalation, false);
      assert.equal(container.securityContext.readOnlyRootFilesystem, true);
      assert.deepEqual(container.securityContext.capabilities, { drop: ["ALL"] });
    }
    const allowed = ["configMap", "emptyDir", "secret"];
    for (const volume of pod.volumes) {
      const kinds = Object.keys(volume).filter(key => key !== "name");
      assert.ok(kinds.length === 1 && allowed.includes(kinds[0] ?? ""), volume.name);
    }
    for (const key of ["hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace"]) assert.equal(key in pod, false);
  });

  it("runs the manager from the copied Node binary as process 1, and nothing through a shell", () => {
    const pod = podOf();
    const [init] = pod.initContainers;
    const [database] = pod.containers;
    assert.deepEqual(init?.command, [
      "/usr/local/bin/node",
      "-e",
      'require("node:fs").copyFileSync(process.execPath, "/opt/tidesql/node/node")',
    ]);
    const [binary, ...options] = database?.command ?? [];
    assert.equal(binary, podLayout.nodeBinary);
    assert.equal(options.pop(), "/opt/tidesql/manager/manager.js");
    assert.ok(options.every(option => option.startsWith("--")));
    assert.ok(options.includes("--single-threaded"));
    for (const container of [...pod.initContainers, ...pod.containers]) {
      assert.ok(!("args" in container) && !("lifecycle" in container));
      assert.ok(!container.command?.some(word => /(^|\/)\w*sh$/.test(word)));
    }
  });

  it("mounts everything that the manager and the engine read, and gives no writable path but their own", () => {
    const pod = podOf();
    const { volumeMounts } = pod.containers[0]!;
    const volumes = new Set([...pod.volumes.map(({ name }) => name), "data"]);
    for (const mount of volumeMounts) assert.ok(volumes.has(mount.name), mount.name);
    const mountOf = (path: string) =>
      volumeMounts.find(({ mountPath }) => path === mountPath || path.startsWith(`${mountPath}/`)) ?? assert.fail(path);
    const { mariadbDirectory, tidesdbDirectory, templateDirectory, storeDirectory } = podLayout;
    for (const path of [mariadbDirectory, tidesdbDirectory, templateDirectory, storeDirectory]) {
      assert.equal(mountOf(path).name, "data");
    }
    for (const path of [podLayout.socket, podLayout.serverConfiguration, podLayout.initFile]) {
      assert.equal(mountOf(path).name, "run");
    }
    const readOnly = volumeMounts.filter(mount => "readOnly" in mount).map(({ name }) => name);
    assert.deepEqual(readOnly, ["node", "manager", "config", "object-store", "users", "tls"]);
    for (const [path, name] of [
      [podLayout.nodeBinary, "node"],
      [podLayout.engineConfiguration, "config"],
      [podLayout.managerConfiguration, "config"],
      [podLayout.databaseId, "config"],
      [podLayout.nodes, "config"],
      [podLayout.managerDirectory, "manager"],
      [podLayout.objectStoreSecretDirectory, "object-store"],
      [podLayout.usersSecretDirectory, "users"],
      [podLayout.tlsSecretDirectory, "tls"],
    ] as const) {
      assert.equal(mountOf(path).name, name);
    }
  });

  it("keeps the socket, the keys and the init file in memory", () => {
    const run = podOf().volumes.find(({ name }) => name === "run");
    assert.ok(run && "emptyDir" in run);
    assert.deepEqual(run.emptyDir, { medium: "Memory", sizeLimit: "16Mi" });
  });

  it("refers to the ConfigMaps and Secrets that are made, whose keys are the files' names", () => {
    const pod = podOf();
    const configMaps = pod.volumes.flatMap(volume =>
      "configMap" in volume && volume.configMap ? [volume.configMap.name] : [],
    );
    const secrets = pod.volumes.flatMap(volume =>
      "secret" in volume && volume.secret ? [volume.secret.secretName] : [],
    );
    const configuration = configurationManifest(names, { engine: "1", manager: "2", databaseId: "3" });
    const scripts = managerManifest(names, { manager: "1", watchdog: "2", inspect: "3" });
    assert.deepEqual(configMaps, [configuration.metadata.name, scripts.metadata.name]);
    assert.deepEqual(Object.keys(configuration.data), ["engine.cnf", "manager.json", "databaseId", "nodes"]);
    assert.equal(configuration.data.nodes, String(names.pods.length));
    assert.deepEqual(Object.keys(scripts.data), ["manager.js", "watchdog.js", "inspect.js"]);
    const store = objectStoreSecretManifest(names, objectStoreSecretData({ accessKeyId: "a", secretAccessKey: "b" }));
    const users = usersSecretManifest(names, { app: "c" });
    const tls = tlsSecretManifest(names, { certificate: "d", privateKey: "e", ca: "f" });
    assert.deepEqual(secrets, [store.metadata.name, users.metadata.name, tls.metadata.name]);
    assert.deepEqual(Object.keys(store.stringData), ["accessKeyId", "secretAccessKey"]);
    const ownAuthority = objectStoreSecretData({ accessKeyId: "a", secretAccessKey: "b", caCertificate: "c" });
    assert.deepEqual(Object.keys(ownAuthority), ["accessKeyId", "secretAccessKey", "ca.crt"]);
    assert.deepEqual(Object.keys(users.stringData), ["app"]);
    assert.deepEqual(Object.keys(tls.stringData), ["tls.crt", "tls.key", "ca.crt"]);
    for (const volume of pod.volumes) {
      if ("secret" in volume && volume.secret && "defaultMode" in volume.secret) {
        assert.equal(volume.secret.defaultMode, 0o440);
      }
    }
  });

  it("passes by the environment where the pod is, and no value", () => {
    const { env } = podOf().containers[0]!;
    assert.deepEqual(
      env.map(({ name }) => name),
      ["POD_NAME", "POD_UID", "POD_NAMESPACE", "POD_IP", "NODE_NAME"],
    );
    for (const variable of env) assert.deepEqual(Object.keys(variable), ["name", "valueFrom"]);
  });

  it("asks the manager, and never the primary, whether a pod lives", () => {
    const { startupProbe, livenessProbe, readinessProbe } = podOf().containers[0]!;
    assert.equal(startupProbe.httpGet.path, "/healthz");
    assert.equal(livenessProbe.httpGet.path, "/healthz");
    assert.equal(readinessProbe.httpGet.path, "/readyz");
    assert.ok(readinessProbe.periodSeconds * readinessProbe.failureThreshold <= 2, "a role's change is seen at once");
    assert.ok(livenessProbe.periodSeconds * livenessProbe.failureThreshold >= 30, "a slow disk is no reason to kill");
  });

  it("requests what it may use of memory, so that it is never evicted for another pod's", () => {
    const { requests, limits } = podOf().containers[0]!.resources;
    assert.equal(requests.memory, limits.memory);
    assert.equal(requests.memory, "4Gi");
    assert.equal(requests.cpu, "2");
    assert.equal(limits.cpu, "4");
  });

  it("spreads over machines and zones, as strictly as is asked", () => {
    const strict = podOf({ spread: { hosts: "required", zones: "required" } });
    assert.deepEqual(Object.keys(strict.affinity.podAntiAffinity), ["requiredDuringSchedulingIgnoredDuringExecution"]);
    assert.equal(strict.topologySpreadConstraints[0]?.whenUnsatisfiable, "DoNotSchedule");
    const loose = podOf({ spread: { hosts: "preferred", zones: "preferred" } });
    assert.deepEqual(Object.keys(loose.affinity.podAntiAffinity), ["preferredDuringSchedulingIgnoredDuringExecution"]);
    assert.equal(loose.topologySpreadConstraints[0]?.whenUnsatisfiable, "ScheduleAnyway");
    assert.equal(loose.topologySpreadConstraints[0]?.maxSkew, 1);
  });

  it("keeps volumes when it is deleted or scaled: they may hold the only copy of the newest writes", () => {
    const { spec } = statefulSetManifest(
      names,
      inputs({ storage: { onInstanceStore: false, storageClassName: "gp3" } }),
    );
    assert.deepEqual(spec.persistentVolumeClaimRetentionPolicy, { whenDeleted: "Retain", whenScaled: "Retain" });
    assert.ok("volumeClaimTemplates" in spec);
    assert.equal(spec.volumeClaimTemplates?.[0]?.spec.storageClassName, "gp3");
    assert.deepEqual(spec.volumeClaimTemplates?.[0]?.spec.resources.requests, { storage: "100Gi" });
  });

  it("puts the data on the node's drives when asked, counted as ephemeral storage", () => {
    const node = { memoryBytes: 32 * gibibyte, cpuCores: 4, instanceStoreBytes: 937e9 };
    const sizing = deriveSizing({ onInstanceStore: true, node });
    const { spec } = statefulSetManifest(names, inputs({ sizing, storage: { onInstanceStore: true } }));
    assert.equal("volumeClaimTemplates" in spec, false);
    const data = spec.template.spec.volumes.find(({ name }) => name === "data");
    assert.ok(data && "emptyDir" in data && data.emptyDir);
    assert.equal(data.emptyDir.sizeLimit, "698Gi");
    const { requests, limits } = spec.template.spec.containers[0]!.resources;
    assert.equal(requests["ephemeral-storage"], limits["ephemeral-storage"]);
    const mebibytes = Number(/^(\d+)Mi$/.exec(requests["ephemeral-storage"])?.[1]);
    assert.ok(mebibytes > 698 * 1024 && mebibytes < (0.9 * 937e9) / 1024 / 1024);
  });

  it("leaves out what is not asked for, and passes on what is", () => {
    for (const key of ["nodeSelector", "tolerations", "imagePullSecrets"]) assert.equal(key in podOf(), false, key);
    const pod = podOf({
      nodeSelector: { pool: "database" },
      tolerations: [{ key: "dedicated", operator: "Exists" }],
      imagePullSecrets: ["registry"],
    });
    assert.deepEqual(pod.nodeSelector, { pool: "database" });
    assert.deepEqual(pod.tolerations, [{ key: "dedicated", operator: "Exists" }]);
    assert.deepEqual(pod.imagePullSecrets, [{ name: "registry" }]);
  });
});
