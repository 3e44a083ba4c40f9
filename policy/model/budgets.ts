import { type Field } from "./field";
import { ofKind, podTemplate, sameNamespace, selects } from "./kubernetes";
import { numberOf } from "./podCount";
import { type Stack } from "./stack";

/** The budgets that select a workload's pods. */
export function budgetsOf(workload: Field, stack: Stack): Field[] {
  const labels = podTemplate(workload).at("metadata", "labels");
  return stack.where(ofKind("PodDisruptionBudget")).filter(budget => {
    const selector = budget.at("spec", "selector");
    // An empty selector selects every pod of the namespace, in the old version none.
    const whenEmpty = selector.isPresent && !/\/v1beta1:/.test(budget.resource.type);
    return sameNamespace(budget, workload) && selects(selector, labels, whenEmpty);
  });
}

/** Why a budget never lets a pod go; undefined when it does. `pods` is how many there are. */
export function blockedBy(budget: Field, pods: number): Field | undefined {
  const unavailable = budget.at("spec", "maxUnavailable");
  const available = budget.at("spec", "minAvailable");
  if (unavailable.isPresent) return numberOf(unavailable.text, pods) < 1 ? unavailable : undefined;
  return available.isPresent && pods - numberOf(available.text, pods) < 1 ? available : undefined;
}

/** Whether a budget lets all pods go at once: by its bound, or since it has none. */
export function allowsAll(budget: Field, pods: number): boolean {
  const unavailable = budget.at("spec", "maxUnavailable");
  if (unavailable.isPresent) return numberOf(unavailable.text, pods) >= pods;
  return numberOf(budget.at("spec", "minAvailable").text ?? "0", pods) < 1;
}
