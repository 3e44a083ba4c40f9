import { InputProblem } from "./inputProblem";
import { printable } from "./printable";

/**
 * What is wrong with a number that has to be within bounds; that it is whole is the schema's to say.
 * @param what the number counts, and in which unit
 */
export function wholeNumber(
  propertyPath: string,
  value: number | undefined,
  least: number,
  most: number,
  what = "",
): InputProblem[] {
  if (value === undefined || (value >= least && value <= most)) return [];
  return [
    { propertyPath, reason: `is ${value}: write a whole number from ${least} to ${most}${what && ` (${what})`}` },
  ];
}

/** What is wrong with a text that has to be one of a few. */
export function oneOf(
  propertyPath: string,
  value: string | undefined,
  choices: Record<string, string>,
): InputProblem[] {
  const values = Object.values(choices);
  if (value === undefined || values.includes(value)) return [];
  return [
    {
      propertyPath,
      reason: `is "${printable(value)}": choose among ${values.map(choice => `"${choice}"`).join(", ")}`,
    },
  ];
}
