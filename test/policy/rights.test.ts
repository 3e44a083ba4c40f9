import assert from "node:assert/strict";
import { checks } from "../../policy/checks";
import { judge } from "../../policy/judge";
import { notYetKnown } from "../../policy/model/resource";
import { describePolicy, today } from "./describePolicy";
import { manifests, resource } from "./program";

const role = (kind: string, rule: string) =>
  manifests(
    `{ apiVersion: rbac.authorization.k8s.io/v1, kind: ${kind}, metadata: { name: it, namespace: a }, rules: [${rule}] }`,
  );

describe("rights in the cluster", () => {
  describePolicy("workloads-broad-rights", {
    passes: [role("Role", '{ apiGroups: [""], resources: [pods, services], verbs: ["*"] }')],
    fails: {
      program: role("ClusterRole", '{ apiGroups: [""], resources: [secrets], verbs: [get, list] }'),
      resource: "it",
      says: /Secrets of every namespace/,
    },
    unknown: [resource("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", "it", { rules: notYetKnown })],
    handWritten: {
      program: role("Role", '{ apiGroups: ["*"], resources: ["pods/*"], verbs: [create] }'),
      resource: "it",
      says: /runs commands in pods/,
    },
  });

  /** Rules with what is said of them in a ClusterRole and in a Role. */
  const rules: [rule: string, inCluster: RegExp | undefined, inNamespace: RegExp | undefined][] = [
    ['{ apiGroups: [""], resources: [secrets], verbs: [watch] }', /every namespace/, undefined],
    ['{ apiGroups: [""], resources: [secrets], verbs: [create] }', undefined, undefined],
    ['{ apiGroups: [""], resources: [secrets], resourceNames: [a], verbs: [get] }', undefined, undefined],
    ['{ apiGroups: [""], resources: ["*"], verbs: [get] }', /every namespace/, /runs commands/],
    ['{ apiGroups: [metrics.k8s.io], resources: ["*"], verbs: ["*"] }', undefined, undefined],
    ['{ apiGroups: [""], resources: [pods/exec], verbs: [create] }', /runs commands/, /runs commands/],
    ['{ apiGroups: [""], resources: ["*/attach"], verbs: ["*"] }', /runs commands/, /runs commands/],
    ['{ apiGroups: [""], resources: [pods/log], verbs: [get] }', undefined, undefined],
    ['{ apiGroups: [""], resources: [nodes/proxy], verbs: [get] }', /past the audit log/, undefined],
    ['{ apiGroups: [""], resources: [nodes, nodes/metrics], verbs: [get] }', undefined, undefined],
    ['{ apiGroups: [""], resources: [serviceaccounts/token], verbs: [create] }', /tokens/, /tokens/],
    [
      "{ apiGroups: [rbac.authorization.k8s.io], resources: [clusterrolebindings], verbs: [create] }",
      /any account/,
      undefined,
    ],
    ['{ apiGroups: ["*"], resources: [rolebindings], verbs: ["*"] }', /any namespace/, undefined],
    ["{ apiGroups: [rbac.authorization.k8s.io], resources: [rolebindings], verbs: [get, list] }", undefined, undefined],
    [
      "{ apiGroups: [certificates.k8s.io], resources: [certificatesigningrequests/approval], verbs: [update] }",
      /certificates signed/,
      undefined,
    ],
  ];
  const check = checks.filter(({ id }) => id === "workloads-broad-rights");
  for (const [rule, inCluster, inNamespace] of rules) {
    for (const [kind, says] of [
      ["ClusterRole", inCluster],
      ["Role", inNamespace],
    ] as const) {
      it(`${rule} in a ${kind} ${says ? "is broad" : "is not"}`, () => {
        const messages = judge(role(kind, rule), { checks: check, today }).findings.map(({ message }) => message);
        if (says) assert.match(messages.join("\n"), says);
        else assert.deepEqual(messages, []);
      });
    }
  }
});
