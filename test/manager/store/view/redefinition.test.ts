import assert from "node:assert/strict";
import * as fs from "node:fs/promises";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Change } from "../../../../components/manager/store/log/changes";
import { DatabaseState } from "../../../../components/manager/store/log/state";
import { FollowerFeed } from "../../../../components/manager/store/view/feed";
import { Redefinition } from "../../../../components/manager/store/view/redefinition";
import { steppedClock } from "../memoryBucket";

describe("a definition under a running follower", () => {
  let folder: string;
  let feed: FollowerFeed;
  let polls: number;
  let isOver: boolean;
  let reopened: string[];
  let tables: { number: number; name: string }[];
  let reopen: (tables: string[]) => Promise<void>;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "redefinition-"));
    feed = new FollowerFeed(new DatabaseState(), () => 5, 1);
    polls = 0;
    isOver = false;
    reopened = [];
    tables = [{ number: 1, name: "app__t" }];
    reopen = tables => Promise.resolve(void reopened.push(...tables, `after ${polls} polls`));
  });
  afterEach(() => fs.rm(folder, { recursive: true }));

  const entry = (...changes: Change[]) => ({
    kind: "changes" as const,
    epoch: 0,
    position: 0,
    nonce: "",
    time: 0,
    changes,
    payload: Buffer.alloc(0),
  });
  const definition = (table: string, text: string): Change => ({
    type: "definition",
    table,
    file: Buffer.from(text).toString("base64"),
  });
  const taken = (...changes: Change[]) =>
    new Redefinition({
      clock: steppedClock(),
      server: folder,
      feed,
      reopen: tables => reopen(tables),
      polls: () => polls,
      wake: () => void polls++,
      isOver: () => isOver,
      tables: () => tables,
    }).take(entry(...changes));

  it("is put in place and read anew, before anything is shown of its entry", async () => {
    await taken(definition("app/t", "first"), definition("app/t", "second"), { type: "definition", table: "app/u" });
    assert.equal(await fs.readFile(join(folder, "app/t.frm"), "utf8"), "second");
    assert.deepEqual(reopened, ["app/t", "after 0 polls"]);
    assert.deepEqual(feed.restartReasons, []);
  });

  it("waits until its engine has ended a look at a new index, which it names", async () => {
    tables.push({ number: 2, name: "app__t__idx_v" });
    await taken(definition("app/u", "of another table"));
    await taken(definition("app/t", "with an index"));
    assert.deepEqual(reopened, ["app/u", "after 0 polls", "app/t", "after 2 polls"]);
  });

  it("concerns nobody when its table was dropped in the same moment", async () => {
    await taken(definition("app/t", "first"), { type: "definition", table: "app/t" });
    assert.deepEqual([reopened, await fs.readdir(folder), polls], [[], [], 0]);
  });

  it("makes the follower due for a restart when its server does not read it", async () => {
    reopen = () => Promise.reject(new Error("lock wait timeout"));
    await taken(definition("app/t", "first"));
    assert.match(feed.restartReasons.join(), /definition/);
  });

  it("is left alone where the engine has ended", async () => {
    isOver = true;
    await taken(definition("app/t", "first"));
    assert.deepEqual([reopened, await fs.readdir(folder)], [[], []]);
  });
});
