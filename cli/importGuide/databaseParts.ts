import { instanceType } from "../../components/core/instanceTypes";
import { mebibyte } from "../../components/core/quantities";
import { type EngineSettings, isOn } from "../../policy/model/engineSettings";
import type { Field } from "../../policy/model/field";
import { nameOf, podSpec } from "../../policy/model/kubernetes";
import { kubernetesBytes, mariadbBytes } from "../../policy/model/quantity";
import { bytes, type Written } from "./code";
import type { Draft } from "./draft";
import { type HandMade, settingOf } from "./handMade";

/** The label that a cloud gives its machines. */
const instanceTypeLabel = "node.kubernetes.io/instance-type";
const gibibyte = 1024 * mebibyte;

/** Where pods run, and how many. */
export function placePods(draft: Draft, { primary, replicas }: HandMade): void {
  const spec = podSpec(primary.workload);
  const count = replicas.reduce((sum, { workload }) => sum + (workload.at("spec", "replicas").number ?? 1), 0);
  draft.args.replicas = count;
  const workloads = [primary, ...replicas].map(({ workload }) => nameOf(workload)).join(" and ");
  const pods = count === 0 ? "one pod" : `${count + 1} identical pods`;
  draft.change(
    `one StatefulSet of ${pods} in place of ${workloads}: which one is primary is decided while they run, so each can take over`,
  );
  if (count === 0) {
    draft.change(
      "replicas is 0, as there are none now: nothing takes over when the one node is lost; 2 is the default",
    );
  }
  const selector = textsOf(spec.at("nodeSelector"));
  if (Object.keys(selector).length > 0) draft.args.nodeSelector = selector;
  const tolerations = spec.at("tolerations").items.map(toleration => textsOf(toleration));
  if (tolerations.length > 0) draft.args.tolerations = tolerations;
  const pullSecrets = spec.at("imagePullSecrets").items.flatMap(secret => secret.at("name").text ?? []);
  if (pullSecrets.length > 0) {
    draft.args.imagePullSecrets = pullSecrets;
    draft.change(`imagePullSecrets are taken over by name (${pullSecrets.join(", ")}): make them in the new namespace`);
  }
}

/** When a commit is acknowledged, seen from the bucket. */
export function chooseDurability(draft: Draft, settings: EngineSettings): void {
  const onCommit = settingOf(settings, "tidesdb_objstore_wal_sync_on_commit");
  const threshold = settingOf(settings, "tidesdb_objstore_wal_sync_threshold");
  const thresholdBytes = mariadbBytes(threshold ?? "");
  if (onCommit !== undefined && isOn(onCommit)) {
    draft.args.durability = "commit";
    draft.change("tidesdb_objstore_wal_sync_on_commit=ON becomes durability commit: it sends the WAL at every commit");
  } else if (thresholdBytes !== undefined && thresholdBytes > mebibyte) {
    draft.args.durability = "threshold";
    draft.args.walSyncThresholdBytes = bytes(thresholdBytes);
    draft.change(
      `tidesdb_objstore_wal_sync_threshold=${threshold} becomes durability threshold: a node lost with its disk takes up to that much with it, however old it is; "interval" bounds it to a quarter of a second`,
    );
  } else {
    draft.args.durability = "interval";
    const before =
      threshold === undefined ? "the WAL shipped by the megabyte" : `tidesdb_objstore_wal_sync_threshold=${threshold}`;
    draft.change(
      `durability interval in place of ${before}: the bucket has a commit 0.1 s later, where a quiet database left rows on one disk for hours`,
    );
  }
  const buffer = settingOf(settings, "tidesdb_unified_memtable_write_buffer_size");
  if (buffer !== undefined) {
    draft.change(
      `tidesdb_unified_memtable_write_buffer_size=${buffer} is left out: the whole WAL, which grows to that size, is sent again and again, so it is 8M`,
    );
  }
}

/** What a pod gets. */
export function sizePods(draft: Draft, { primary, settings }: HandMade): void {
  const resources = primary.container.at("resources");
  const type = podSpec(primary.workload).at("nodeSelector", instanceTypeLabel).text;
  const memory = kubernetesBytes(
    resources.at("limits", "memory").text ?? resources.at("requests", "memory").text ?? "",
  );
  const cpu = cores(resources.at("requests", "cpu"));
  const cpuLimit = cores(resources.at("limits", "cpu"));
  const isKnownType = type !== undefined && instanceType(type) !== undefined;
  const sizing: Record<string, Written> = {
    instanceType: isKnownType ? type : undefined,
    memoryBytes: memory === undefined ? undefined : bytes(Math.round(memory)),
    cpuCores: cpu,
    cpuLimitCores: cpuLimit,
    blockCacheBytes: sizeOf(settings, "tidesdb_block_cache_size"),
    flushThreads: countOf(settings, "tidesdb_flush_threads"),
    compactionThreads: countOf(settings, "tidesdb_compaction_threads"),
    maxConnections: countOf(settings, "max_connections"),
  };
  if (Object.values(sizing).some(value => value !== undefined)) draft.args.sizing = sizing;
  if (memory !== undefined) {
    draft.change("the memory limit is the request too: a database that may be evicted for memory is none");
  } else if (isKnownType) {
    draft.change(
      `pods are sized for ${type}: each takes three quarters of one, and the engine is told how much that is`,
    );
  } else {
    draft.change(
      "pods request 4 GiB and 2 cores, since the files say neither resources nor a machine's type: set sizing.memoryBytes or sizing.instanceType",
    );
  }
}

/** Where a pod's data is. */
export function storeData(draft: Draft, { primary, replicas }: HandMade): void {
  const claim = primary.workload.at("spec", "volumeClaimTemplates").items[0]?.at("spec");
  const asked = kubernetesBytes(claim?.at("resources", "requests", "storage").text ?? "");
  const isOnDrives = primary.mounts.some(({ kind }) => kind === "hostPath");
  const sizeGiB = asked === undefined ? undefined : Math.max(1, Math.ceil(asked / gibibyte));
  if (isOnDrives) {
    draft.args.storage = { kind: "nvme", sizeGiB: sizeGiB ?? 100 };
    draft.change(
      "the hostPath becomes an emptyDir, which the kubelet keeps on the machine's drives: Pod Security allows no hostPath",
    );
  } else {
    const storageClassName = claim?.at("storageClassName").text;
    if (storageClassName !== undefined || sizeGiB !== undefined) draft.args.storage = { storageClassName, sizeGiB };
    draft.change(
      "the volume is mounted where the engine keeps its data; nothing is evicted from it, so it has to hold all of it",
    );
  }
  if (replicas.some(({ mounts }) => mounts.some(({ kind }) => kind === "emptyDir"))) {
    draft.change("replicas get a volume each in place of an emptyDir: any of them may become the primary");
  }
}

/** How clients reach it. */
export function offerServices(draft: Draft, { services }: HandMade, oldNamespace: string | undefined): void {
  const balancers = services.filter(service => service.at("spec", "type").text === "LoadBalancer");
  const [balancer] = balancers;
  if (balancer !== undefined) {
    const annotations = textsOf(balancer.at("metadata", "annotations"));
    const ranges = balancer.at("spec", "loadBalancerSourceRanges").textList;
    draft.args.services = {
      type: "LoadBalancer",
      loadBalancerClass: balancer.at("spec", "loadBalancerClass").text,
      ...(Object.keys(annotations).length > 0 && { annotations }),
    };
    const cidrs =
      ranges.length > 0
        ? ranges
        : [
            draft.fromConfiguration(
              "clientCidr",
              "10.0.0.0/16",
              "the addresses of clients outside the cluster, like 10.0.0.0/16",
            ),
          ];
    draft.args.clients = [{ podLabels: {} }, ...cidrs.map(cidr => ({ cidr }))];
    draft.change("load balancers admit the addresses in clients only, and TLS connections only");
  } else {
    draft.change(
      'only pods of the same namespace, and of namespaces labelled tidesql.io/client: "true", may connect (clients): before, every pod of the cluster could',
    );
  }
  const names = services.map(service => nameOf(service)).filter(name => name !== undefined);
  const namespace = oldNamespace === undefined ? "" : ` in ${oldNamespace}`;
  draft.change(
    `clients write to ${draft.name}-primary and read from ${draft.name}-replica in the new namespace${names.length > 0 ? `, in place of ${names.join(" and ")}${namespace}` : ""}: these Services follow the primary`,
  );
}

function textsOf(object: Field): Record<string, string> {
  return Object.fromEntries(
    object.entries.flatMap(([key, value]) => (value.text === undefined ? [] : [[key, value.text]])),
  );
}

function cores(quantity: Field): number | undefined {
  const [, number, milli] = /^(\d+(?:\.\d+)?)(m?)$/.exec(quantity.text ?? "") ?? [];
  return number === undefined ? undefined : Number(number) / (milli === "m" ? 1000 : 1);
}

function sizeOf(settings: EngineSettings, name: string): Written {
  const size = mariadbBytes(settingOf(settings, name) ?? "");
  return size === undefined ? undefined : bytes(size);
}

function countOf(settings: EngineSettings, name: string): number | undefined {
  const text = settingOf(settings, name);
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}
