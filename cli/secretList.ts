import type { Plan } from "./planner/plan";
import { stackType } from "./planner/registration";
import { Secret, secretPaths } from "./planner/values";

/** The secrets of one resource. */
export interface SecretEntry {
  urn: string;
  /** Name of the resource; of the stack's outputs, the output's. */
  name: string;
  type: string;
  /** Inputs and outputs that Pulumi encrypts in its state. */
  paths: string[];
}

/** What is secret in a plan: custom resources with the inputs and outputs that Pulumi encrypts, and the stack's secret outputs. */
export function secretsOf(plan: Plan): SecretEntry[] {
  return plan.resources.flatMap(({ urn, name, type, custom, inputs, outputs }): SecretEntry[] => {
    if (type === stackType) {
      return secretPaths(outputs).map(path => ({ urn, name: path, type, paths: [] }));
    }
    if (!custom) return [];
    const computed = Object.entries(outputs).filter(([key, value]) => !(key in inputs) && value instanceof Secret);
    const paths = [...secretPaths(inputs), ...computed.map(([key]) => key)];
    return paths.length > 0 ? [{ urn, name, type, paths }] : [];
  });
}
