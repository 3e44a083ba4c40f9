import { decoded } from "../credentials/encoding";
import { type Field } from "./field";
import { ofKind } from "./kubernetes";
import { isRecord, isSecret, notYetKnown } from "./resource";
import { type Stack } from "./stack";

/** Shortest secret that is searched for elsewhere: shorter ones occur by chance. */
const shortestSearchedSecret = 8;

/** Entries of a Secret that are no secret by themselves: certificates, names, addresses. */
const publicEntry =
  /(?:user|user_?name|name|host|port|endpoint|region|bucket|database|_db|schema|prefix|url|crt|cert|certificate|public_?key|id)$/i;

/** Looks for the program's secrets in a text: gives the name of the resource that holds the first one found. A text that many resources have is searched once. */
export function secretSearch(stack: Stack): (text: string) => string | undefined {
  const secrets = [...stack.once(secretTexts)];
  const answers = new Map<string, string | undefined>();
  return text => {
    if (!answers.has(text)) answers.set(text, secrets.find(([secret]) => text.includes(secret))?.[1]);
    return answers.get(text);
  };
}

/** The texts that some resource holds as a secret, with the name of that resource. */
export function secretTexts(stack: Stack): Map<string, string> {
  const found = new Map<string, string>();
  // What an object of the program is called is not a secret, even where it is stored as one.
  const names = new Set(stack.resources.flatMap(({ resource: { inputs } }) => nameIn(inputs) ?? []));
  for (const top of stack.resources) {
    if (!top.resource.secretPaths.length) continue;
    for (const field of top.texts()) {
      const text = field.text ?? "";
      if (text.length < shortestSearchedSecret || publicEntry.test(field.key)) continue;
      if (!isSecret(top.resource, field.path) || names.has(text)) continue;
      found.set(text, top.resource.name);
      const inTheClear = ofKind("Secret")(top.resource.type) && field.keys[0] === "data" ? decoded(text) : undefined;
      if (inTheClear !== undefined && inTheClear.length >= shortestSearchedSecret)
        found.set(inTheClear, top.resource.name);
    }
  }
  return found;
}

/** The name of a Kubernetes object in the cluster, where it is known. */
function nameIn(inputs: Field["resource"]["inputs"]): string | undefined {
  const metadata = inputs !== notYetKnown && isRecord(inputs.metadata) ? inputs.metadata : {};
  return typeof metadata.name === "string" ? metadata.name : undefined;
}
