import { anyOf, type Field } from "../model/field";
import { ordinaryContext } from "./bucketRequests";
import { conditionHolds, type RequestContext } from "./condition";
import { type Caller, coversCaller, isDenied, type Request } from "./evaluate";
import { exampleOf } from "./pattern";
import { type Element, knownPatterns, type Statement, statementsOf } from "./statement";

/** Anybody, and an identity of an account that no policy names. */
const strangers: readonly Caller[] = [{}, { arn: "arn:aws:iam::000000000000:user/stranger" }];

/**
 * The first statement of a resource's policy that lets strangers in: requests of anybody, or of any account, from nowhere in particular.
 * @throws NotYetKnown when a value decides it that a preview cannot know.
 */
export function openToStrangers(document: Field): Statement | undefined {
  const statements = statementsOf(document);
  let open: Statement | undefined;
  anyOf(statements, statement => {
    if (!statement.allows || !letsIn(statement, statements)) return false;
    open = statement;
    return true;
  });
  return open;
}

function letsIn({ principal, action, resource, condition }: Statement, statements: readonly Statement[]): boolean {
  return anyOf(strangers, caller => {
    if (!principal || !coversCaller(principal, caller)) return false;
    return anyOf(contextsFor(condition), context => {
      if (!conditionHolds(condition, context)) return false;
      const request: Request = { caller, action: exampleIn(action), resource: exampleIn(resource), context };
      return !isDenied(statements, request);
    });
  });
}

/** Condition keys with the values that a caller sends as he likes. */
const chosenByCaller = ["aws:referer", "aws:useragent", "s3:prefix", "s3:delimiter", "s3:max-keys"];
/** Condition keys of the time, and a past and a future: a policy that ends is open until then. */
const ofTime = ["aws:currenttime", "aws:epochtime"];
const times = ["2000-01-01T00:00:00Z", "2999-01-01T00:00:00Z"];

/** The contexts in which a stranger may ask: from nowhere in particular, at any time, with what the condition wants to be told. */
function contextsFor(condition: Field): RequestContext[] {
  if (condition.isUnknown) return [ordinaryContext];
  const keys = condition.entries.flatMap(([, wanted]) => (wanted.isUnknown ? [] : wanted.entries));
  const chosen = keys.flatMap(([key, wanted]): [string, string[]][] => {
    const [value] = wanted.texts();
    const isChosen = chosenByCaller.includes(key.toLowerCase());
    return isChosen && value ? [[key.toLowerCase(), [exampleOf(value.text ?? "")]]] : [];
  });
  const isTimed = keys.some(([key]) => ofTime.includes(key.toLowerCase()));
  const base = { ...ordinaryContext, ...Object.fromEntries(chosen) };
  return isTimed ? times.map(time => ({ ...base, ...Object.fromEntries(ofTime.map(key => [key, [time]])) })) : [base];
}

/** Something that an element covers; policies of a role and of a repository name no resource. */
function exampleIn(element: Element): string {
  const [pattern = "*"] = element.isInverted ? [] : knownPatterns(element);
  return exampleOf(pattern);
}

/** What a statement allows, for a message. */
export function allowedBy({ action }: Statement): string {
  const [first = "everything"] = action.isInverted ? [] : knownPatterns(action);
  return first;
}
