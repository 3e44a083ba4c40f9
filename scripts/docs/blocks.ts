import { readFileSync } from "node:fs";
import path from "node:path";
import { format } from "prettier";
import { mermaidOf } from "../../cli/mermaid";
import { planStack } from "../../cli/planner/planStack";
import { reportOf } from "../../cli/report";
import { terminalOf } from "../../cli/terminal";
import { verdictOn } from "../../cli/verdict";

import { costVariants } from "./costVariants";

/** The repository's root. */
export const root = path.join(__dirname, "../..");

/** A part of a page that a program makes, between `<!-- name -->` and `<!-- /name -->`. */
export interface Block {
  name: string;
  /** Page, from the root. */
  page: string;
  content: string;
}

/** What `npm start` takes on two cores (`npm run benchmark`): the page is not to change with the load of the machine that made it. */
const usualMilliseconds = 1900;

/** All blocks as they are to be now. */
export async function makeBlocks(): Promise<Block[]> {
  const plan = await planStack({ directory: root, stack: "prod" });
  const report = reportOf(plan, verdictOn(plan, { directory: root }), terminalOf({ columns: 100 }), usualMilliseconds);
  return [
    { name: "summary of prod", page: "README.md", content: fenced("", summaryOf(report)) },
    { name: "plan of prod", page: "docs/plan.md", content: fenced("", report) },
    { name: "cost of variants", page: "docs/cost.md", content: await aligned(await costVariants()) },
    { name: "graph of prod", page: "docs/architecture.md", content: fenced("mermaid", mermaidOf(plan)) },
  ];
}

/** Of a report: the components, the heading of each part, and the last line. */
function summaryOf(report: string): string {
  const lines = report.trimEnd().split("\n");
  const kept = lines.filter(line => /^\S/.test(line) || /[├└]─ \S+ +tidesql /.test(line));
  return kept.filter(line => line !== "Secret").join("\n");
}

/** The page with its block replaced. */
export function withBlock(text: string, { name, page, content }: Block): string {
  const [before, rest] = text.split(`<!-- ${name} -->`);
  const after = rest?.split(`<!-- /${name} -->`)[1];
  if (before === undefined || after === undefined) throw new Error(`${page} has no place for the ${name}`);
  return `${before}<!-- ${name} -->\n\n${content}\n\n<!-- /${name} -->${after}`;
}

/** The text of a page. */
export function readPage(page: string): string {
  return readFileSync(path.join(root, page), "utf8");
}

/** Without blanks at the ends of lines, which a formatter would take away. */
function fenced(language: string, text: string): string {
  return `\`\`\`${language}\n${text.trimEnd().replaceAll(/ +$/gm, "")}\n\`\`\``;
}

/** A table as the formatter leaves it. */
async function aligned(table: string): Promise<string> {
  return (await format(table, { parser: "markdown" })).trimEnd();
}
