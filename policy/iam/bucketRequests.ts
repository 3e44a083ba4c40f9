import { NotYetKnown } from "../model/field";
import { type RequestContext } from "./condition";
import { type Caller, isDenied, type Request } from "./evaluate";
import { exampleOf, hasWildcard } from "./pattern";
import { type Element, knownPatterns, type Statement } from "./statement";

/** Actions on objects that stand for all: the ones that a database sends, and one that no policy names. */
const objectActions = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ObjectActionThatNoPolicyNames"];
/** Actions on the bucket itself that stand for all. */
const bucketActions = ["s3:ListBucket", "s3:BucketActionThatNoPolicyNames"];

/** A caller of the bucket's own account, one of another, and anybody. */
export const ordinaryCallers: readonly Caller[] = [
  { arn: "arn:aws:iam::111111111111:user/somebody" },
  { arn: "arn:aws:iam::222222222222:role/somebody-else" },
  {},
];

/** What holds for every request that no AWS service sends on its own. */
export const ordinaryCallerContext: RequestContext = {
  "aws:principalisawsservice": ["false"],
  "aws:viaawsservice": ["false"],
};

/** What holds for a request that comes from nowhere in particular, as it should be otherwise. */
export const ordinaryContext: RequestContext = {
  ...ordinaryCallerContext,
  "aws:securetransport": ["true"],
  "s3:tlsversion": ["1.3"],
  "aws:sourceip": ["198.51.100.7"],
};

/** A value of a condition key that no policy names. */
const valueThatNoPolicyNames = "value-that-no-policy-names";
/** More combinations of condition keys than any policy has that a person can read; what lies beyond is not tried. */
const mostContexts = 256;

/**
 * Requests that stand for all requests to a bucket under a policy: each of what the policy names (callers, actions, objects, values of condition keys) and, of each
 * kind, one that it does not name. A policy treats any request as it treats one of these, since its patterns tell no others apart.
 *
 * @param fixed condition keys that every request has with these values
 */
export function* requestsTo(arn: string, statements: readonly Statement[], fixed: RequestContext): Generator<Request> {
  const examples = (elementOf: (statement: Statement) => Element | undefined) => [
    ...new Set(statements.flatMap(statement => namedIn(elementOf(statement)))),
  ];
  const named = examples(({ action }) => action).filter(action => /^s3:/i.test(action));
  const ofBucket = statements
    .flatMap(({ action }) => knownPatterns(action))
    .filter(pattern => /^s3:.*\*/i.test(pattern));
  const objects = [`${arn}/object-that-no-policy-names`, ...examples(({ resource }) => resource)].filter(resource =>
    resource.startsWith(`${arn}/`),
  );
  const callers = [...ordinaryCallers, ...examples(({ principal }) => principal).flatMap(callerNamed)];
  const contexts = [...contextsOf(statements, fixed)];
  for (const [actions, resources] of [
    [[...objectActions, ...named.filter(action => !isForBucket(action))], objects],
    [
      [...bucketActions, ...named.filter(isForBucket), ...ofBucket.map(pattern => pattern.replaceAll("*", "Bucket"))],
      [arn],
    ],
  ] as const) {
    for (const action of actions)
      for (const resource of resources)
        for (const caller of callers) for (const context of contexts) yield { caller, action, resource, context };
  }
}

/**
 * The first request to a bucket that no Deny covers.
 *
 * @param arn throws NotYetKnown for a bucket without a name, which a Deny for every bucket covers all the same
 * @throws NotYetKnown when a value decides it that a preview cannot know.
 */
export function firstUndenied(
  statements: readonly Statement[],
  arn: () => string,
  contexts: readonly RequestContext[],
): Request | undefined {
  const denials = statements.filter(({ allows }) => !allows);
  const bucket = known(arn);
  const name = typeof bucket === "string" ? bucket : "arn:aws:s3:::bucket-that-no-policy-names";
  for (const context of contexts) {
    for (const request of requestsTo(name, denials, context)) {
      if (isDenied(denials, request)) continue;
      if (bucket instanceof NotYetKnown && denials.length > 0) throw bucket;
      return request;
    }
  }
  return undefined;
}

function known(arn: () => string): string | NotYetKnown {
  try {
    return arn();
  } catch (error) {
    if (error instanceof NotYetKnown) return error;
    throw error;
  }
}

/** Which S3 actions work on a bucket, going by their names. */
function isForBucket(action: string): boolean {
  return /bucket|configuration|listallmy/i.test(action);
}

function namedIn(element: Element | undefined): string[] {
  if (!element) return [];
  const patterns = knownPatterns(element);
  return [...patterns.filter(pattern => !hasWildcard(pattern)), ...patterns.filter(hasWildcard).map(exampleOf)];
}

function callerNamed(principal: string): Caller[] {
  if (/^arn:[\w-]+:(?:iam|sts)::\d{12}:(?!root$)/.test(principal)) return [{ arn: principal }];
  const [, account] = /^(?:arn:[\w-]+:iam::)?(\d{12})(?::root)?$/.exec(principal) ?? [];
  return account === undefined ? [] : [{ arn: `arn:aws:iam::${account}:user/somebody` }];
}

/** Every combination of the condition keys that the policy asks for: each absent, with a value that the policy names, and with another. */
function* contextsOf(statements: readonly Statement[], fixed: RequestContext): Generator<RequestContext> {
  const values = new Map<string, Set<string>>();
  for (const { condition } of statements) {
    for (const [, keys] of condition.firstUnknown ? [] : condition.entries) {
      for (const [key, wanted] of keys.entries) {
        const name = key.toLowerCase();
        if (name in fixed) continue;
        const known = values.get(name) ?? new Set([valueThatNoPolicyNames]);
        for (const { text } of wanted.texts()) known.add(exampleOf(withoutMask(text ?? "")));
        values.set(name, known);
      }
    }
  }
  let contexts: RequestContext[] = [fixed];
  for (const [key, known] of values) {
    const withKey = contexts.flatMap(context => [
      context,
      ...[...known].map(value => ({ ...context, [key]: [value] })),
    ]);
    contexts = withKey.slice(0, mostContexts);
  }
  yield* contexts;
}

/** `10.0.0.0/8` is `10.0.0.0`, an address of that range. */
function withoutMask(value: string): string {
  return value.replace(/^([\da-f.:]+)\/\d+$/i, "$1");
}
