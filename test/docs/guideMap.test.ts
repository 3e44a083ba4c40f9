import * as assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { describe, it } from "mocha";

const root = path.join(__dirname, "../..");
const rows = readFileSync(path.join(root, "docs/guide-map.md"), "utf8")
  .split("\n")
  .filter(line => line.startsWith("| ") && !/^\| (in the guide|---)/.test(line));

describe("the map from the guide", () => {
  it("has a row for each object that the guide makes", () => {
    const text = rows.join("\n");
    const objects = ["tidesdb-primary-config", "tidesdb-replica-config", "tidesdb-failover-script", "tidesql-primary"];
    for (const name of [...objects, "tidesql-replica", "tidesql-failover-controller", "monitor", "app_user", "gp3"]) {
      assert.ok(text.includes(name), name);
    }
  });

  for (const row of rows) {
    const [, inGuide = ""] = row.split("|");
    it(`names a test that exists for ${inGuide.trim().slice(0, 60)}`, () => {
      const match = /`(test\/[^`]+)` "([^"]+)"\s*\|$/.exec(row);
      assert.ok(match?.[1] && match[2], row);
      const file = path.join(root, match[1]);
      assert.ok(existsSync(file), `${match[1]} is missing`);
      const source = readFileSync(file, "utf8");
      const isTitle = ["it", "describe"].some(call =>
        ['"', "`", "'"].some(quote => source.includes(`${call}(${quote}${match[2]}`)),
      );
      assert.ok(isTitle, `${match[1]} has no test "${match[2]}"`);
    });
  }
});
