import { engineMutations } from "./engine";
import { failoverMutations } from "./failover";
import { keepingMutations } from "./keeping";
import { logMutations } from "./log";
import { Mutation } from "./mutation";
import { shownMutations } from "./shown";

/** Every rule that can be taken out at one place: the simulation must notice each. */
export const mutations: readonly Mutation[] = [
  ...logMutations,
  ...engineMutations,
  ...shownMutations,
  ...keepingMutations,
  ...failoverMutations,
];

/** The mutation of a rule; undefined: all rules hold. */
export function mutationOf(rule: string | undefined): Mutation | undefined {
  return mutations.find(mutation => mutation.rule === rule);
}
