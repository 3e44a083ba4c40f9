import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { Lab } from "./lab";
import { sections } from "./sections";
import { installSimulation } from "./simulation";

describe("the simulated engine, as the real one", () => {
  let folder: string;
  before(async function () {
    this.timeout(60_000);
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "simulation-"));
    await installSimulation(folder);
  });
  after(() => fs.rmSync(folder, { recursive: true, force: true }));

  for (const { section, tests } of sections) {
    describe(section, () => {
      for (const { title, run } of tests) {
        it(title, async function () {
          this.timeout(120_000);
          const lab = await Lab.open(folder);
          try {
            await run(lab);
          } finally {
            await lab.close();
          }
        });
      }
    });
  }
});
