import assert from "node:assert/strict";
import { judge } from "../../policy/judge";
import { type RawResource } from "../../policy/model/resource";
import { today } from "./describePolicy";
import { goodDatabase, option, withoutManager } from "./goodProgram";
import { type Change, changed, manifests, plus, resource, set, without } from "./program";

/** What the pack says of the database with a change, and not without it: `policy resource`. */
function said(...changes: Change[]): string[] {
  const findings = (program: readonly RawResource[]) =>
    judge(program, { today }).findings.map(({ policy, resourceName }) => `${policy} ${resourceName}`);
  const before = findings(goodDatabase);
  return [...new Set(findings(changed(goodDatabase, ...changes)).filter(one => !before.includes(one)))];
}

const budget = (spec: object, version = "policy/v1") =>
  plus(
    resource(`kubernetes:${version}:PodDisruptionBudget`, "second", {
      metadata: { name: "second", namespace: "shop" },
      spec,
    }),
  );
const selector = { matchLabels: { app: "orders" } };
const pods = "spec.template.spec";

/** Each change with what is to be said of it. */
const cases: [what: string, changes: Change[], ...expected: string[]][] = [
  ["a budget of 100 %", [set("orders-budget", "spec.maxUnavailable", "100%")], "replicas-disruption-budget orders"],
  ["a budget of all pods", [set("orders-budget", "spec.maxUnavailable", 3)], "replicas-disruption-budget orders"],
  [
    "a budget without a bound",
    [set("orders-budget", "spec.maxUnavailable", undefined)],
    "replicas-disruption-budget orders",
  ],
  ["a budget of two of three", [set("orders-budget", "spec.maxUnavailable", "34%")]],
  ["a budget that keeps a third", [set("orders-budget", "spec", { minAvailable: "30%", selector })]],
  ["a budget for all pods of the namespace", [set("orders-budget", "spec.selector", {})]],
  [
    "a budget without a selector",
    [set("orders-budget", "spec", { maxUnavailable: 1 })],
    "replicas-disruption-budget orders",
  ],
  [
    "an old budget whose empty selector selects nothing",
    [without("orders-budget"), budget({ maxUnavailable: 1, selector: {} }, "policy/v1beta1")],
    "replicas-disruption-budget orders",
  ],
  ["two budgets for the same pods", [budget({ maxUnavailable: 1, selector })], "replicas-budget-allows-drains orders"],
  [
    "an autoscaler that idles at none",
    [
      plus(
        resource("kubernetes:keda.sh/v1alpha1:ScaledObject", "scaler", {
          metadata: { name: "scaler", namespace: "shop" },
          spec: { minReplicaCount: 3, idleReplicaCount: 0, scaleTargetRef: { kind: "StatefulSet", name: "other" } },
        }),
      ),
    ],
    "replicas-autoscaler-minimum scaler",
  ],
  [
    "an autoscaler that is paused at one pod",
    [
      plus(
        resource("kubernetes:keda.sh/v1alpha1:ScaledObject", "scaler", {
          metadata: { name: "scaler", namespace: "shop", annotations: { "autoscaling.keda.sh/paused-replicas": "1" } },
          spec: { minReplicaCount: 3, scaleTargetRef: { kind: "StatefulSet", name: "other" } },
        }),
      ),
    ],
    "replicas-autoscaler-minimum scaler",
  ],
  [
    "a patch that leaves one pod",
    [
      plus(
        resource("kubernetes:apps/v1:StatefulSetPatch", "patch", {
          metadata: { name: "orders", namespace: "shop" },
          spec: { replicas: 1 },
        }),
      ),
    ],
    "replicas-minimum orders",
    "replicas-minimum patch",
  ],
  [
    "a patch of one container",
    [
      plus(
        resource("kubernetes:apps/v1:StatefulSetPatch", "patch", {
          metadata: { name: "orders", namespace: "shop" },
          spec: { template: { spec: { containers: [{ name: "tidesql", image: "registry.example/tidesql:latest" }] } } },
        }),
      ),
    ],
    "correctness-engine-image orders",
    "workloads-image-tag orders",
  ],
  [
    "a skew that allows all pods in one zone",
    [set("orders", `${pods}.topologySpreadConstraints[0].maxSkew`, 3)],
    "replicas-spread-over-zones orders",
  ],
  [
    "a node selector with one zone",
    [set("orders", `${pods}.nodeSelector`, { "topology.kubernetes.io/zone": "us-east-1a" })],
    "replicas-spread-over-zones orders",
  ],
  [
    "a node affinity with one zone",
    [
      set("orders", `${pods}.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms`, [
        { matchExpressions: [{ key: "topology.kubernetes.io/zone", operator: "In", values: ["a"] }] },
      ]),
    ],
    "replicas-spread-over-zones orders",
  ],
  [
    "a node affinity with two terms of a zone each",
    [
      set(
        "orders",
        `${pods}.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms`,
        ["a", "b"].map(zone => ({
          matchExpressions: [{ key: "topology.kubernetes.io/zone", operator: "In", values: [zone] }],
        })),
      ),
    ],
  ],
  ["a network policy for everyone", [set("orders-peers", "spec.ingress", [{}])], "workloads-network-policy orders"],
  [
    "a network policy for every namespace",
    [set("orders-peers", "spec.ingress", [{ from: [{ namespaceSelector: {} }] }])],
    "workloads-network-policy orders",
  ],
  [
    "a network policy for half of the world",
    [set("orders-peers", "spec.ingress", [{ from: [{ ipBlock: { cidr: "0.0.0.0/1" } }], ports: [{ port: 3306 }] }])],
    "workloads-network-policy orders",
  ],
  [
    "a network policy for everyone by the port's name",
    [set("orders-peers", "spec.ingress", [{ ports: [{ port: "mysql" }] }])],
    "workloads-network-policy orders",
  ],
  [
    "a network policy with a range of ports for everyone",
    [set("orders-peers", "spec.ingress", [{ ports: [{ port: 3000, endPort: 4000 }] }])],
    "workloads-network-policy orders",
  ],
  ["a network policy that opens another port", [set("orders-peers", "spec.ingress", [{ ports: [{ port: 8080 }] }])]],
  [
    "a network policy for one application in every namespace",
    [
      set("orders-peers", "spec.ingress", [
        { from: [{ namespaceSelector: {}, podSelector: { matchLabels: { app: "a" } } }] },
      ]),
    ],
  ],
  [
    "a load balancer with another port in front of the named one",
    [
      set("orders-primary", "spec.type", "LoadBalancer"),
      set("orders-primary", "spec.ports", [{ port: 443, targetPort: "mysql" }]),
    ],
    "workloads-exposed-service orders-primary",
  ],
  [
    "a load balancer for two halves of the world",
    [
      set("orders-primary", "spec.type", "LoadBalancer"),
      set("orders-primary", "spec.loadBalancerSourceRanges", ["0.0.0.0/1", "128.0.0.0/1"]),
    ],
    "workloads-exposed-service orders-primary",
  ],
  [
    "an internal load balancer in the old words",
    [
      set("orders-primary", "spec.type", "LoadBalancer"),
      set(
        "orders-primary",
        'metadata.annotations["service.beta.kubernetes.io/aws-load-balancer-internal"]',
        "0.0.0.0/0",
      ),
    ],
  ],
  [
    "an external address",
    [set("orders-primary", "spec.externalIPs", ["198.51.100.7"])],
    "workloads-exposed-service orders-primary",
  ],
  [
    "a port of the node",
    [set("orders", `${pods}.containers[0].ports[0].hostPort`, 3306)],
    "workloads-pod-security orders",
  ],
  [
    "a kernel parameter",
    [set("orders", `${pods}.securityContext.sysctls`, [{ name: "kernel.msgmax", value: "1" }])],
    "workloads-pod-security orders",
  ],
  [
    "a harmless kernel parameter",
    [set("orders", `${pods}.securityContext.sysctls`, [{ name: "net.ipv4.tcp_keepalive_time", value: "60" }])],
  ],
  [
    "a container that AppArmor does not confine",
    [set("orders", `${pods}.containers[0].securityContext.appArmorProfile`, { type: "Unconfined" })],
    "workloads-pod-security orders",
  ],
  ["no TLS at all", [option("skip-ssl", "1")], "tls-clients orders"],
  [
    "a WAL that is not synced",
    [option("tidesdb_unified_memtable_sync_mode", "NONE")],
    "correctness-lossless-options orders",
  ],
  ["a local backend", [option("tidesdb_object_store_backend", "LOCAL")], "correctness-lossless-options orders"],
  ["tables forced into InnoDB", [option("enforce_storage", "InnoDB")], "correctness-default-engine orders"],
  [
    "data on an emptyDir",
    [
      set("orders", "spec.volumeClaimTemplates", undefined),
      set("orders", `${pods}.volumes[2]`, { name: "data", emptyDir: {} }),
    ],
    "correctness-data-volume orders",
  ],
  [
    "a promotion by a function",
    [
      plus(
        resource("aws:lambda/function:Function", "promoter", {
          environment: { variables: { SQL: "SET GLOBAL `tidesdb_promote_primary` := 'ON'" } },
        }),
      ),
    ],
    "correctness-failover-script promoter",
  ],
];

describe("what Kubernetes and MariaDB make of", () => {
  for (const [what, changes, ...expected] of cases) {
    it(what, () => assert.deepEqual(said(...changes).sort(), [...expected].sort()));
  }

  it("a promotion whose option is in a variable", () => {
    const [job] = manifests(`
apiVersion: batch/v1
kind: CronJob
metadata: { name: promoter, namespace: shop }
spec: { jobTemplate: { spec: { template: { spec: { containers: [{ name: c, image: "m:1.2",
  command: [sh, -c, 'V=tidesdb_promote_primary; mariadb -e "SET GLOBAL $V=ON"'] }] } } } } }
`);
    assert.ok(said(plus(job!)).includes("correctness-failover-script promoter"));
  });

  it("one pod that starts as a writer: no advice to start a second", () => {
    const program = changed(
      goodDatabase,
      withoutManager,
      option("tidesdb_replica_mode", "OFF"),
      set("orders", "spec.replicas", 1),
    );
    const finding = judge(program, { today }).findings.find(({ policy }) => policy === "replicas-minimum");
    assert.match(finding?.wayOut ?? "", /only with tidesdb_replica_mode=ON in every pod and a manager/);
  });
});
