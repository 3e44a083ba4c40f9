import { notYetKnown } from "../../policy/model/resource";
import { describePolicy } from "./describePolicy";
import { goodDatabase } from "./goodProgram";
import { changed, manifests, plus, resource, set, without } from "./program";

const good = [goodDatabase];

const autoscaler = (minReplicas: unknown) =>
  resource("kubernetes:autoscaling/v2:HorizontalPodAutoscaler", "orders-scaler", {
    metadata: { name: "orders-scaler", namespace: "shop" },
    spec: { scaleTargetRef: { kind: "StatefulSet", name: "orders" }, minReplicas, maxReplicas: 5 },
  });

const twoPlainPods = manifests(`
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 2
  template: { metadata: { labels: { app: web } }, spec: { containers: [{ name: web, image: nginx:1.29.3 }] } }
`);

describe("replica counts", () => {
  describePolicy("replicas-minimum", {
    passes: [
      goodDatabase,
      changed(goodDatabase, set("orders", "spec.replicas", "2")),
      changed(goodDatabase, set("orders", "spec.replicas", undefined), plus(autoscaler(2))),
    ],
    fails: {
      program: changed(goodDatabase, set("orders", "spec.replicas", 1)),
      resource: "orders",
      says: /runs 1 pod; at least 2/,
    },
    unknown: changed(goodDatabase, set("orders", "spec.replicas", notYetKnown)),
    handWritten: {
      program: manifests(
        "{ apiVersion: extensions/v1beta1, kind: Deployment, metadata: { name: web }, spec: { template: {} } }",
      ),
      resource: "web",
      says: /runs 1 pod/,
    },
    configured: { configuration: { "replicas-minimum": { minReplicas: 1 } }, violations: 0 },
  });

  describePolicy("replicas-disruption-budget", {
    passes: good,
    fails: { program: changed(goodDatabase, without("orders-budget")), resource: "orders", says: /namespace shop/ },
    unknown: changed(goodDatabase, set("orders-budget", "spec.selector", notYetKnown)),
    handWritten: {
      program: [
        ...twoPlainPods,
        ...manifests(`
apiVersion: policy/v1beta1
kind: PodDisruptionBudget
metadata: { name: elsewhere }
spec: { minAvailable: 1, selector: { matchExpressions: [{ key: app, operator: NotIn, values: [web] }] } }
`),
      ],
      resource: "web",
      says: /No PodDisruptionBudget/,
    },
  });

  describePolicy("replicas-budget-allows-drains", {
    passes: [goodDatabase, changed(goodDatabase, set("orders-budget", "spec.maxUnavailable", "10%"))],
    fails: {
      program: changed(goodDatabase, set("orders-budget", "spec.maxUnavailable", 0)),
      resource: "orders",
      says: /orders-budget never lets one of these 3 pods go/,
    },
    unknown: changed(goodDatabase, set("orders-budget", "spec.maxUnavailable", notYetKnown)),
    handWritten: {
      program: [
        ...twoPlainPods,
        ...manifests(`
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: { name: strict }
spec: { minAvailable: "51%", selector: { matchLabels: { app: web } } }
`),
      ],
      resource: "web",
      says: /minAvailable: 51%/,
    },
  });

  describePolicy("replicas-spread-over-zones", {
    passes: good,
    fails: {
      program: changed(goodDatabase, set("orders", "spec.template.spec.topologySpreadConstraints", undefined)),
      resource: "orders",
      says: /availability zones/,
    },
    unknown: changed(
      goodDatabase,
      set("orders", "spec.template.spec.topologySpreadConstraints[0].topologyKey", notYetKnown),
    ),
    handWritten: {
      program: changed(
        goodDatabase,
        set("orders", "spec.template.spec.topologySpreadConstraints[0].labelSelector.matchLabels", { app: "billing" }),
      ),
      resource: "orders",
      says: /availability zones/,
    },
  });

  describePolicy("replicas-spread-over-nodes", {
    passes: [
      goodDatabase,
      changed(
        goodDatabase,
        set("orders", "spec.template.spec.topologySpreadConstraints", []),
        set("orders", "spec.template.spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution", [
          {
            weight: 100,
            podAffinityTerm: {
              topologyKey: "kubernetes.io/hostname",
              labelSelector: { matchExpressions: [{ key: "app", operator: "In", values: ["orders"] }] },
            },
          },
        ]),
      ),
    ],
    fails: {
      program: changed(
        goodDatabase,
        set("orders", "spec.template.spec.topologySpreadConstraints[1].topologyKey", "rack"),
      ),
      resource: "orders",
      says: /over nodes/,
    },
    unknown: changed(goodDatabase, set("orders", "spec.template.metadata.labels.app", notYetKnown)),
    handWritten: {
      program: changed(
        goodDatabase,
        set("orders", "spec.template.spec.topologySpreadConstraints", []),
        set("orders", "spec.template.spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution", [
          { topologyKey: "kubernetes.io/hostname" },
        ]),
      ),
      resource: "orders",
      says: /over nodes/,
    },
  });

  describePolicy("replicas-autoscaler-minimum", {
    passes: [[autoscaler(2)]],
    fails: { program: [autoscaler(1)], resource: "orders-scaler", says: /down to 1 pod; at least 2/ },
    unknown: [autoscaler(notYetKnown)],
    handWritten: {
      program: manifests(
        "{ apiVersion: keda.sh/v1alpha1, kind: ScaledObject, metadata: { name: idle }, spec: { scaleTargetRef: { name: orders } } }",
      ),
      resource: "idle",
      says: /down to 0 pods/,
    },
    configured: { configuration: { "replicas-autoscaler-minimum": { minReplicas: 1 } }, violations: 0 },
  });
});
