import { writeFileSync } from "node:fs";
import path from "node:path";
import { makeBlocks, readPage, root, withBlock } from "./blocks";

/** Brings what programs make in README.md and docs/ in step with the program. */
async function main(): Promise<void> {
  for (const block of await makeBlocks()) {
    writeFileSync(path.join(root, block.page), withBlock(readPage(block.page), block));
  }
}

void main();
