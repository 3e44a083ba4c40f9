import { judge, type JudgeOptions, type Verdict } from "../policy/judge";
import { type RawResource } from "../policy/model/resource";
import type { Plan, SourcePlace } from "./planner/plan";
import { recordToWire } from "./planner/values";

/** What the policies say of a planned program: the same as `pulumi preview --policy-pack policy` would, without a cloud. */
export function judgePlan(plan: Plan, options: JudgeOptions): Verdict {
  const verdict = judge(programOf(plan), options);
  const resources = new Map(plan.resources.map(resource => [resource.urn, resource]));
  // What a component makes has the component's place where it has none of its own.
  const placeIn = (urn: string, keys: (string | number)[]): SourcePlace | undefined => {
    const resource = resources.get(urn);
    const own = resource?.placeOf?.(keys);
    return own ?? (resource?.parent === undefined ? undefined : placeIn(resource.parent, keys));
  };
  const findings = verdict.findings.map(finding => {
    const place = placeIn(finding.urn, keysOf(finding.path));
    return { ...finding, message: plan.redact(finding.message), ...(place && { place }) };
  });
  const notJudged = plan.unseen.map(({ urn, name, type, reason }) => ({
    urn,
    resourceName: name,
    resourceType: type,
    reason,
  }));
  return { ...verdict, findings, notJudged };
}

/** `spec.ports[0]["a.b"]` as its keys. */
function keysOf(path: string): (string | number)[] {
  return [...path.matchAll(/\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]|([^.[\]]+)/g)].map(([, index, quoted, plain]) => {
    if (index !== undefined) return Number(index);
    return quoted === undefined ? plain! : (JSON.parse(quoted) as string);
  });
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
