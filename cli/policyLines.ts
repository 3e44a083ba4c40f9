import { type JudgedFinding, Status, type Verdict } from "../policy/judge";
import { groupedBy } from "./grouping";
import { alignedRows, fitting, type Terminal } from "./terminal";

/** A verdict in brief, for the end of a plan: how many policies are broken, which, and by what. */
export function policyTitle({ policies, mandatory, advisory }: Verdict): string {
  return `Policies: ${policies} asked, ${counted(mandatory, "mandatory violation")}, ${counted(advisory, "advisory violation")}`;
}

/** One line for each policy that is broken, and where more is to be read. */
export function policyLines({ findings, notYetKnown }: Verdict, stack: string, terminal: Terminal): string[] {
  const violations = findings.filter(({ status }) => status === Status.violation);
  const groups = groupedBy(violations, ({ policy }) => policy).sort(([, a], [, b]) => rank(a) - rank(b));
  const aligned = alignedRows(
    groups.map(([policy, [first]]) => [first?.level ?? "", policy]),
    [{ align: "left" }, { align: "left" }],
  );
  const broken = aligned.map(([level = "", policy = ""], index) => {
    const names = (groups[index]?.[1] ?? []).map(({ resourceName }) => resourceName);
    const start = `  ${level}  ${policy}  `;
    return `  ${terminal.warning(level)}  ${policy}  ${terminal.faint(fitting([...new Set(names)], terminal.width - start.length))}`;
  });
  const open =
    notYetKnown > 0 ? [`Left to the update, which knows more values: ${counted(notYetKnown, "judgement")}`] : [];
  const notes = [...open, `Reasons and remedies: tidesql policy --stack ${stack}`];
  return [...broken, ...notes.map(note => terminal.faint(`  ${note}`))];
}

/** What refuses a deployment comes first. */
function rank([first]: JudgedFinding[]): number {
  return first?.level === "advisory" ? 1 : 0;
}

function counted(count: number, noun: string): string {
  return `${count === 0 ? "no" : count} ${noun}${count > 1 ? "s" : ""}`;
}
