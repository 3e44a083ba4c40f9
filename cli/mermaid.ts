import { groupedBy } from "./grouping";
import type { Plan, PlannedResource } from "./planner/plan";
import { stackType } from "./planner/registration";
import { readableType } from "./tree";

/** What one component makes with one service: a box of the diagram. */
interface Box {
  id: string;
  resources: PlannedResource[];
}

/**
 * A plan as a diagram in Mermaid's language, which GitHub shows as a picture: a frame for each component, a box in it for each service that it uses, and an arrow from each box to what waits for
 * it. Arrows that follow from others are left out.
 */
export function mermaidOf(plan: Plan): string {
  const byUrn = new Map(plan.resources.map(resource => [resource.urn, resource]));
  const custom = plan.resources.filter(resource => resource.custom);
  const frames = groupedBy(custom, ({ parent }) => parent ?? "");
  const boxOf = new Map<string, Box>();
  const lines = frames.flatMap(([parent, resources], frame) => {
    const boxes = groupedBy(resources, ({ type }) => service(type)).map(([, members], index): Box => {
      const box = { id: `b${frame}_${index}`, resources: members };
      for (const { urn } of members) boxOf.set(urn, box);
      return box;
    });
    return [`  subgraph f${frame}["${title(byUrn.get(parent))}"]`, ...boxes.map(box => `    ${label(box)}`), "  end"];
  });
  const waits = new Map<Box, Set<Box>>();
  for (const { urn, dependencies, provider } of custom) {
    const waiting = boxOf.get(urn)!;
    for (const needed of [...dependencies, provider ?? ""].map(other => boxOf.get(other))) {
      if (needed !== undefined && needed !== waiting) addTo(waits, needed, waiting);
    }
  }
  const arrows = [...waits].flatMap(([needed, waiting]) =>
    [...waiting]
      .filter(other => !isReachedOtherwise(waits, needed, other))
      .map(other => `  ${needed.id} --> ${other.id}`),
  );
  return ["flowchart LR", ...lines, ...arrows.sort(), ""].join("\n");
}

function title(component: PlannedResource | undefined): string {
  if (component === undefined || component.type === stackType) return "stack";
  return `${component.type.split(":").at(-1)} ${component.name}`;
}

/** `aws ec2`, `kubernetes`, `random`: one party that has to answer. */
function service(type: string): string {
  const [provider = "", module = ""] = type.split(":");
  return provider === "aws" ? `aws ${module.split("/")[0]}` : provider === "pulumi" ? "provider" : provider;
}

function label({ id, resources }: Box): string {
  const kinds = groupedBy(resources, ({ type }) => readableType(type).split(" ").at(-1) ?? type);
  const names = kinds.map(([kind, { length }]) => (length === 1 ? kind : `${length} ${kind}`));
  return `${id}["<b>${service(resources[0]?.type ?? "")}</b><br/>${names.join("<br/>")}"]`;
}

function addTo(waits: Map<Box, Set<Box>>, needed: Box, waiting: Box): void {
  const known = waits.get(needed);
  if (known) known.add(waiting);
  else waits.set(needed, new Set([waiting]));
}

/** Whether there is a longer way between two boxes, one that does not come back to where it started. */
function isReachedOtherwise(waits: ReadonlyMap<Box, Set<Box>>, from: Box, to: Box): boolean {
  const seen = new Set([from]);
  const pending = [...(waits.get(from) ?? [])].filter(box => box !== to);
  for (let box = pending.pop(); box; box = pending.pop()) {
    if (box === to) return true;
    if (seen.has(box)) continue;
    seen.add(box);
    pending.push(...(waits.get(box) ?? []));
  }
  return false;
}
