import { notYetKnown } from "../../policy/model/resource";
import { describePolicy } from "./describePolicy";
import { goodDatabase } from "./goodProgram";
import { changed, manifests, set } from "./program";

const strategy = (value: unknown) => changed(goodDatabase, set("orders", "spec.updateStrategy", value));
const grace = (value: unknown) =>
  changed(goodDatabase, set("orders", "spec.template.spec.terminationGracePeriodSeconds", value));

describe("how pods are replaced and stopped", () => {
  describePolicy("replicas-rolling-update", {
    passes: [
      goodDatabase,
      strategy({ type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1 } }),
      strategy({ type: "RollingUpdate", rollingUpdate: { maxUnavailable: "34%" } }),
      strategy({ type: "OnDelete" }),
      manifests(`
apiVersion: apps/v1
kind: Deployment
metadata: { name: single }
spec: { replicas: 1, strategy: { type: Recreate }, template: { spec: { containers: [{ name: a, image: "web:1.2" }] } } }
`),
    ],
    fails: {
      program: strategy({ type: "RollingUpdate", rollingUpdate: { maxUnavailable: "100%" } }),
      resource: "orders",
      says: /stops all 3 pods at once \(100%\)/,
    },
    unknown: strategy(notYetKnown),
    handWritten: {
      program: manifests(`
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec: { replicas: 2, strategy: { type: Recreate }, template: { spec: { containers: [{ name: a, image: "web:1.2" }] } } }
`),
      resource: "web",
      says: /stops all 2 pods at once \(Recreate\)/,
    },
  });

  describePolicy("correctness-termination-grace", {
    passes: [goodDatabase, grace(30), grace("120")],
    fails: { program: grace(1), resource: "orders", says: /killed 1 s after/ },
    unknown: grace(notYetKnown),
    handWritten: { program: grace("0"), resource: "orders", says: /killed 0 s after/ },
    configured: { configuration: { "correctness-termination-grace": { minSeconds: 1 } }, violations: 0 },
  });
});
