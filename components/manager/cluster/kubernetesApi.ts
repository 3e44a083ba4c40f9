import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import * as https from "node:https";
import { setTimeout } from "node:timers/promises";
import { annotations as requests, labels, podLayout } from "../../core/podLayout";
import { httpRequest, HttpResponse } from "../base/httpRequest";
import { Conflict, Kubernetes, LeaseObject, Log, NotAccepted, PodGone, PodRecord } from "../base/ports";

const annotations = { successor: "tidesql.io/preferred-successor", released: "tidesql.io/released-epoch" };

export interface KubernetesApiOptions {
  namespace: string;
  /** Name of the Lease and value of the pods' instance label. */
  name: string;
  pod: string;
  podUid: string;
  leaseDurationSeconds: number;
  log: Log;
  /** An Event that was not taken is sent again after each of these. Default: 2, 10 and 30 s. Milliseconds. */
  eventPauses?: readonly number[];
}

/** A cluster with too much to do loses one now and then, and it may be all that a person looks at. Milliseconds. */
const defaultEventPauses = [2000, 10_000, 30_000];

/** Where the API server is. */
export interface ApiServerPlace {
  /** Name or address. */
  host: string;
  port: string;
  /** Folder of the pod's token (`token`) and of the server's authority (`ca.crt`, PEM). */
  directory: string;
}

const inPod = (): ApiServerPlace => ({
  host: process.env.KUBERNETES_SERVICE_HOST ?? "kubernetes.default.svc",
  port: process.env.KUBERNETES_SERVICE_PORT ?? "443",
  directory: podLayout.serviceAccountDirectory,
});

interface LeaseDocument {
  metadata: { resourceVersion: string; annotations?: Record<string, string> };
  spec?: { holderIdentity?: string | null; leaseTransitions?: number; renewTime?: string };
}

interface PodDocument {
  metadata: {
    name: string;
    uid: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    deletionTimestamp?: string;
    deletionGracePeriodSeconds?: number;
  };
  status?: {
    conditions?: { type: string; status: string }[];
    containerStatuses?: { name: string; state?: { running?: object } }[];
  };
}

interface StatefulSetDocument {
  metadata: { generation?: number };
  status?: { observedGeneration?: number; updateRevision?: string };
}

/** The few calls that the manager makes, over Node's own HTTPS: the official client would be three times the bundle's limit. */
export function kubernetesApi(options: KubernetesApiOptions, place: ApiServerPlace = inPod()): Kubernetes {
  const { namespace, name, pod, podUid, log, eventPauses = defaultEventPauses } = options;
  const { host, port, directory } = place;
  const base = `https://${host.includes(":") ? `[${host}]` : host}:${port}`;
  const agent = new https.Agent({ keepAlive: true, maxSockets: 4, ca: readFileSync(`${directory}/ca.crt`) });
  const leases = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
  const pods = `/api/v1/namespaces/${namespace}/pods`;

  async function call(
    method: string,
    path: string,
    timeoutMilliseconds: number,
    body?: unknown,
    type = "application/json",
  ): Promise<HttpResponse> {
    // The kubelet renews the token in its file.
    const token = readFileSync(`${directory}/token`, "utf8").trim();
    const headers = { authorization: `Bearer ${token}`, accept: "application/json", "content-type": type };
    const text = body === undefined ? undefined : JSON.stringify(body);
    return httpRequest({ method, url: new URL(base + path), headers, body: text, timeoutMilliseconds, agent });
  }

  function expect(response: HttpResponse, what: string, ...accepted: number[]): HttpResponse {
    if (accepted.includes(response.status)) return response;
    const message = `${what}: the API server answered ${response.status} ${response.body.slice(0, 200)}`;
    if (response.status === 401) throw new PodGone(message);
    throw response.status >= 400 && response.status < 500 ? new NotAccepted(message) : new Error(message);
  }

  function leaseDocument(lease: Omit<LeaseObject, "resourceVersion">, resourceVersion?: string) {
    return {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: {
        name,
        namespace,
        ...(resourceVersion && { resourceVersion }),
        labels: { "app.kubernetes.io/name": labels.applicationName, "app.kubernetes.io/instance": name },
        annotations: {
          ...(lease.preferredSuccessor && { [annotations.successor]: lease.preferredSuccessor }),
          ...(lease.releasedEpoch !== undefined && { [annotations.released]: String(lease.releasedEpoch) }),
        },
      },
      spec: {
        // The API server refuses an empty holder.
        ...(lease.holder && { holderIdentity: lease.holder }),
        leaseDurationSeconds: Math.ceil(options.leaseDurationSeconds),
        leaseTransitions: lease.epoch,
        renewTime: microTime(lease.renewTime),
      },
    };
  }

  function parseLease(text: string): LeaseObject {
    const { metadata, spec } = JSON.parse(text) as LeaseDocument;
    const released = Number(metadata.annotations?.[annotations.released]);
    return {
      resourceVersion: metadata.resourceVersion,
      holder: spec?.holderIdentity ?? "",
      epoch: spec?.leaseTransitions ?? 0,
      renewTime: spec?.renewTime ?? "",
      preferredSuccessor: metadata.annotations?.[annotations.successor] ?? "",
      releasedEpoch: Number.isInteger(released) ? released : undefined,
    };
  }

  async function label(target: string, changes: Record<string, string | null>, timeout: number): Promise<void> {
    const patch = { metadata: { labels: changes } };
    const response = await call("PATCH", `${pods}/${target}`, timeout, patch, "application/merge-patch+json");
    expect(response, `labelling ${target}`, 200, 404);
  }

  return {
    async readLease(timeout) {
      const response = await call("GET", `${leases}/${name}`, timeout);
      return expect(response, "reading the lease", 200, 404).status === 404 ? undefined : parseLease(response.body);
    },

    async createLease(lease, timeout) {
      const response = await call("POST", leases, timeout, leaseDocument(lease));
      if (response.status === 409) throw new Conflict("the lease");
      return parseLease(expect(response, "creating the lease", 200, 201).body);
    },

    async updateLease({ resourceVersion, ...lease }, timeout) {
      const response = await call("PUT", `${leases}/${name}`, timeout, leaseDocument(lease, resourceVersion));
      if (response.status === 409 || response.status === 404) throw new Conflict("the lease");
      return parseLease(expect(response, "updating the lease", 200).body);
    },

    async readPods(timeout) {
      const selector = `app.kubernetes.io/name=${labels.applicationName},app.kubernetes.io/instance=${name}`;
      const response = await call("GET", `${pods}?labelSelector=${encodeURIComponent(selector)}`, timeout);
      const list = JSON.parse(expect(response, "listing the pods", 200).body) as { items: PodDocument[] };
      return list.items.map(podRecord);
    },

    setRole(target, role, timeout) {
      const reads = role !== "primary" && { [labels.reads]: role === "replica" ? "true" : null };
      return label(target, { [labels.role]: role === "none" ? null : role, ...reads }, timeout);
    },

    endReads: (target, timeout) => label(target, { [labels.reads]: null }, timeout),

    async updateRevision(timeout) {
      const response = await call("GET", `/apis/apps/v1/namespaces/${namespace}/statefulsets/${name}`, timeout);
      if (expect(response, "reading the StatefulSet", 200, 404).status === 404) return "";
      const { metadata, status } = JSON.parse(response.body) as StatefulSetDocument;
      return status?.observedGeneration === metadata.generation ? (status?.updateRevision ?? "") : undefined;
    },

    async deletePod(target, timeout) {
      expect(await call("DELETE", `${pods}/${target}`, timeout), `deleting ${target}`, 200, 202, 404);
    },

    async clearRequests(target, timeout) {
      const patch = { metadata: { annotations: { [requests.switchover]: null } } };
      const response = await call("PATCH", `${pods}/${target}`, timeout, patch, "application/merge-patch+json");
      expect(response, `removing the requests from ${target}`, 200, 404);
    },

    event(type, reason, message) {
      const now = new Date().toISOString();
      const event = {
        // Of its own name, so that it is there once when an answer was lost.
        metadata: { name: `${pod}.${randomBytes(8).toString("hex")}`, namespace },
        involvedObject: { apiVersion: "v1", kind: "Pod", name: pod, namespace, uid: podUid },
        type,
        reason,
        message: message.slice(0, 1000),
        source: { component: "tidesql-manager", host: process.env.NODE_NAME },
        firstTimestamp: now,
        lastTimestamp: now,
        count: 1,
      };
      const send = async (pauses: readonly number[]): Promise<void> => {
        try {
          const response = await call("POST", `/api/v1/namespaces/${namespace}/events`, 2000, event);
          expect(response, "writing an event", 200, 201, 409);
        } catch (error) {
          log("warning", "an event could not be written", { reason, error: String(error) });
          const [pause, ...later] = pauses;
          if (pause === undefined) return;
          await setTimeout(pause, undefined, { ref: false });
          await send(later);
        }
      };
      void send(eventPauses);
    },
  };
}

function podRecord({ metadata, status }: PodDocument): PodRecord {
  return {
    name: metadata.name,
    uid: metadata.uid,
    runs:
      status?.containerStatuses?.some(({ name, state }) => name === podLayout.containerName && state?.running) ?? false,
    role: metadata.labels?.[labels.role] ?? "none",
    reads: metadata.labels?.[labels.reads] !== undefined,
    revision: metadata.labels?.["controller-revision-hash"] ?? "",
    ready: status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false,
    leaving: metadata.deletionTimestamp !== undefined,
    ...(metadata.deletionTimestamp !== undefined && { leavesWithinSeconds: metadata.deletionGracePeriodSeconds }),
    switchover: metadata.annotations?.[requests.switchover] ?? "",
  };
}

/** Kubernetes' MicroTime wants six digits behind the point. */
function microTime(iso: string): string {
  return iso.replace(/\.(\d{3})Z$/, ".$1000Z");
}
