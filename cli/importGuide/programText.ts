import { wrapped } from "../terminal";
import { written } from "./code";
import type { Equivalent } from "./equivalent";

/** Columns of a comment. */
const commentWidth = 110;

/**
 * The program as TypeScript, with what changes and what is to be done as comments above it: the output of the command is a file that can be run.
 * @param summary one line about what was read
 */
export function programText(equivalent: Equivalent, summary: string): string {
  const { name, args, configuration, changes, notTakenOver } = equivalent;
  const comments = [
    ...paragraph(summary),
    "",
    "What changes, and why:",
    ...changes.flatMap(item),
    ...item("the data itself is not taken over: dump it from the old primary, and load it through the new one"),
    ...(notTakenOver.length > 0 ? ["", "Not taken over:", ...notTakenOver.flatMap(item)] : []),
    "",
    "Before `pulumi up`, in the folder of a Pulumi project (values of secrets are asked for, not shown):",
    "  npm install pulumi-tidesql @pulumi/pulumi",
    ...commandsOf(configuration),
  ];
  const usesConfiguration = configuration.length > 0;
  const lines = [
    ...comments.map(commented),
    ...(usesConfiguration ? ['import * as pulumi from "@pulumi/pulumi";'] : []),
    'import { Database } from "pulumi-tidesql";',
    "",
    ...(usesConfiguration ? ["const config = new pulumi.Config();", ""] : []),
    `const database = new Database(${JSON.stringify(name)}, ${written(args)});`,
    "",
    "export const primaryEndpoint = database.primaryEndpoint;",
    "export const replicaEndpoint = database.replicaEndpoint;",
    "export const caCertificate = database.caCertificate;",
  ];
  return `${lines.join("\n")}\n`;
}

/** The commands that set what the program reads from its configuration. */
export function commandsOf(configuration: Equivalent["configuration"]): string[] {
  return configuration.map(({ key, isSecret, note }) => {
    const command = isSecret ? `pulumi config set --secret ${key}` : `pulumi config set ${key} VALUE`;
    return `  ${command}  # ${note}`;
  });
}

/** Names come from files that somebody else wrote: nothing in them ends a comment. */
function commented(text: string): string {
  return `// ${text.replace(/[^\x20-\x7e]/g, "?")}`.trimEnd();
}

function paragraph(text: string): string[] {
  return wrapped(text, commentWidth);
}

function item(text: string): string[] {
  return wrapped(text, commentWidth - 4).map((line, index) => `${index === 0 ? "- " : "  "}${line}`);
}
