import { judge, type JudgeOptions, type Verdict } from "../policy/judge";
import { type RawResource } from "../policy/model/resource";
import type { Plan } from "./planner/plan";
import { recordToWire } from "./planner/values";

/** What the policies say of a planned program: the same as `pulumi preview --policy-pack policy` would, without a cloud. */
export function judgePlan(plan: Plan, options: JudgeOptions): Verdict {
  const verdict = judge(programOf(plan), options);
  const findings = verdict.findings.map(finding => ({ ...finding, message: plan.redact(finding.message) }));
  return { ...verdict, findings };
}

/** The resources of a plan as the policies see them, components and the stack itself included. */
export function programOf(plan: Plan): RawResource[] {
  return plan.resources.map(({ type, name, urn, parent, inputs, dependencies }) => ({
    type,
    name,
    urn,
    parent,
    inputs: recordToWire(inputs),
    dependencies,
  }));
}
