import assert from "node:assert/strict";
import fc from "fast-check";
import { generatedPassword, passwordProblem } from "../../components/core/passwords";

/** What the server's plugin asks, written once more from its documentation and checked against MariaDB 10.11. */
function pluginAccepts(user: string, password: string): boolean {
  const count = (pattern: RegExp) => (password.match(pattern) ?? []).length;
  if (user.slice(0, password.length) === password) return false;
  return (
    password.length >= 8 &&
    count(/[0-9]/g) > 0 &&
    count(/[a-z]/g) > 0 &&
    count(/[A-Z]/g) > 0 &&
    /[^a-zA-Z0-9]/.test(password)
  );
}

describe("passwords", () => {
  for (const [password, why] of [
    ["", "is empty"],
    ["Aa1!aaa", "has seven characters"],
    ["aaaaaaa1!", "has no upper-case letter"],
    ["AAAAAAA1!", "has no lower-case letter"],
    ["Aaaaaaaa!", "has no digit"],
    ["Aaaaaaaa1", "has nothing but letters and digits"],
    ["Aa1!aa'aa", "has a quote"],
    ['Aa1!aa"aa', "has a double quote"],
    ["Aa1!aa\\aa", "has a backslash"],
    ["Aa1!aa\naa", "has a line break"],
    ["Aa1!aa\0aa", "has a NUL"],
    ["Aä1!aaaaaa", "has a letter that is not ASCII"],
    ["Aa1!aaaa ", "ends with a space"],
    [`Aa1!${"a".repeat(125)}`, "is longer than 128 characters"],
  ] as const) {
    it(`one that ${why} is refused, and not shown`, () => {
      const reason = passwordProblem("app", password);
      assert.ok(reason !== undefined);
      if (password !== "") assert.ok(!reason.includes(password));
    });
  }

  it("one that begins the user's name is refused, as the server does", () => {
    assert.ok(passwordProblem("Aa1_aaaabbbb", "Aa1_aaaa") !== undefined);
    assert.equal(passwordProblem("other", "Aa1_aaaa"), undefined);
  });

  it("the guide's own are taken", () => {
    assert.equal(passwordProblem("monitor", "M0nitor!Pass9"), undefined);
    assert.equal(passwordProblem("app_user", "YourStrongPassword!2026"), undefined);
  });

  it("what is taken here is taken by the server", () => {
    const characters = fc.string({ unit: fc.constantFrom(..."aAzZ09!-_ '\"\\"), minLength: 6, maxLength: 12 });
    fc.assert(
      fc.property(characters, password => {
        if (passwordProblem("aA0!", password) === undefined) assert.ok(pluginAccepts("aA0!", password), password);
      }),
      { numRuns: 2000 },
    );
  });

  it("every password that can be made is taken", () => {
    const { length, minLower, minUpper, minNumeric, minSpecial, overrideSpecial } = generatedPassword;
    assert.ok(Math.min(minLower, minUpper, minNumeric, minSpecial) >= 1);
    const lower = "abcdefghijklmnopqrstuvwxyz";
    const pick = (from: string, least: number) =>
      fc.array(fc.constantFrom(...from), { minLength: least, maxLength: least });
    const made = fc
      .tuple(
        pick(lower, minLower),
        pick(lower.toUpperCase(), minUpper),
        pick("0123456789", minNumeric),
        pick(overrideSpecial, minSpecial),
        pick(lower + overrideSpecial, length - minLower - minUpper - minNumeric - minSpecial),
      )
      .chain(parts => fc.shuffledSubarray(parts.flat(), { minLength: length, maxLength: length }));
    fc.assert(fc.property(made, characters => assert.equal(passwordProblem("app", characters.join("")), undefined)));
  });
});
