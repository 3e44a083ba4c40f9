/** What `tidesql plan --json` prints, as far as plans are compared. */
export interface PlanDocument {
  stack: string;
  resources: { urn: string; type: string; name: string; inputs: Record<string, unknown> }[];
  longestChain: { minutes: number };
  monthlyCost: {
    fixedDollars: number;
    estimatedDollars: number;
    lines: { what: string; monthlyDollars: number }[];
  };
  policies: {
    mandatory: number;
    advisory: number;
    findings: { policy: string; level: string; resourceName: string }[];
  };
}

/** What differs between two plans of one stack. */
export interface PlanDifference {
  /** Resources that only the later plan has. */
  added: Named[];
  /** Resources that only the earlier plan has. */
  removed: Named[];
  /** Resources that both have with different inputs. */
  changed: (Named & { inputs: string[] })[];
  /** Lines of the monthly bill that differ. US dollars. */
  cost: { what: string; before: number; after: number }[];
}

interface Named {
  type: string;
  name: string;
}

/** Compares two plans. What each plan makes again, like certificates and ids, counts as the same. */
export function planDifference(before: PlanDocument, after: PlanDocument): PlanDifference {
  const earlier = new Map(before.resources.map(resource => [resource.urn, resource]));
  const later = new Map(after.resources.map(resource => [resource.urn, resource]));
  const named = ({ type, name }: Named): Named => ({ type, name });
  const changed = after.resources.flatMap(resource => {
    const old = earlier.get(resource.urn);
    const inputs = old === undefined ? [] : changedInputs(old.inputs, resource.inputs);
    return inputs.length === 0 ? [] : [{ ...named(resource), inputs }];
  });
  return {
    added: after.resources.filter(({ urn }) => !earlier.has(urn)).map(named),
    removed: before.resources.filter(({ urn }) => !later.has(urn)).map(named),
    changed,
    cost: changedCost(before, after),
  };
}

function changedInputs(before: Record<string, unknown>, after: Record<string, unknown>): string[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].filter(key => comparable(before[key]) !== comparable(after[key]));
}

/** Text in which what every plan makes again is left out: keys and certificates, ids, times. */
function comparable(value: unknown): string {
  return (JSON.stringify(value) ?? "")
    .replaceAll(/-----BEGIN ([A-Z ]+)-----.*?-----END \1-----/g, "$1")
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "id")
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, "time");
}

function changedCost(
  { monthlyCost: before }: PlanDocument,
  { monthlyCost: after }: PlanDocument,
): PlanDifference["cost"] {
  const dollars = (lines: PlanDocument["monthlyCost"]["lines"]) =>
    new Map(lines.map(({ what, monthlyDollars }) => [what, monthlyDollars]));
  const [earlier, later] = [dollars(before.lines), dollars(after.lines)];
  return [...new Set([...earlier.keys(), ...later.keys()])]
    .map(what => ({ what, before: earlier.get(what) ?? 0, after: later.get(what) ?? 0 }))
    .filter(line => line.before.toFixed(2) !== line.after.toFixed(2));
}
