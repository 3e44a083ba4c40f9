import assert from "node:assert/strict";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { Cluster, Database, Image, Network, ObjectStore, TideSql } from "../../index";
import { checkedOptions } from "../../components/options";
import { databaseArgs } from "./databaseFixtures";
import "./mocks";

describe("the options of a component", () => {
  const wrong: [what: string, opts: unknown, message: RegExp][] = [
    ["null", null, /opts: is not an object: write an object/],
    ["a text", "cluster", /opts: is not an object/],
    ["a list", [], /opts: is not an object/],
    ["a provider that is a text", { provider: "cluster" }, /opts\.provider: is not a provider: make one/],
    ["a provider that is its arguments", { provider: { kubeconfig: "x" } }, /opts\.provider: is not a provider/],
    ["providers that are one text", { providers: "aws" }, /opts\.providers: is not a list/],
    ["a provider among several", { providers: { aws: "us-east-1" } }, /opts\.providers\.aws: is not a provider/],
    ["a provider in a list", { providers: ["aws"] }, /opts\.providers\.0: is not a provider/],
  ];
  for (const [what, opts, message] of wrong) {
    it(`are refused by their path: ${what}`, () => {
      assert.throws(
        () => checkedOptions('Network "orders"', opts as never),
        error => {
          assert.ok(pulumi.InputPropertiesError.isInstance(error));
          assert.match((error as Error).message, message);
          return true;
        },
      );
    });
  }

  it("are refused by every component", () => {
    const provider = "cluster" as unknown as k8s.Provider;
    const region = "us-east-1";
    const makers: Record<string, () => unknown> = {
      Cluster: () =>
        new Cluster("orders", { region, vpcId: "vpc-1", subnetIds: ["subnet-a", "subnet-b"] }, { provider }),
      Database: () => new Database("orders", databaseArgs(), { provider }),
      Image: () => new Image("orders", { region }, { provider }),
      Network: () => new Network("orders", { region }, { provider }),
      ObjectStore: () => new ObjectStore("orders", { region }, { provider }),
      TideSql: () => new TideSql("orders", { region, cluster: { publicAccessCidrs: [] } }, { provider }),
    };
    for (const [name, make] of Object.entries(makers))
      assert.throws(
        make,
        new RegExp(`${name} "orders" has invalid arguments:\\s+opts\\.provider: is not a provider`),
        name,
      );
  });

  it("may be anything that Pulumi takes", () => {
    const provider = new k8s.Provider("cluster");
    for (const opts of [
      {},
      { provider },
      { providers: { kubernetes: provider } },
      { providers: [provider] },
      { provider: undefined },
    ])
      assert.equal(checkedOptions('Network "orders"', opts), opts);
  });
});
