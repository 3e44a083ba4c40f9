import { InputProblem } from "./inputProblem";
import { printable } from "./printable";

/** AWS takes 50 tags on a resource; this package, EKS and the load balancer controller add some of their own. */
const mostTags = 40;
const longestKey = 128;
const longestValue = 256;

/** What every AWS service takes in a tag ("Tag naming limits and requirements" in the AWS documentation). */
const takenCharacters = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;
const rule = "write letters, digits, spaces and _ . : / = + - @";

/** What is wrong with the tags of AWS resources. Paths begin with `tags`. */
export function validateAwsTags(tags: Record<string, string> = {}): InputProblem[] {
  const entries = Object.entries(tags);
  const tooMany = `has ${entries.length} tags: AWS takes 50 on a resource, some of which are not yours; give at most ${mostTags}`;
  return [
    ...(entries.length > mostTags ? [{ propertyPath: "tags", reason: tooMany }] : []),
    ...entries.flatMap(([key, value]) => {
      const reason = keyProblem(key) ?? valueProblem(value);
      return reason === undefined ? [] : [{ propertyPath: `tags.${printable(key)}`, reason }];
    }),
  ];
}

function keyProblem(key: string): string | undefined {
  if (key === "") return "is a tag without a name: give it one, or leave it out";
  if (/^aws:/i.test(key)) return 'begins with "aws:", which is for AWS alone: choose another name';
  if (key.length > longestKey) return `has a name of ${key.length} characters: AWS takes ${longestKey}`;
  return takenCharacters.test(key) ? undefined : `has a name that AWS refuses: ${rule}`;
}

function valueProblem(value: string): string | undefined {
  if (value.length > longestValue) return `has ${value.length} characters: AWS takes ${longestValue}`;
  return takenCharacters.test(value) ? undefined : `"${printable(value)}" is refused by AWS: ${rule}`;
}
