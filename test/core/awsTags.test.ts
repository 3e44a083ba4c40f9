import assert from "node:assert/strict";
import { validateAwsTags } from "../../components/core/awsTags";
import { validateTideSqlArgs } from "../../components/tideSql";

const numbered = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, "v"]));

const taken: Record<string, Record<string, string> | undefined> = {
  none: undefined,
  "the usual ones": { team: "shop", "cost-center": "4711", "kubernetes.io/owner": "a@b.example", Größe: "1 + 1 = 2" },
  "an empty value": { team: "" },
  "as many as there is room for": numbered(40),
};

const refused: Record<string, { tags: Record<string, string>; at: string; says: RegExp }> = {
  "no name": { tags: { "": "shop" }, at: "tags.", says: /without a name/ },
  "AWS's own beginning": { tags: { "aws:team": "shop" }, at: "tags.aws:team", says: /for AWS alone/ },
  "the same in capitals": { tags: { "AWS:team": "shop" }, at: "tags.AWS:team", says: /for AWS alone/ },
  "a long name": { tags: { ["k".repeat(129)]: "v" }, at: "tags.k", says: /AWS takes 128/ },
  "a long value": { tags: { team: "v".repeat(257) }, at: "tags.team", says: /AWS takes 256/ },
  "characters in a name": { tags: { "team!": "shop" }, at: "tags.team!", says: /write letters, digits/ },
  "characters in a value": { tags: { team: "shop\n" }, at: "tags.team", says: /write letters, digits/ },
  "too many": { tags: numbered(41), at: "tags", says: /has 41 tags: AWS takes 50/ },
};

describe("tags of AWS resources", () => {
  for (const [kind, tags] of Object.entries(taken)) {
    it(`may be: ${kind}`, () => assert.deepEqual(validateAwsTags(tags), []));
  }

  for (const [kind, { tags, at, says }] of Object.entries(refused)) {
    it(`are refused: ${kind}`, () => {
      const [problem, ...others] = validateAwsTags(tags);
      assert.deepEqual(others, []);
      assert.ok(problem);
      assert.ok(problem.propertyPath.startsWith(at), problem.propertyPath);
      assert.match(problem.reason, says);
    });
  }

  it("are named as they were written, whatever part takes them", () => {
    const problems = validateTideSqlArgs("orders", { region: "us-east-1", tags: { "aws:team": "shop" } });
    assert.deepEqual([...new Set(problems.map(({ propertyPath }) => propertyPath))], ["tags.aws:team"]);
  });
});
