import { monthlyCost, monthlyDollars } from "../components/core/planning/cost";
import type { Usage } from "../components/core/planning/bucketUse";
import { creationTimesSource } from "../components/core/planning/creationTimes";
import { priceList } from "../components/core/planning/prices";
import { Status, type Verdict } from "../policy/judge";
import { criticalPath, describe } from "./planner/graph";
import type { Plan } from "./planner/plan";
import { masked } from "./planner/redaction";
import { secretsOf } from "./secretList";

/**
 * A plan for programs, as JSON: resources with type, name, parent, dependencies and inputs, what is secret, the longest chain, the monthly cost and the verdict of the policies. Secrets are
 * `[secret]`, also where one is part of a longer text; what only the update will know is `[unknown]`.
 */
export function planAsJson(plan: Plan, { findings, ...counts }: Verdict, usage: Partial<Usage> = {}): string {
  const path = criticalPath(plan);
  const cost = monthlyCost(plan.resources.map(describe), usage);
  const document = {
    project: plan.project,
    stack: plan.stack,
    resources: plan.resources.map(resource => ({
      urn: resource.urn,
      type: resource.type,
      name: resource.name,
      parent: resource.parent,
      custom: resource.custom,
      provider: resource.provider,
      dependencies: resource.dependencies,
      inputs: masked(resource.inputs, plan),
      outputs: masked(resource.outputs, plan),
      options: resource.options,
    })),
    outputs: masked(plan.outputs, plan),
    secrets: secretsOf(plan),
    longestChain: {
      minutes: path.minutes,
      minutesWithoutImage: path.minutesWithoutImage,
      source: creationTimesSource,
      steps: path.steps.map(({ resource, minutes }) => ({ urn: resource.urn, minutes: minutes ?? 0 })),
    },
    monthlyCost: {
      ...priceList,
      currency: "USD",
      fixedDollars: cost.fixedDollars,
      estimatedDollars: cost.estimatedDollars,
      usage: cost.usage,
      lines: cost.lines.map(line => ({ ...line, monthlyDollars: monthlyDollars(line) })),
    },
    policies: { ...counts, findings: findings.filter(({ status }) => status === Status.violation) },
    diagnostics: plan.diagnostics,
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
