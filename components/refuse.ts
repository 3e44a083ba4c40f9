import * as pulumi from "@pulumi/pulumi";
import { InputProblem } from "./core/inputProblem";

/**
 * Throws when there is any problem, naming every property and its way out. Call it before `super()` has registered children:
 * a component that is refused leaves nothing behind.
 * Pulumi shows the message alone, as it does for a RunError. Of other errors it shows the stack, and Node.js takes minutes and gigabytes to colour one whose paths begin with `node_modules`.
 * @throws pulumi.InputPropertiesError
 */
export function refuseInvalid(component: string, problems: InputProblem[]): void {
  if (problems.length === 0) return;
  // Two parts may have the same to say about an argument that both take.
  const lines = [...new Set(problems.map(line))];
  const refused = new pulumi.InputPropertiesError({
    message: `${component} has invalid arguments:\n${lines.join("\n")}`,
    errors: problems.filter((problem, index) => problems.findIndex(other => line(other) === line(problem)) === index),
  });
  throw Object.assign(refused, new pulumi.RunError());
}

const line = ({ propertyPath, reason }: InputProblem) => `  ${propertyPath}: ${reason}`;
