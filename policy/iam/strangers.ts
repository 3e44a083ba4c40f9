import { anyOf, type Field } from "../model/field";
import { ordinaryContext } from "./bucketRequests";
import { conditionHolds } from "./condition";
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
    if (!principal || !coversCaller(principal, caller) || !conditionHolds(condition, ordinaryContext)) return false;
    const request: Request = {
      caller,
      action: exampleIn(action),
      resource: exampleIn(resource),
      context: ordinaryContext,
    };
    return !isDenied(statements, request);
  });
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
