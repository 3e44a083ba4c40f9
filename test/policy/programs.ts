import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { runPolicy } from "../../cli/policy";

const sdk = (name: string) => JSON.stringify(require.resolve(name));

/**
 * Writes a project that runs another program for each of its stacks.
 * @param programs by the name of a stack; they have `pulumi` and `k8s`
 * @param files further ones, by their names
 */
export function writePrograms(
  directory: string,
  programs: Readonly<Record<string, string>>,
  files: Readonly<Record<string, string>>,
): void {
  const cases = Object.entries(programs).map(([name, text]) => `if (stack === "${name}") { ${text} }`);
  const all = {
    "Pulumi.yaml": "name: shop\nruntime: nodejs\n",
    "package.json": '{ "name": "shop", "main": "index.js" }',
    "index.js": `const pulumi = require(${sdk("@pulumi/pulumi")});\nconst k8s = require(${sdk("@pulumi/kubernetes")});\nconst stack = pulumi.getStack();\n${cases.join("\n")}\n`,
    ...Object.fromEntries(Object.keys(programs).map(name => [`Pulumi.${name}.yaml`, "config: {}\n"])),
    ...files,
  };
  for (const [name, text] of Object.entries(all)) writeFileSync(join(directory, name), text);
}

/** `tidesql policy` of one of its stacks. @returns the exit code, and all that it prints */
export async function judgePrograms(
  directory: string,
  stack: string,
  ...argv: string[]
): Promise<{ exit: number; out: string }> {
  let out = "";
  const terminal = { out: (text: string) => (out += text), error: (text: string) => (out += text), colour: false };
  const exit = await runPolicy(["--directory", directory, "--stack", stack, ...argv], terminal);
  return { exit, out };
}
