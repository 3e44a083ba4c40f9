import { inspect } from "node:util";
import * as pulumi from "@pulumi/pulumi";
import { InputProblem } from "./core/inputProblem";

/**
 * Throws when there is any problem, naming every property and its way out. Call it before `super()` has registered children:
 * a component that is refused leaves nothing behind.
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
  throw Object.assign(refused, refusal(refused.message));
}

/**
 * An error of which Pulumi shows the message alone. It colours the stack even so, and Node.js takes half a minute and a gigabyte for one whose paths begin with `node_modules`:
 * this one is its message for anyone who inspects it.
 */
export function refusal(message: string): pulumi.RunError {
  return Object.assign(new pulumi.RunError(message), { [inspect.custom]: () => message });
}

const line = ({ propertyPath, reason }: InputProblem) => `  ${propertyPath}: ${reason}`;
