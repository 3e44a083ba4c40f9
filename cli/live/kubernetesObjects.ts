/** The parts of Kubernetes objects that the commands read. */
export interface Metadata {
  name: string;
  namespace?: string;
  uid?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  deletionTimestamp?: string;
}

export interface ObjectList<T> {
  items: T[];
}

export interface StatefulSet {
  metadata: Metadata;
  spec: {
    replicas?: number;
    template: {
      spec: {
        volumes?: {
          name: string;
          secret?: { secretName?: string };
          projected?: { sources?: { secret?: { name?: string; items?: { key: string; path: string }[] } }[] };
        }[];
      };
    };
  };
}

export interface Pod {
  metadata: Metadata;
  spec: { nodeName?: string };
  status?: {
    phase?: string;
    conditions?: { type: string; status: string }[];
    containerStatuses?: {
      name: string;
      restartCount: number;
      state?: { waiting?: { reason?: string } };
    }[];
  };
}

export interface Lease {
  metadata: Metadata;
  spec?: { holderIdentity?: string | null; leaseTransitions?: number };
}

export interface Secret {
  metadata: Metadata;
  data?: Record<string, string>;
}

export interface ConfigMap {
  metadata: Metadata;
  data?: Record<string, string>;
}

export interface Event {
  reason?: string;
  message?: string;
  lastTimestamp?: string;
}

/** Whether the kubelet sends traffic to the pod. */
export function isReady({ status }: Pod): boolean {
  return status?.conditions?.some(({ type, status: value }) => type === "Ready" && value === "True") ?? false;
}
