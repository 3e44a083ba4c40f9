import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dataVolume } from "../../components/manager/dataVolume";

describe("the WAL of the last primary's volume", () => {
  let root: string;
  const inVolume = (name: string) => join(root, name);
  const volume = () =>
    dataVolume("/nowhere", {
      dataDirectory: root,
      mariadbDirectory: inVolume("mysql"),
      tidesdbDirectory: inVolume("tidesdb_data"),
      templateDirectory: inVolume("template"),
      walDirectory: inVolume("wal"),
      epochFile: inVolume("epoch.json"),
    });
  const wal = (generation: number) => inVolume(`tidesdb_data/uwal_${generation}.log`);
  const files = () => readdirSync(inVolume("tidesdb_data")).sort();

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "tidesql-volume-"));
    mkdirSync(inVolume("tidesdb_data"));
    for (const generation of [5, 6]) writeFileSync(wal(generation), `rows of ${generation}`);
    writeFileSync(inVolume("tidesdb_data/LOCK"), "");
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it("comes back when the engine has deleted it and died before it flushed what it had replayed", async () => {
    await volume().keepWal();
    rmSync(wal(5));
    await volume().keepWal();
    assert.deepEqual(files(), ["LOCK", "uwal_5.log", "uwal_6.log"]);
    assert.equal(readFileSync(wal(5), "utf8"), "rows of 5");
  });

  it("has in its second name what the engine has appended since", async () => {
    await volume().keepWal();
    writeFileSync(wal(6), ", and more", { flag: "a" });
    rmSync(wal(6));
    await volume().keepWal();
    assert.equal(readFileSync(wal(6), "utf8"), "rows of 6, and more");
  });

  it("does not come back after it was flushed: it would bring old versions of rows", async () => {
    await volume().keepWal();
    rmSync(wal(5));
    await volume().forgetKeptWal();
    await volume().keepWal();
    assert.deepEqual(files(), ["LOCK", "uwal_6.log"]);
  });

  it("needs nothing to be there before", async () => {
    await volume().forgetKeptWal();
    await volume().keepWal();
    assert.deepEqual(files(), ["LOCK", "uwal_5.log", "uwal_6.log"]);
  });
});
