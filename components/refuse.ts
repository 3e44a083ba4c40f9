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
  throw new pulumi.InputPropertiesError({
    message: `${component} has invalid arguments:\n${lines.join("\n")}`,
    errors: problems.filter((problem, index) => problems.findIndex(other => line(other) === line(problem)) === index),
  });
}

const line = ({ propertyPath, reason }: InputProblem) => `  ${propertyPath}: ${reason}`;
