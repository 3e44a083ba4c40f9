import { creationTimesSource } from "../components/core/planning/creationTimes";
import { type CostLine, type CostReport, monthlyCost, monthlyDollars } from "../components/core/planning/cost";
import type { Usage } from "../components/core/planning/bucketUse";
import { priceList } from "../components/core/planning/prices";
import type { Verdict } from "../policy/judge";
import { groupedBy } from "./grouping";
import { type CriticalPath, criticalPath, describe } from "./planner/graph";
import type { Plan } from "./planner/plan";
import { stackType } from "./planner/registration";
import { policyLines, policyTitle } from "./policyLines";
import { secretsOf } from "./secretList";
import { alignedRows, fitting, shortened, type Terminal, wrapped } from "./terminal";
import { readableType, treeLines } from "./tree";

/** A plan for people: the tree, what is secret, what decides the time, what it costs, what the policies say of it, and a last line that says all of it in brief. */
export function reportOf(
  plan: Plan,
  verdict: Verdict,
  terminal: Terminal,
  elapsedMilliseconds: number,
  usage: Partial<Usage> = {},
): string {
  const path = criticalPath(plan);
  const cost = monthlyCost(plan.resources.map(describe), usage);
  const sections = [
    section(`${plan.project}, stack ${plan.stack}: ${counted(plan)}`, treeLines(plan, terminal), terminal),
    section("Secret", secretLines(plan, terminal), terminal),
    section(pathTitle(path.minutes), pathLines(path, terminal), terminal),
    section(costTitle(cost), costLines(cost, terminal), terminal),
    section(policyTitle(verdict), policyLines(verdict, plan.stack, terminal), terminal),
    section("Warnings", warningLines(plan, terminal), terminal),
  ];
  const seconds = (elapsedMilliseconds / 1000).toFixed(1);
  const money = cost.lines.length > 0 ? `, ${costSummary(cost)} a month` : "";
  const time = path.minutes > 0 ? `, about ${Math.round(path.minutes)} minutes to create` : "";
  const summary = `Planned ${plural(resourceCount(plan), "resource")} in ${seconds} s${time}${money}. Nothing was created.`;
  return plan.redact([...sections.filter(text => text !== ""), terminal.strong(summary)].join("\n\n")) + "\n";
}

/** In tables. Names hold hashes here and there; the columns after them matter more than those. */
const longestName = 40;

function section(title: string, lines: readonly string[], terminal: Terminal): string {
  return lines.length === 0 ? "" : [terminal.heading(title), ...lines].join("\n");
}

function resourceCount(plan: Plan): number {
  return plan.resources.filter(({ type }) => type !== stackType).length;
}

/** How many components there are, and how many resources of each provider. */
function counted(plan: Plan): string {
  const components = plan.resources.filter(({ custom, type }) => !custom && type !== stackType).length;
  const byProvider = groupedBy(
    plan.resources.filter(({ custom }) => custom),
    ({ type }) => (type.startsWith("pulumi:providers:") ? "provider" : type.split(":")[0]),
  );
  const counts = byProvider.map(([provider, { length }]) =>
    provider === "provider" ? plural(length, "provider") : `${length} of ${provider}`,
  );
  return [plural(components, "component"), ...counts].join(", ");
}

function secretLines(plan: Plan, terminal: Terminal): string[] {
  const rows = secretsOf(plan).map(({ name, type, paths }) => ({
    cells: [shortened(name, longestName), type === stackType ? "output of the stack" : readableType(type)],
    paths,
  }));
  const aligned = alignedRows(
    rows.map(({ cells }) => cells),
    [{ align: "left" }, { align: "left" }],
  );
  return aligned.map(([name = "", type = ""], index) => {
    const start = `  ${name}  ${type}  `;
    return `  ${name}  ${terminal.faint(type)}  ${fitting(rows[index]?.paths ?? [], terminal.width - start.length)}`;
  });
}

function pathTitle(minutes: number): string {
  return `Longest chain of creations: ${minutes.toFixed(1)} minutes`;
}

function pathLines({ steps, minutesWithoutImage }: CriticalPath, terminal: Terminal): string[] {
  const counted = steps.filter(({ minutes }) => minutes !== undefined);
  if (counted.length === 0) return [];
  const rows = counted.map(({ resource, minutes }, index) => [
    `${index + 1}.`,
    `${(minutes ?? 0).toFixed(1)} min`,
    shortened(resource.name, longestName),
    readableType(resource.type),
  ]);
  const aligned = alignedRows(rows, [{ align: "right" }, { align: "right" }, { align: "left" }, { align: "left" }]);
  const others = steps.length - counted.length;
  const shorter =
    minutesWithoutImage === undefined
      ? ""
      : `With an image that is built already it takes ${minutesWithoutImage.toFixed(1)} minutes. `;
  const note = `${shorter}What takes seconds is not counted (${plural(others, "step")} of this chain). Figures: ${creationTimesSource}.`;
  return [
    ...aligned.map(([number = "", minutes = "", name = "", type = ""]) => {
      const start = `  ${number}  ${minutes}  ${name}  `;
      return start + terminal.faint(shortened(type.trimEnd(), terminal.width - start.length));
    }),
    ...wrapped(note, terminal.width - 2).map(line => terminal.faint(`  ${line}`)),
  ];
}

function costTitle(cost: CostReport): string {
  return `Monthly cost: ${costSummary(cost)} (prices of ${priceList.region}, ${priceList.month}, on demand, before tax)`;
}

function costSummary({ fixedDollars, estimatedDollars }: CostReport): string {
  const fixed = `$${fixedDollars.toFixed(0)}`;
  return estimatedDollars > 0 ? `${fixed} and about $${estimatedDollars.toFixed(0)} by use` : fixed;
}

function costLines(cost: CostReport, terminal: Terminal): string[] {
  if (cost.lines.length === 0) return [];
  const rows = cost.lines.map(line => [line.what, amount(line), each(line), dollars(line)]);
  const total = ["Total", "", "", (cost.fixedDollars + cost.estimatedDollars).toFixed(2)];
  const columns = [{ align: "left" }, { align: "right" }, { align: "right" }, { align: "right" }] as const;
  const aligned = alignedRows([...rows, total], columns);
  const lines = aligned.map((cells, index) => {
    const line = cost.lines[index];
    const text = `  ${cells.join("  ")}`;
    if (line === undefined) return terminal.strong(text);
    return line.isEstimate ? text + terminal.faint("  by use") : text;
  });
  const notes = ["Not counted: logs, traffic between zones and out of AWS, images in ECR."];
  if (cost.estimatedDollars > 0) notes.unshift(usageNote(cost.usage));
  return [
    ...lines,
    ...notes.flatMap(note => wrapped(note, terminal.width - 2).map(line => terminal.faint(`  ${line}`))),
  ];
}

function usageNote({ rowsPerSecond, rowBytes, storedGigabytes }: Usage): string {
  return `By use: ${rowsPerSecond} rows of ${rowBytes} bytes a second, ${storedGigabytes} GB of data (--rows-per-second, --row-bytes, --stored-gb).`;
}

function amount({ quantity, unit }: CostLine): string {
  const number = quantity >= 10 || Number.isInteger(quantity) ? quantity.toFixed(0) : quantity.toFixed(1);
  return unit === undefined ? number : `${number} ${unit}`;
}

function each({ dollarsEach, unit }: CostLine): string {
  if (dollarsEach === undefined) return "";
  return `${dollarsEach >= 1 ? dollarsEach.toFixed(2) : String(Number(dollarsEach.toPrecision(4)))}${unit === undefined ? " each" : ` /${unit}`}`;
}

function dollars(line: CostLine): string {
  return line.dollarsEach === undefined ? "no price known" : monthlyDollars(line).toFixed(2);
}

function warningLines(plan: Plan, terminal: Terminal): string[] {
  const relevant = plan.diagnostics.filter(({ severity }) => severity !== "info");
  return relevant.flatMap(({ message }) =>
    wrapped(message, terminal.width - 4).map((line, index) => terminal.warning(`  ${index === 0 ? "-" : " "} ${line}`)),
  );
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
