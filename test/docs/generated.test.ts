import * as assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import { type Block, makeBlocks, readPage, withBlock } from "../../scripts/docs/blocks";

describe("what programs make in the documentation", () => {
  let blocks: Block[];
  before("is made", async () => {
    blocks = await makeBlocks();
  });

  it("is up to date", () => {
    assert.ok(blocks.length >= 2);
    for (const block of blocks) {
      const page = readPage(block.page);
      assert.equal(page, withBlock(page, block), `${block.page}: run \`npm run docs\``);
    }
  });

  it("has no place for a block that nobody made", () => {
    assert.throws(() => withBlock("# A page", blocks[0]!), /README.md has no place for the summary of prod/);
  });
});
