import assert from "node:assert/strict";
import fc from "fast-check";
import { firstUndenied } from "../../../policy/iam/bucketRequests";
import { type RequestContext } from "../../../policy/iam/condition";
import { decide, type Request } from "../../../policy/iam/evaluate";
import { matchesPattern } from "../../../policy/iam/pattern";
import { type Statement, statementsOf } from "../../../policy/iam/statement";
import { Field, NotYetKnown } from "../../../policy/model/field";
import { notYetKnown, plainResource } from "../../../policy/model/resource";
import { resource } from "../program";
import { decideByForce, type Written } from "./bruteForce";

function statements(...written: Written[]): Statement[] {
  const policy = { Version: "2012-10-17", Statement: written };
  return statementsOf(
    Field.of(plainResource(resource("aws:s3/bucketPolicy:BucketPolicy", "p", { policy }))).at("policy"),
  );
}

const caller = { arn: "arn:aws:iam::123456789012:user/engine" };
const base: Request = { caller, action: "s3:GetObject", resource: "arn:aws:s3:::b/k", context: {} };
const allow = (more: Written = {}) => ({ Effect: "Allow", Principal: "*", Action: "s3:*", Resource: "*", ...more });
const said = (written: Written[], request: Partial<Request> = {}) =>
  decide(statements(...written), { ...base, ...request });
const under = (Condition: unknown, context: RequestContext) => said([allow({ Condition })], { context });

describe("the evaluation of IAM policies", () => {
  it("lets one Deny outweigh every Allow, and allows nothing by itself", () => {
    assert.equal(said([allow(), allow({ Effect: "Deny", Action: "s3:Get*" })]), "explicitlyDenied");
    assert.equal(said([allow()]), "allowed");
    assert.equal(said([]), "notAllowed");
    assert.equal(said([allow({ Action: "ec2:*" })]), "notAllowed");
  });

  it("compares actions whatever their case, and resources by theirs", () => {
    assert.equal(said([allow({ Action: "S3:getobject" })]), "allowed");
    assert.equal(said([allow({ Resource: "arn:aws:s3:::B/k" })]), "notAllowed");
    assert.equal(said([allow({ Action: "s*:Get?bject" })]), "allowed");
  });

  it("takes NotAction, NotResource and NotPrincipal for everything else", () => {
    const without = (key: string, more: Written) =>
      said([Object.fromEntries(Object.entries({ ...allow(), ...more }).filter(([name]) => name !== key))]);
    assert.equal(without("Action", { NotAction: "s3:Put*" }), "allowed");
    assert.equal(without("Action", { NotAction: ["s3:Put*", "s3:Get*"] }), "notAllowed");
    assert.equal(without("Resource", { NotResource: "arn:aws:s3:::other/*" }), "allowed");
    assert.equal(without("Principal", { NotPrincipal: { AWS: caller.arn } }), "notAllowed");
    assert.equal(without("Action", {}), "notAllowed");
  });

  it("knows accounts, their roots, services and anybody as principals", () => {
    for (const [AWS, expected] of [
      ["*", "allowed"],
      ["123456789012", "allowed"],
      ["arn:aws:iam::123456789012:root", "allowed"],
      [["arn:aws:iam::999999999999:root", caller.arn], "allowed"],
      ["arn:aws:iam::999999999999:root", "notAllowed"],
      ["arn:aws:iam::123456789012:user/*", "notAllowed"],
    ] as const)
      assert.equal(said([allow({ Principal: { AWS } })]), expected, JSON.stringify(AWS));
    assert.equal(said([allow({ Principal: { Service: "cloudfront.amazonaws.com" } })]), "notAllowed");
    const service = { caller: { service: "cloudfront.amazonaws.com" } };
    assert.equal(said([allow({ Principal: { Service: "cloudfront.amazonaws.com" } })], service), "allowed");
    assert.equal(said([allow({ Principal: { AWS: "*" } })], { caller: {} }), "allowed");
  });

  it("evaluates the operators of conditions", () => {
    const cases: [unknown, RequestContext, string][] = [
      [{ Bool: { "AWS:securetransport": "FALSE" } }, { "aws:securetransport": ["false"] }, "allowed"],
      [{ Bool: { "aws:SecureTransport": false } }, { "aws:securetransport": ["false"] }, "allowed"],
      [{ Bool: { "aws:SecureTransport": "false" } }, {}, "notAllowed"],
      [{ BoolIfExists: { "aws:SecureTransport": "false" } }, {}, "allowed"],
      [{ StringNotEquals: { "aws:SourceVpce": ["a", "b"] } }, { "aws:sourcevpce": ["b"] }, "notAllowed"],
      [{ StringNotEquals: { "aws:SourceVpce": ["a", "b"] } }, {}, "allowed"],
      [{ "ForAnyValue:StringNotEquals": { k: ["a"] } }, {}, "notAllowed"],
      [{ "ForAllValues:StringEquals": { k: ["a", "b"] } }, { k: ["a", "b"] }, "allowed"],
      [{ "ForAllValues:StringEquals": { k: ["a", "b"] } }, { k: ["a", "c"] }, "notAllowed"],
      [{ "ForAllValues:StringEquals": { k: ["a"] } }, {}, "allowed"],
      [{ "ForAnyValue:StringLike": { k: ["a*"] } }, { k: ["b", "ab"] }, "allowed"],
      [{ Null: { k: "true" } }, {}, "allowed"],
      [{ Null: { k: "false" } }, {}, "notAllowed"],
      [{ NumericLessThan: { "s3:TlsVersion": "1.2" } }, { "s3:tlsversion": ["1.1"] }, "allowed"],
      [{ NumericLessThan: { "s3:TlsVersion": 1.2 } }, { "s3:tlsversion": ["1.2"] }, "notAllowed"],
      [{ IpAddress: { "aws:SourceIp": ["10.0.0.0/8", "2001:db8::/32"] } }, { "aws:sourceip": ["10.9.8.7"] }, "allowed"],
      [{ IpAddress: { "aws:SourceIp": "10.0.0.0/8" } }, { "aws:sourceip": ["2001:db8::1"] }, "notAllowed"],
      [{ NotIpAddress: { "aws:SourceIp": "10.0.0.0/8" } }, { "aws:sourceip": ["11.0.0.1"] }, "allowed"],
      [{ ArnLike: { k: "arn:aws:iam::*:role/x*" } }, { k: ["arn:aws:iam::1:role/xy"] }, "allowed"],
      [{ ArnLike: { k: "arn:*:role/x" } }, { k: ["arn:aws:iam::1:role/x"] }, "notAllowed"],
      [
        { DateGreaterThan: { "aws:CurrentTime": "2026-01-01T00:00:00Z" } },
        { "aws:currenttime": ["1790000000"] },
        "allowed",
      ],
      [{ Nonsense: { k: "a" } }, { k: ["a"] }, "notAllowed"],
      [{ StringEquals: { k: "a", l: "b" } }, { k: ["a"], l: ["c"] }, "notAllowed"],
    ];
    for (const [condition, context, expected] of cases)
      assert.equal(under(condition, context), expected, JSON.stringify(condition));
  });

  it("fills variables in from the request, and matches nothing without them", () => {
    const Resource = "arn:aws:s3:::b/${aws:username}/*";
    const request = { resource: "arn:aws:s3:::b/engine/k" };
    assert.equal(said([allow({ Resource })], { ...request, context: { "aws:username": ["engine"] } }), "allowed");
    assert.equal(said([allow({ Resource })], request), "notAllowed");
  });

  it("says so when a value decides that is not known yet, and only then", () => {
    assert.throws(() => said([allow({ Resource: notYetKnown })]), NotYetKnown);
    assert.throws(
      () => said([allow({ Condition: { Bool: { k: notYetKnown } } })], { context: { k: ["true"] } }),
      NotYetKnown,
    );
    assert.equal(said([allow({ Action: "ec2:*", Resource: notYetKnown })]), "notAllowed");
    assert.equal(said([allow({ Resource: [notYetKnown, "*"] })]), "allowed");
    assert.equal(said([allow({ Effect: "Deny" }), allow({ Resource: notYetKnown })]), "explicitlyDenied");
  });
});

describe("IAM policies of every kind", () => {
  const texts = ["", ..."ab".split("")].flatMap(one =>
    ["", ..."ab".split("")].flatMap(two => ["", "a", "b"].map(three => one + two + three)),
  );
  const values = [...new Set(texts)];
  const pattern = fc.stringMatching(/^[ab?*]{0,4}$/);
  const patterns = fc.oneof(pattern, fc.array(pattern, { minLength: 1, maxLength: 3 }));
  const principals = [
    "*",
    { AWS: "*" },
    { AWS: ["arn:aws:iam::123456789012:user/a"] },
    { AWS: "arn:aws:iam::123456789012:root" },
  ];
  const operators = [
    "StringEquals",
    "StringLike",
    "StringNotEquals",
    "StringNotLike",
    "StringEqualsIfExists",
    "ForAnyValue:StringLike",
    "ForAllValues:StringLike",
  ];
  const condition = fc.oneof(
    fc.constant({}),
    fc
      .tuple(
        fc.constantFrom(...operators),
        fc.constantFrom("k", "L"),
        fc.array(pattern, { minLength: 1, maxLength: 2 }),
      )
      .map(([operator, key, wanted]) => ({ [operator]: { [key]: wanted } })),
    fc.tuple(fc.constantFrom("k", "L"), fc.boolean()).map(([key, absent]) => ({ Null: { [key]: [String(absent)] } })),
  );
  const either = <T>(name: string, value: fc.Arbitrary<T>) =>
    fc.tuple(fc.boolean(), value).map(([inverted, chosen]) => ({ [inverted ? `Not${name}` : name]: chosen }));
  const statement = fc
    .tuple(
      fc.constantFrom("Allow", "Deny"),
      either("Action", patterns),
      either("Resource", patterns),
      either("Principal", fc.constantFrom(...principals)),
      condition,
    )
    .map(([Effect, action, target, principal, Condition]): Written => ({
      Effect,
      ...action,
      ...target,
      ...principal,
      Condition,
    }));
  const arns = [
    undefined,
    "arn:aws:iam::123456789012:user/a",
    "arn:aws:iam::123456789012:user/b",
    "arn:aws:iam::999999999999:user/a",
  ];
  const present = fc.option(fc.array(fc.constantFrom(...values), { maxLength: 2 }), { nil: undefined });
  const request = fc
    .tuple(fc.constantFrom(...arns), fc.constantFrom(...values), fc.constantFrom(...values), present, present)
    .map(([arn, action, target, k, l]): Request => ({
      caller: { arn },
      action,
      resource: target,
      context: { ...(k && { k }), ...(l && { l }) },
    }));

  it("are evaluated as by brute force", () => {
    fc.assert(
      fc.property(fc.array(statement, { maxLength: 4 }), request, (written, asked) => {
        assert.equal(decide(statements(...written), asked), decideByForce(written, asked, values));
      }),
      { numRuns: 2000 },
    );
  });

  it("match patterns as regular expressions do", () => {
    const naive = (text: string) => new RegExp(`^${text.replaceAll("*", ".*").replaceAll("?", ".")}$`);
    fc.assert(
      fc.property(
        pattern,
        fc.constantFrom(...values),
        (one, text) => matchesPattern(one, text) === naive(one).test(text),
      ),
      { numRuns: 2000 },
    );
  });

  it("match a hostile pattern in time", () => {
    const before = process.cpuUsage();
    assert.equal(matchesPattern("*a".repeat(2_000), "a".repeat(1_999)), false);
    assert.ok(process.cpuUsage(before).user < 5_000_000);
  });

  /** Denials of plain HTTP, whole and with gaps, over a bucket `ab` whose objects have names of two letters. */
  const arn = "arn:aws:s3:::ab";
  const denial = fc
    .tuple(
      fc.constantFrom(
        { Principal: "*" },
        { Principal: { AWS: "123456789012" } },
        { NotPrincipal: { AWS: "arn:aws:iam::123456789012:user/a" } },
      ),
      fc.constantFrom(
        { Action: "s3:*" },
        { Action: "*" },
        { Action: "s3:Get*" },
        { Action: ["s3:GetObject", "s3:ListBucket"] },
        { NotAction: "s3:Put*" },
      ),
      fc.constantFrom(
        { Resource: "*" },
        { Resource: arn },
        { Resource: `${arn}/*` },
        { Resource: [arn, `${arn}/*`] },
        { Resource: `${arn}*` },
        { NotResource: `${arn}/a*` },
        { Resource: [arn, `${arn}/?`] },
      ),
      fc.constantFrom<unknown>(
        { Bool: { "aws:SecureTransport": "false" } },
        { Bool: { "aws:SecureTransport": "true" } },
        { BoolIfExists: { "aws:SecureTransport": ["false"] } },
        { Bool: { "aws:SecureTransport": "false" }, StringEquals: { "aws:SourceVpce": "vpce-1" } },
        { Bool: { "aws:SecureTransport": "false" }, StringNotEquals: { "aws:SourceVpce": "vpce-1" } },
        {},
      ),
    )
    .map(([principal, action, target, Condition]): Written => ({
      Effect: "Deny",
      ...principal,
      ...action,
      ...target,
      Condition,
    }));

  it("leave no request over plain HTTP undenied exactly when all of them are denied by brute force", () => {
    const actions = [
      "s3:GetObject",
      "s3:PutObject",
      "s3:DeleteObject",
      "s3:ListBucket",
      "s3:PutBucketPolicy",
      "s3:Other",
    ];
    const targets = [arn, `${arn}/`, `${arn}/a`, `${arn}/b`, `${arn}/ab`, `${arn}/bb`];
    const callers = [{}, ...arns.slice(1).map(one => ({ arn: one }))];
    const plain = { "aws:securetransport": ["false"] };
    const contexts = [plain, { ...plain, "aws:sourcevpce": ["vpce-1"] }, { ...plain, "aws:sourcevpce": ["vpce-2"] }];
    const texts = [...actions, ...targets, "vpce-1", "vpce-2"];
    const isOfBucket = (action: string) => /Bucket/.test(action);
    let whole = 0;
    fc.assert(
      fc.property(fc.array(denial, { minLength: 1, maxLength: 4 }), written => {
        const everything = actions.flatMap(action =>
          targets
            .filter(target => isOfBucket(action) === (target === arn))
            .flatMap(target =>
              callers.flatMap(one => contexts.map(context => ({ caller: one, action, resource: target, context }))),
            ),
        );
        const isWhole = everything.every(one => decideByForce(withLists(written), one, texts) === "explicitlyDenied");
        if (isWhole) whole += 1;
        const open = firstUndenied(statements(...written), () => arn, [plain]);
        assert.equal(open === undefined, isWhole, JSON.stringify(open));
      }),
      { numRuns: 500 },
    );
    assert.ok(whole > 10, `only ${whole} policies deny everything`);
  });
});

/** Operators that the brute force does not know, in words that it does: with the key always there, `Bool` compares texts. */
function withLists(written: readonly Written[]): Written[] {
  return written.map(one => ({
    ...one,
    ...(typeof one.Principal === "object" && { Principal: { AWS: "arn:aws:iam::123456789012:root" } }),
    Condition: Object.fromEntries(
      Object.entries(one.Condition as Record<string, Record<string, string | string[]>>).map(([operator, keys]) => [
        operator.replace(/^Bool(IfExists)?$/, "StringEquals"),
        Object.fromEntries(Object.entries(keys).map(([key, wanted]) => [key, [wanted].flat()])),
      ]),
    ),
  }));
}
