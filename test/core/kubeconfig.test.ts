import * as assert from "node:assert/strict";
import { describe, it } from "mocha";
import { kubeconfigText } from "../../components/core/kubeconfig";

const address = {
  clusterName: "orders",
  region: "eu-west-1",
  endpoint: "https://orders.eks.amazonaws.com",
  certificateAuthority: "Y2E=",
};

/** Keys of every object in a value, in their order. */
function keys(value: unknown): string[][] {
  if (Array.isArray(value)) return value.flatMap(keys);
  if (typeof value !== "object" || value === null) return [];
  return [Object.keys(value), ...Object.values(value).flatMap(keys)];
}

describe("the kubeconfig of an EKS cluster", () => {
  const config = JSON.parse(kubeconfigText(address)) as {
    clusters: { cluster: object }[];
    users: { user: { exec: { command: string; args: string[] } } }[];
  };

  it("names the API and its authority", () => {
    assert.deepEqual(config.clusters[0]!.cluster, {
      "certificate-authority-data": "Y2E=",
      server: "https://orders.eks.amazonaws.com",
    });
  });

  it("holds no credential: whoever uses it asks AWS for a token", () => {
    const { user } = config.users[0]!;
    assert.deepEqual(Object.keys(user), ["exec"]);
    assert.equal(
      [user.exec.command, ...user.exec.args].join(" "),
      "aws --region eu-west-1 eks get-token --cluster-name orders --output json",
    );
  });

  it("has its keys in order, so that a plan shows no change where there is none", () => {
    for (const names of keys(config)) assert.deepEqual(names, [...names].sort());
  });
});
