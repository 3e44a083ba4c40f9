import * as assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, it } from "mocha";

const root = path.join(__dirname, "../..");
const pages = ["README.md", ...globSync(["docs/*.md", "examples/**/*.md", "test/**/*.md"], { cwd: root })].filter(
  page => !page.includes("node_modules"),
);

describe("the documentation", () => {
  it("has its pages", () => {
    for (const page of ["README.md", "docs/cost.md", "docs/upgrade.md", "docs/operations.md", "examples/README.md"]) {
      assert.ok(pages.includes(page), page);
    }
  });

  for (const page of pages) {
    it(`links in ${page} to what there is`, () => {
      const text = readFileSync(path.join(root, page), "utf8");
      for (const [, target = ""] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^(https?:|#)/.test(target)) continue;
        const [file = "", anchor] = target.split("#");
        const linked = path.join(root, path.dirname(page), file);
        assert.ok(existsSync(linked), target);
        if (anchor === undefined) continue;
        const titles = [...readFileSync(linked, "utf8").matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) =>
          anchorOf(title),
        );
        assert.ok(titles.includes(anchor), target);
      }
    });
  }
});

/** As GitHub makes them of titles. */
function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\w\s-]/g, "")
    .replaceAll(" ", "-");
}
