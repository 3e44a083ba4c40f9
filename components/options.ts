import * as pulumi from "@pulumi/pulumi";
import { InputProblem, under } from "./core/inputProblem";
import { refuseInvalid } from "./refuse";

/**
 * A component's options as they are given, for the line in which they are first used. The SDK checks parents and dependencies by itself, and takes any value for a provider.
 * @param component as in other refusals: `Database "orders"`
 * @throws pulumi.InputPropertiesError for options that are no object, and for providers that are none
 */
export function checkedOptions<T extends pulumi.ComponentResourceOptions>(component: string, opts: T): T {
  refuseInvalid(component, under("opts", optionProblems(opts)));
  return opts;
}

function optionProblems(opts: unknown): InputProblem[] {
  const wayOut = "write an object, like { provider }, or leave it out";
  if (typeof opts !== "object" || opts === null || Array.isArray(opts) || pulumi.Resource.isInstance(opts)) {
    const reason = pulumi.Resource.isInstance(opts)
      ? `is a resource: write { parent: ... } or { provider: ... }`
      : `is not an object: ${wayOut}`;
    return [{ propertyPath: "", reason }];
  }
  const { provider, providers } = opts as Record<string, unknown>;
  const list = typeof providers === "object" && providers !== null ? Object.entries(providers) : [];
  const problems = list.map(([key, value]) => providerProblem(`providers.${key}`, value));
  if (providers !== undefined && providers !== null && typeof providers !== "object")
    problems.push({
      propertyPath: "providers",
      reason: "is not a list: write a list of providers, or an object of them by package",
    });
  if (provider !== undefined && provider !== null) problems.push(providerProblem("provider", provider));
  return problems.filter(problem => problem !== undefined);
}

function providerProblem(propertyPath: string, value: unknown): InputProblem | undefined {
  if (pulumi.ProviderResource.isInstance(value)) return undefined;
  return {
    propertyPath,
    reason: 'is not a provider: make one, like new k8s.Provider("cluster", { kubeconfig }), and give that',
  };
}
