import { notYetKnown } from "../../policy/model/resource";
import { describePolicy } from "./describePolicy";
import { goodDatabase, option } from "./goodProgram";
import { changed, manifests, set, without } from "./program";

const good = [goodDatabase];
const pod = "spec.template.spec";
const container = `${pod}.containers[0]`;
const service = (type: string) => changed(goodDatabase, set("orders-primary", "spec.type", type));
/** A pod as short as Kubernetes allows. */
const bare = (spec = "") =>
  manifests(
    `{ apiVersion: v1, kind: Pod, metadata: { name: bare }, spec: { ${spec} containers: [{ name: a, image: nginx }] } }`,
  );

describe("workloads", () => {
  describePolicy("workloads-pod-security", {
    passes: good,
    fails: {
      program: changed(goodDatabase, set("orders", `${container}.securityContext`, undefined)),
      resource: "orders",
      says: /tidesql: a process may gain privileges/,
    },
    unknown: changed(goodDatabase, set("orders", `${container}.securityContext`, notYetKnown)),
    handWritten: {
      program: bare(
        "hostNetwork: true, securityContext: { runAsUser: 0 }, volumes: [{ name: d, hostPath: { path: /mnt/nvme } }],",
      ),
      resource: "bare",
      says: /kind hostPath/,
    },
  });

  describePolicy("workloads-read-only-root", {
    passes: good,
    fails: {
      program: changed(goodDatabase, set("orders", `${container}.securityContext.readOnlyRootFilesystem`, false)),
      resource: "orders",
      says: /may write to its image/,
    },
    unknown: changed(goodDatabase, set("orders", `${container}.securityContext.readOnlyRootFilesystem`, notYetKnown)),
    handWritten: { program: bare(), resource: "bare", says: /may write to its image/ },
  });

  describePolicy("workloads-resources", {
    passes: good,
    fails: {
      program: changed(goodDatabase, set("orders", `${container}.resources.limits`, undefined)),
      resource: "orders",
      says: /tidesql lacks limits.memory/,
    },
    unknown: changed(goodDatabase, set("orders", `${container}.resources`, notYetKnown)),
    handWritten: { program: bare(), resource: "bare", says: /lacks requests.cpu, requests.memory, limits.memory/ },
  });

  describePolicy("workloads-engine-memory", {
    passes: good,
    fails: {
      program: changed(goodDatabase, option("tidesdb_max_memory_usage", "8G")),
      resource: "orders",
      says: /may take 8192 MiB, and the container has 4096 MiB/,
    },
    unknown: changed(goodDatabase, set("orders", `${container}.resources.limits.memory`, notYetKnown)),
    handWritten: {
      program: changed(goodDatabase, option("tidesdb_max_memory_usage", undefined)),
      resource: "orders",
      says: /machine's memory/,
    },
  });

  describePolicy("workloads-image-tag", {
    passes: good,
    fails: {
      program: changed(goodDatabase, set("orders", `${container}.image`, "x/tidesql:latest")),
      resource: "orders",
      says: /runs latest/,
    },
    unknown: changed(goodDatabase, set("orders", `${container}.image`, notYetKnown)),
    handWritten: { program: bare(), resource: "bare", says: /an untagged image/ },
  });

  describePolicy("workloads-probes", {
    passes: good,
    fails: {
      program: changed(
        goodDatabase,
        set("orders", `${container}.livenessProbe`, { exec: { command: ["mariadb-admin", "ping"] } }),
      ),
      resource: "orders",
      says: /succeeds even when access is denied/,
    },
    unknown: changed(goodDatabase, set("orders", `${container}.readinessProbe`, notYetKnown)),
    handWritten: { program: bare(), resource: "bare", says: /has no readinessProbe/ },
  });

  describePolicy("workloads-network-policy", {
    passes: good,
    fails: { program: changed(goodDatabase, without("orders-peers")), resource: "orders", says: /No NetworkPolicy/ },
    unknown: changed(goodDatabase, set("orders-peers", "spec.podSelector", notYetKnown)),
    handWritten: {
      program: [
        ...bare(),
        ...manifests(
          "{ apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: { name: out }, spec: { podSelector: {}, policyTypes: [Egress] } }",
        ),
      ],
      resource: "bare",
      says: /No NetworkPolicy/,
    },
  });

  describePolicy("workloads-priority", {
    passes: good,
    fails: {
      program: changed(goodDatabase, set("orders", `${pod}.priorityClassName`, undefined)),
      resource: "orders",
      says: /no priority class/,
    },
    unknown: changed(goodDatabase, set("orders", `${pod}.priorityClassName`, notYetKnown)),
    handWritten: {
      program: manifests(
        "{ apiVersion: v1, kind: Pod, metadata: { name: tides }, spec: { containers: [{ name: a, image: 'tidesql:4.5.7' }] } }",
      ),
      resource: "tides",
      says: /no priority class/,
    },
  });

  describePolicy("workloads-service-account", {
    passes: [goodDatabase, bare("automountServiceAccountToken: false,")],
    fails: {
      program: changed(goodDatabase, set("orders", `${pod}.serviceAccountName`, "default")),
      resource: "orders",
      says: /default account/,
    },
    unknown: changed(goodDatabase, set("orders", `${pod}.serviceAccountName`, notYetKnown)),
    handWritten: { program: bare(), resource: "bare", says: /default account/ },
  });

  describePolicy("workloads-exposed-service", {
    passes: [
      goodDatabase,
      changed(
        service("LoadBalancer"),
        set(
          "orders-primary",
          'metadata.annotations["service.beta.kubernetes.io/aws-load-balancer-scheme"]',
          "internal",
        ),
      ),
      changed(service("LoadBalancer"), set("orders-primary", "spec.loadBalancerSourceRanges", ["203.0.113.0/24"])),
    ],
    fails: {
      program: service("LoadBalancer"),
      resource: "orders-primary",
      says: /port is offered outside the cluster/,
    },
    unknown: changed(goodDatabase, set("orders-primary", "spec.type", notYetKnown)),
    handWritten: {
      program: manifests(
        "{ apiVersion: v1, kind: Service, metadata: { name: open }, spec: { type: NodePort, ports: [{ port: 80, targetPort: 3306 }] } }",
      ),
      resource: "open",
      says: /through a NodePort/,
    },
  });

  describePolicy("workloads-namespace", {
    passes: [goodDatabase, changed(goodDatabase, set("shop", "metadata.labels", undefined), without("orders"))],
    fails: {
      program: changed(goodDatabase, set("shop", "metadata.labels", undefined)),
      resource: "shop",
      says: /no Pod Security Standard/,
    },
    unknown: changed(goodDatabase, set("shop", "metadata.labels", notYetKnown)),
    handWritten: {
      program: changed(
        goodDatabase,
        set("shop", 'metadata.labels["pod-security.kubernetes.io/enforce"]', "privileged"),
      ),
      resource: "shop",
      says: /no Pod Security Standard/,
    },
  });
});
