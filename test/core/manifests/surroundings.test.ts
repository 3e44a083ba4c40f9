import assert from "node:assert/strict";
import { certificateDnsNames } from "../../../components/core/certificateNames";
import { disruptionBudgetManifest } from "../../../components/core/manifests/disruptionBudget";
import { namespaceManifest } from "../../../components/core/manifests/namespace";
import {
  defaultClients,
  defaultEgress,
  NetworkPeer,
  networkPolicyManifest,
} from "../../../components/core/manifests/networkPolicy";
import { priorityClassManifest } from "../../../components/core/manifests/priorityClass";
import { roleBindingManifest, roleManifest, serviceAccountManifest } from "../../../components/core/manifests/rbac";
import {
  headlessServiceManifest,
  primaryServiceManifest,
  replicaServiceManifest,
} from "../../../components/core/manifests/services";
import { settleExposure } from "../../../components/core/serviceExposure";
import { databaseNames } from "../../../components/core/names";
import { validateLabels, validateNetworkPeers } from "../../../components/core/networkPeers";

const names = databaseNames("orders", "shop", 3);
const inside = settleExposure<string>({}, {});
const ownPods = { "app.kubernetes.io/name": "tidesql", "app.kubernetes.io/instance": "orders" };

describe("Services", () => {
  it("send writers to the pod with the label of the primary, readers to the replicas", () => {
    const primary = primaryServiceManifest(names, inside);
    const replica = replicaServiceManifest(names, inside);
    assert.equal(primary.metadata.name, "orders-primary");
    assert.equal(replica.metadata.name, "orders-replica");
    assert.deepEqual(primary.spec.selector, { ...ownPods, "tidesql.io/role": "primary" });
    assert.deepEqual(replica.spec.selector, { ...ownPods, "tidesql.io/reads": "true" });
    assert.equal(primary.spec.ports[0]?.port, 3306);
    assert.equal(primary.spec.publishNotReadyAddresses, true, "a new primary is found as soon as it is labelled");
    assert.equal("publishNotReadyAddresses" in replica.spec, false, "a replica that died is not asked");
  });

  it("do not make Pulumi wait for endpoints that may never be", () => {
    const skips = (annotations: Record<string, string>) => annotations["pulumi.com/skipAwait"] === "true";
    assert.ok(skips(replicaServiceManifest(names, inside).metadata.annotations));
    assert.ok(skips(headlessServiceManifest(names).metadata.annotations));
    assert.ok(!skips(primaryServiceManifest(names, inside).metadata.annotations));
  });

  it("name each pod, also while it starts, so that managers find one another", () => {
    const { spec } = headlessServiceManifest(names);
    assert.equal(spec.clusterIP, "None");
    assert.equal(spec.publishNotReadyAddresses, true);
    assert.deepEqual(spec.selector, ownPods);
  });

  it("can be load balancers", () => {
    const exposure = {
      type: "LoadBalancer",
      loadBalancerClass: "service.k8s.aws/nlb",
      port: 3306,
      annotations: { "service.beta.kubernetes.io/aws-load-balancer-scheme": "internal" },
    };
    const { metadata, spec } = primaryServiceManifest(names, exposure);
    assert.equal(spec.type, "LoadBalancer");
    assert.equal(spec.loadBalancerClass, "service.k8s.aws/nlb");
    assert.equal(metadata.annotations["service.beta.kubernetes.io/aws-load-balancer-scheme"], "internal");
  });
});

describe("rights", () => {
  const { rules } = roleManifest(names);

  it("reach this database's Lease and pods, and no Secret", () => {
    for (const rule of rules) {
      assert.ok(!rule.resources.includes("secrets") && !rule.resources.includes("configmaps"));
      assert.ok(![...rule.apiGroups, ...rule.resources, ...rule.verbs].includes("*"));
    }
    const changing = rules.filter(({ verbs }) => verbs.some(verb => ["update", "patch", "delete"].includes(verb)));
    assert.deepEqual(
      changing.map(rule => [rule.resources, "resourceNames" in rule && rule.resourceNames]),
      [
        [["leases"], ["orders"]],
        [["pods"], ["orders-0", "orders-1", "orders-2"]],
      ],
    );
    assert.deepEqual(
      rules.filter(({ verbs }) => verbs.includes("delete")).map(rule => "resourceNames" in rule && rule.resourceNames),
      [["orders-0", "orders-1", "orders-2"]],
    );
  });

  it("are what the manager asks for, call by call", () => {
    const may = (verb: string, resource: string, object?: string) =>
      rules.some(
        rule =>
          rule.verbs.includes(verb) &&
          rule.resources.includes(resource) &&
          (!("resourceNames" in rule) || (object !== undefined && rule.resourceNames?.includes(object))),
      );
    assert.ok(may("get", "leases", "orders"));
    assert.ok(may("update", "leases", "orders"));
    assert.ok(may("create", "leases"));
    assert.ok(may("list", "pods"));
    assert.ok(may("patch", "pods", "orders-2"));
    assert.ok(may("delete", "pods", "orders-2"));
    assert.ok(may("get", "statefulsets", "orders"));
    assert.ok(may("create", "events"));
    assert.ok(!may("delete", "pods", "other-0"));
    assert.ok(!may("patch", "statefulsets", "orders"));
    assert.ok(!may("update", "leases", "other"));
    assert.ok(!may("patch", "pods", "other-0"));
  });

  it("are bound to the pods' own account, whose token no other pod gets by default", () => {
    const account = serviceAccountManifest(names);
    const binding = roleBindingManifest(names);
    assert.equal(account.automountServiceAccountToken, false);
    assert.deepEqual(binding.subjects, [{ kind: "ServiceAccount", name: account.metadata.name, namespace: "shop" }]);
    assert.equal(binding.roleRef.name, roleManifest(names).metadata.name);
  });
});

describe("NetworkPolicy", () => {
  const inputs = { clients: defaultClients, monitoring: [], objectStorePort: 9000, egress: defaultEgress };

  it("isolates the pods both ways and opens the database's port to its namespace and to labelled ones", () => {
    const { spec } = networkPolicyManifest(names, inputs);
    assert.deepEqual(spec.podSelector.matchLabels, ownPods);
    assert.deepEqual(spec.policyTypes, ["Ingress", "Egress"]);
    assert.deepEqual(spec.ingress, [
      {
        from: [
          { podSelector: { matchLabels: {} } },
          { namespaceSelector: { matchLabels: { "tidesql.io/client": "true" } } },
        ],
        ports: [{ port: 3306, protocol: "TCP" }],
      },
      { from: [{ podSelector: { matchLabels: ownPods } }], ports: [{ port: 8443, protocol: "TCP" }] },
    ]);
  });

  it("opens nothing to nobody: an empty list makes no rule, where a rule without peers would let all in", () => {
    const { spec } = networkPolicyManifest(names, { ...inputs, clients: [] });
    for (const rule of spec.ingress) assert.ok(rule.from.length > 0);
    assert.ok(!JSON.stringify(spec.ingress).includes("3306"));
  });

  it("lets the pods reach one another, names, the API server and the store, and no other port", () => {
    const { spec } = networkPolicyManifest(names, inputs);
    const ports = spec.egress.flatMap(rule => rule.ports.map(({ port, protocol }) => `${port}/${protocol}`));
    const dns = ["53/UDP", "53/TCP", "5353/UDP", "5353/TCP"];
    assert.deepEqual(ports, ["8443/TCP", ...dns, "443/TCP", "6443/TCP", "8443/TCP", "16443/TCP", "9000/TCP"]);
    const egress = { apiServerPorts: [443], dnsPorts: [53], otherPorts: [15_012] };
    const narrow = networkPolicyManifest(names, { ...inputs, egress }).spec.egress;
    const narrowPorts = narrow.flatMap(rule => rule.ports.map(({ port, protocol }) => `${port}/${protocol}`));
    assert.deepEqual(narrowPorts, ["8443/TCP", "53/UDP", "53/TCP", "443/TCP", "9000/TCP", "15012/TCP"]);
  });

  it("opens the metrics to those who are named, and addresses to those outside", () => {
    const monitoring = [{ namespaceLabels: { "kubernetes.io/metadata.name": "monitoring" }, podLabels: { app: "p" } }];
    const { spec } = networkPolicyManifest(names, { ...inputs, clients: [{ cidr: "10.0.0.0/8" }], monitoring });
    assert.deepEqual(spec.ingress[0]?.from, [{ ipBlock: { cidr: "10.0.0.0/8" } }]);
    assert.deepEqual(spec.ingress[1], {
      from: [
        {
          namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "monitoring" } },
          podSelector: { matchLabels: { app: "p" } },
        },
      ],
      ports: [{ port: 8080, protocol: "TCP" }],
    });
  });
});

describe("network peers", () => {
  const problem = (peer: NetworkPeer) => validateNetworkPeers([peer])[0];

  it("takes labels and ranges", () => {
    const peers: NetworkPeer[] = [
      { podLabels: {} },
      { namespaceLabels: { "kubernetes.io/metadata.name": "shop" }, podLabels: { app: "x" } },
      { cidr: "10.0.0.0/8" },
      { cidr: "0.0.0.0/0" },
      { cidr: "fd00::/8" },
    ];
    for (const peer of peers) assert.equal(problem(peer), undefined, JSON.stringify(peer));
  });

  it("refuses those that name nobody, both at once, and ranges that are none", () => {
    assert.equal(problem({})?.propertyPath, "[0]");
    assert.equal(problem({ cidr: "10.0.0.0/8", podLabels: {} })?.propertyPath, "[0].cidr");
    for (const cidr of ["10.0.0.0", "10.0.0.256/8", "10.0.0.0/33", "x/8", "fd00::/129", "10.0.0.0/8/8", "", "/8"]) {
      assert.equal(problem({ cidr })?.propertyPath, "[0].cidr", cidr);
    }
  });

  it("refuses labels that Kubernetes would refuse, naming them", () => {
    assert.equal(problem({ podLabels: { app: "a b" } })?.propertyPath, "[0].podLabels.app");
    assert.equal(validateLabels({ "a b": "c" }).length, 1);
    assert.deepEqual(validateLabels({ "node.kubernetes.io/instance-type": "m5.large", empty: "" }), []);
  });
});

describe("the rest around the pods", () => {
  it("PodDisruptionBudget: one at a time; a broken pod blocks no drain unless its disk goes with it", () => {
    const { spec } = disruptionBudgetManifest(names, true);
    assert.equal(spec.maxUnavailable, 1);
    assert.deepEqual(spec.selector.matchLabels, ownPods);
    assert.equal(spec.unhealthyPodEvictionPolicy, "AlwaysAllow");
    assert.equal(disruptionBudgetManifest(names, false).spec.unhealthyPodEvictionPolicy, "IfHealthyBudget");
  });

  it("Namespace: Pod Security restricted", () => {
    const labels: Record<string, string> = namespaceManifest("shop", "orders").metadata.labels;
    for (const mode of ["enforce", "audit", "warn"]) {
      assert.equal(labels[`pod-security.kubernetes.io/${mode}`], "restricted");
    }
  });

  it("PriorityClass: above applications, below the cluster's own", () => {
    const { value, globalDefault } = priorityClassManifest(names);
    assert.ok(value > 0 && value < 1_000_000_000);
    assert.equal(globalDefault, false);
  });

  it("certificate: Services in every spelling, all pods by one name, and a forwarded port", () => {
    const dnsNames = certificateDnsNames(names, "cluster.local", ["db.example.com"]);
    for (const name of [
      "orders-primary",
      "orders-primary.shop",
      "orders-replica.shop.svc",
      "orders-primary.shop.svc.cluster.local",
      "*.orders.shop.svc",
      "localhost",
      "db.example.com",
    ]) {
      assert.ok(dnsNames.includes(name), name);
    }
    assert.deepEqual(
      dnsNames,
      certificateDnsNames(databaseNames("orders", "shop", 9), "cluster.local", ["db.example.com"]),
    );
  });
});
