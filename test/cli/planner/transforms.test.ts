import assert from "node:assert/strict";
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Plan } from "../../../cli/planner/plan";
import { planProgram, ProgramError } from "../../../cli/planner/planProgram";
import { Secret } from "../../../cli/planner/values";

const planOf = (program: () => unknown) => planProgram(program, { project: "shop", stack: "test" });

function configMap(name: string, data: pulumi.Inputs, opts?: pulumi.CustomResourceOptions) {
  return new kubernetes.core.v1.ConfigMap(name, { metadata: { name }, data }, opts);
}

function planned(plan: Plan, name: string) {
  const found = plan.resources.find(resource => resource.name === name);
  assert.ok(found, `${name} is not planned`);
  return found;
}

/** Adds a word to the data of every ConfigMap: the order of words is the order in which transforms ran. */
const saying =
  (word: string): pulumi.ResourceTransform =>
  ({ type, props, opts }) => {
    if (type !== "kubernetes:core/v1:ConfigMap") return undefined;
    const { data } = props as { data: { said: string } };
    return { props: { ...props, data: { ...data, said: `${data.said} ${word}` } }, opts };
  };

describe("resource transforms in a plan", () => {
  it("run from the resource outwards: its own, its ancestors', the stack's", async () => {
    const plan = await planOf(() => {
      pulumi.runtime.registerResourceTransform(saying("stack"));
      const outer = new pulumi.ComponentResource("shop:index:Outer", "outer", {}, { transforms: [saying("outer")] });
      const inner = new pulumi.ComponentResource(
        "shop:index:Inner",
        "inner",
        {},
        { parent: outer, transforms: [saying("inner")] },
      );
      configMap("said", { said: "own?" }, { parent: inner, transforms: [saying("own"), saying("again")] });
      configMap("outside", { said: "nothing" });
    });
    assert.deepEqual(planned(plan, "said").inputs.data, { said: "own? own again inner outer stack" });
    assert.deepEqual(planned(plan, "outside").inputs.data, { said: "nothing stack" });
  });

  it("change options, and what they leave alone stays", async () => {
    const plan = await planOf(() => {
      const first = configMap("first", { said: "1" });
      const protect: pulumi.ResourceTransform = ({ props, opts }) => ({
        props,
        opts: pulumi.mergeOptions(opts, { protect: true }),
      });
      configMap("second", { said: first.id }, { transforms: [protect], ignoreChanges: ["data"], retainOnDelete: true });
    });
    const { options, dependencies } = planned(plan, "second");
    assert.equal(options.protect, true);
    assert.equal(options.retainOnDelete, true);
    assert.deepEqual(options.ignoreChanges, ["data"]);
    assert.deepEqual(dependencies, [planned(plan, "first").urn]);
  });

  it("see secrets as outputs, and keep them secret", async () => {
    const plan = await planOf(() => {
      const look: pulumi.ResourceTransform = ({ props, opts }) => {
        const { data } = props as { data: pulumi.Output<Record<string, string>> };
        assert.ok(pulumi.Output.isInstance(data));
        return { props: { ...props, data: data.apply(known => ({ ...known, more: "plain" })) }, opts };
      };
      configMap("secret", pulumi.secret({ word: "correct horse" }), { transforms: [look] });
    });
    const { data } = planned(plan, "secret").inputs;
    assert.ok(data instanceof Secret);
    assert.deepEqual(data.reveal(), { word: "correct horse", more: "plain" });
  });

  it("that fail are told by their message", async () => {
    const fail: pulumi.ResourceTransform = () => {
      throw new Error("no ConfigMaps here");
    };
    await assert.rejects(
      planOf(() => void configMap("refused", {}, { transforms: [fail] })),
      (error: unknown) => error instanceof ProgramError && /no ConfigMaps here/.test(error.message),
    );
  });
});
