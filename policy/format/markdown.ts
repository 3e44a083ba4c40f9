import { type Check, type ConfigurationSchema, Group, isStackCheck } from "../check";

/** Between these lines stands what is made from the code. */
export const tableMarkers = {
  start: "<!-- prettier-ignore-start -->",
  end: "<!-- prettier-ignore-end -->",
} as const;

/** The reference of the policies: a section for each group, a table row for each policy. */
export function policyReference(checks: readonly Check[]): string {
  const sections = Object.values(Group).map(group => {
    const rows = checks.filter(check => check.group === group).map(rowOf);
    return [`### ${headingOf(group)}`, "", header, ...rows, ""].join("\n");
  });
  return sections.join("\n");
}

const header = [
  "| policy | level | what, and why | write | configuration |",
  "| ------ | ----- | ------------- | ----- | ------------- |",
].join("\n");

function headingOf(group: Group): string {
  return group.charAt(0).toUpperCase() + group.slice(1);
}

function rowOf(check: Check): string {
  const { id, description, why, fix } = check;
  const cells = [`\`${id}\``, levelOf(check), `${cell(description)} ${cell(why)}`, cell(fix), configurationOf(check)];
  return `| ${cells.join(" | ")} |`;
}

/** The level in production, and in development where that differs; what is judged at the end of a preview is marked. */
function levelOf(check: Check): string {
  const { level, development } = check;
  const levels = development?.level ? `${level}; ${development.level} in development` : level;
  return isStackCheck(check) ? `${levels} (program)` : levels;
}

function configurationOf({ configuration, development }: Check): string {
  const schema: ConfigurationSchema = configuration ?? {};
  const inDevelopment = (development?.configuration ?? {}) as Record<string, unknown>;
  return Object.entries(schema)
    .map(([property, { description, default: value }]) => {
      const other = property in inDevelopment ? `, ${JSON.stringify(inDevelopment[property])} in development` : "";
      return `\`${property}\` (${cell(JSON.stringify(value))}${other}): ${cell(description)}`;
    })
    .join(" ");
}

/** Text of a table's cell. */
function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("<", "&lt;");
}
