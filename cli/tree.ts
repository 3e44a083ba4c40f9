import { groupedBy } from "./grouping";
import type { Plan, PlannedResource } from "./planner/plan";
import { stackType } from "./planner/registration";
import { fitting, type Terminal } from "./terminal";

/** A type token as people read it: `aws ec2 Vpc`, `kubernetes StatefulSet`, `random RandomPassword`. */
export function readableType(type: string): string {
  const [provider = "", module = "", name = ""] = type.split(":");
  if (provider === "pulumi" && module === "providers") return `provider ${name}`;
  const kind = name.toLowerCase();
  const part = module.toLowerCase().endsWith(`/${kind}`) ? module.slice(0, -kind.length - 1) : module;
  // A kind tells more than its API group, and the groups are long.
  const isClear = part === "index" || part === "" || provider === "kubernetes";
  return isClear ? `${provider} ${name}` : `${provider} ${part} ${name}`;
}

/** The tree of a plan's resources: components with what they hold, resources of one type on one line. The name of a component is not repeated in its children's. */
export function treeLines(plan: Plan, terminal: Terminal): string[] {
  const children = new Map(groupedBy(plan.resources, ({ parent }) => parent ?? ""));
  const root = plan.resources.find(({ type }) => type === stackType);
  return root ? branchLines(children.get(root.urn) ?? [], children, "", "  ", terminal) : [];
}

/** What hangs below one resource: its leaves by type first, then what has something below itself. */
function branchLines(
  resources: readonly PlannedResource[],
  children: ReadonlyMap<string, PlannedResource[]>,
  parentName: string,
  indent: string,
  terminal: Terminal,
): string[] {
  const isLeaf = (resource: PlannedResource) => resource.custom && !children.has(resource.urn);
  const groups = groupedBy(resources.filter(isLeaf), ({ type }) => readableType(type));
  const branches = resources.filter(resource => !isLeaf(resource));
  const typeWidth = Math.max(0, ...groups.map(([type]) => type.length));
  const countWidth = Math.max(0, ...groups.map(([, members]) => countOf(members).length));
  const lines = groups.map(([type, members], index) => {
    const isLast = index === groups.length - 1 && branches.length === 0;
    const start = `${indent}${isLast ? "└─" : "├─"} ${type.padEnd(typeWidth)}  ${countOf(members).padStart(countWidth)}`;
    const names = members.map(
      ({ name, options }) => ownName(name, parentName) + (options.protect ? " (protected)" : ""),
    );
    const gap = countWidth > 0 ? "  " : "";
    return terminal.faint(start) + gap + fitting(names, terminal.width - start.length - gap.length);
  });
  branches.forEach((branch, index) => {
    const isLast = index === branches.length - 1;
    const below = children.get(branch.urn) ?? [];
    const count = below.length === 0 ? "" : ` (${descendants(branch, children)})`;
    const head = `${terminal.faint(`${indent}${isLast ? "└─" : "├─"} `)}${terminal.strong(branch.name)}`;
    lines.push(`${head}  ${terminal.faint(readableType(branch.type) + count)}`);
    lines.push(...branchLines(below, children, branch.name, `${indent}${isLast ? "   " : "│  "}`, terminal));
  });
  return lines;
}

/** `-vpc` for what is named after the component above it, as children are: the rest can be read there. */
function ownName(name: string, parentName: string): string {
  return parentName !== "" && name.startsWith(`${parentName}-`) ? name.slice(parentName.length) : name;
}

function countOf(members: readonly PlannedResource[]): string {
  return members.length === 1 ? "" : `${members.length} ×`;
}

function descendants(resource: PlannedResource, children: ReadonlyMap<string, PlannedResource[]>): number {
  const below = children.get(resource.urn) ?? [];
  return below.reduce((count, child) => count + 1 + descendants(child, children), 0);
}
