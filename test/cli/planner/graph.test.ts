import assert from "node:assert/strict";
import * as aws from "@pulumi/aws";
import * as docker from "@pulumi/docker";
import { criticalPath, waitsFor } from "../../../cli/planner/graph";
import { planProgram } from "../../../cli/planner/planProgram";
import { planStack } from "../../../cli/planner/planStack";
import type { Plan } from "../../../cli/planner/plan";
import { unavoidableMinutes } from "../../../components/core/planning/creationTimes";
import { fixture } from "../fixtures/fixture";

describe("what a plan's resources wait for", () => {
  let plan: Plan;

  before(async () => {
    plan = await planStack({ directory: fixture, stack: "prod" });
  });

  function waited(name: string): string[] {
    const resource = plan.resources.find(candidate => candidate.name === name);
    assert.ok(resource);
    return waitsFor(resource).map(urn => urn.split("::").at(-1) ?? "");
  }

  it("is what their inputs name, their parent and their provider", () => {
    assert.ok(waited("shop-network-a").includes("shop-network-vpc"));
    assert.ok(waited("shop-network-a").includes("shop-network"));
    assert.ok(waited("orders-config").includes("orders-namespace"));
    assert.ok(waited("orders-config").includes("shop-cluster-provider"));
    assert.ok(
      waited("orders").includes("shop-cluster-provider"),
      "a component waits for the providers that it passes on",
    );
  });

  it("makes the longest chain: control plane, pod network, nodes, EBS driver, and the VPC before them", () => {
    const { steps, minutes } = criticalPath(plan);
    const timed = steps.filter(step => step.minutes !== undefined).map(({ resource }) => resource.name);
    assert.deepEqual(timed, [
      "shop-network-vpc",
      "shop-cluster-eks",
      "shop-cluster-cni",
      "shop-cluster-nodes",
      "shop-cluster-ebs",
    ]);
    assert.ok(Math.abs(minutes - (unavoidableMinutes + 25 / 60)) < 1e-9, String(minutes));
  });

  it("tells what an image that is built already would save", async () => {
    const built = await planProgram(
      () => {
        const image = new docker.RegistryImage("image", { name: "registry.example.com/tidesql:1" });
        const vpc = new aws.ec2.Vpc("vpc", { cidrBlock: "10.0.0.0/16" });
        new aws.ec2.Subnet("after", { vpcId: vpc.id, tags: { image: image.sha256Digest } });
      },
      { project: "shop", stack: "test" },
    );
    const { minutes, minutesWithoutImage } = criticalPath(built);
    assert.equal(minutes, 30);
    assert.equal(minutesWithoutImage, 25 / 60);
    assert.equal(criticalPath(plan).minutesWithoutImage, undefined);
  });

  it("takes no minutes on a cluster that is there", async () => {
    const local = await planStack({ directory: fixture, stack: "local" });
    assert.equal(criticalPath(local).minutes, 0);
  });
});
