import assert from "node:assert/strict";
import { appendFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onWrite } from "../../../components/manager/base/folderWatch";

describe("a watch on a folder", () => {
  let folder: string;
  let end: () => void = () => undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "folder-watch-"));
    await writeFile(join(folder, "uwal_1.log"), "header");
  });
  afterEach(async () => {
    end();
    await rm(folder, { recursive: true });
  });

  it("tells that a file was written on, and that one was made", async () => {
    for (const name of ["uwal_1.log", "uwal_2.log"]) {
      const told = new Promise<void>(resolve => (end = onWrite(folder, resolve)));
      await appendFile(join(folder, name), "block");
      await told;
      end();
    }
  });

  it("tells at once where it cannot know", () => {
    let told = false;
    end = onWrite(join(folder, "missing"), () => (told = true));
    assert.ok(told);
  });
});
