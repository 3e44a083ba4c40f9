import assert from "node:assert/strict";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { FileHandle, open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { dataVolume } from "../../components/manager/dataVolume";

describe("what is kept of the last primary's volume while it is opened", () => {
  let root: string;
  const inVolume = (name: string) => join(root, name);
  const volume = () =>
    dataVolume("/nowhere", {
      dataDirectory: root,
      mariadbDirectory: inVolume("mysql"),
      tidesdbDirectory: inVolume("tidesdb_data"),
      templateDirectory: inVolume("template"),
      keptDirectory: inVolume("kept"),
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
    await volume().keep();
    rmSync(wal(5));
    await volume().keep();
    assert.deepEqual(files(), ["LOCK", "uwal_5.log", "uwal_6.log"]);
    assert.equal(readFileSync(wal(5), "utf8"), "rows of 5");
  });

  it("has in its second name what the engine has appended since", async () => {
    await volume().keep();
    writeFileSync(wal(6), ", and more", { flag: "a" });
    rmSync(wal(6));
    await volume().keep();
    assert.equal(readFileSync(wal(6), "utf8"), "rows of 6, and more");
  });

  it("does not come back after it was flushed: it would bring old versions of rows", async () => {
    await volume().keep();
    rmSync(wal(5));
    await volume().forgetKept();
    await volume().keep();
    assert.deepEqual(files(), ["LOCK", "uwal_6.log"]);
  });

  it("comes back with tables' files that were deleted for a manifest of somebody else's, and with the manifest", async () => {
    const file = (name: string) => inVolume(`tidesdb_data/shop__orders/${name}`);
    mkdirSync(inVolume("tidesdb_data/shop__orders"));
    for (const name of ["L1_1.klog", "L1_1.vlog", "MANIFEST"]) writeFileSync(file(name), `${name} of mine`);
    await volume().keep();
    assert.deepEqual(await volume().lostSinceKept(), []);
    writeFileSync(file("MANIFEST"), "another's");
    rmSync(file("L1_1.klog"));
    assert.deepEqual(await volume().lostSinceKept(), ["shop__orders/L1_1.klog"]);
    writeFileSync(file("L1_2.klog"), "flushed since");
    await volume().keep();
    assert.equal(readFileSync(file("L1_1.klog"), "utf8"), "L1_1.klog of mine");
    assert.equal(readFileSync(file("MANIFEST"), "utf8"), "MANIFEST of mine");
    assert.deepEqual(await volume().lostSinceKept(), []);
    // What the kept manifest does not name is not kept with it.
    rmSync(file("L1_2.klog"));
    await volume().keep();
    assert.ok(!readdirSync(inVolume("tidesdb_data/shop__orders")).includes("L1_2.klog"));
  });

  it("does not miss files that the engine has deleted by its own manifest", async () => {
    mkdirSync(inVolume("tidesdb_data/shop__orders"));
    for (const name of ["L1_1.klog", "MANIFEST"]) writeFileSync(inVolume(`tidesdb_data/shop__orders/${name}`), name);
    await volume().keep();
    rmSync(inVolume("tidesdb_data/shop__orders/L1_1.klog"));
    assert.deepEqual(await volume().lostSinceKept(), []);
  });

  it("loses all WALs but the newest once the engine has flushed them, and had not deleted what it did not send itself", async () => {
    writeFileSync(wal(10), "rows of 10");
    await volume().dropFlushedWals();
    assert.deepEqual(files(), ["LOCK", "uwal_10.log"]);
    await volume().dropFlushedWals();
    assert.deepEqual(files(), ["LOCK", "uwal_10.log"]);
  });

  it("needs nothing to be there before", async () => {
    await volume().forgetKept();
    await volume().keep();
    assert.deepEqual(files(), ["LOCK", "uwal_5.log", "uwal_6.log"]);
  });
});

describe("the engine's table of definitions on the volume", () => {
  it("says which of its files are written, until nobody wants to know", async () => {
    const root = mkdtempSync(join(tmpdir(), "tidesql-volume-"));
    try {
      const layout = Object.fromEntries(
        [
          "mariadbDirectory",
          "tidesdbDirectory",
          "templateDirectory",
          "keptDirectory",
          "epochFile",
          "dataDirectory",
        ].map(name => [name, root]),
      );
      const volume = dataVolume("/nowhere", layout as Parameters<typeof dataVolume>[1]);
      assert.equal(
        volume.watchDefinitions(() => undefined),
        undefined,
        "there is none yet",
      );
      mkdirSync(join(root, "__tidesql_schema"));
      let end: (() => void) | undefined;
      const name = await new Promise<string>(resolve => {
        end = volume.watchDefinitions(resolve);
        writeFileSync(join(root, "__tidesql_schema/L1P0_3.klog"), "rows");
      });
      end?.();
      assert.equal(name, "__tidesql_schema/L1P0_3.klog");
    } finally {
      rmSync(root, { recursive: true });
    }
  });
});

describe("what a volume says of itself", () => {
  let root: string;
  let layout: Parameters<typeof dataVolume>[1] & object;
  const inVolume = (name: string) => join(root, name);
  const volume = () => dataVolume(inVolume("mariadb"), layout);
  const record = { volumeId: "v1", epoch: 7 };

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "tidesql-volume-"));
    layout = {
      dataDirectory: root,
      mariadbDirectory: inVolume("mysql"),
      tidesdbDirectory: inVolume("tidesdb_data"),
      templateDirectory: inVolume("template"),
      keptDirectory: inVolume("kept"),
      epochFile: inVolume("epoch.json"),
    };
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it("is read as it was written", async () => {
    await volume().write(record);
    assert.deepEqual(await volume().read(), record);
    assert.deepEqual(readdirSync(root), ["epoch.json"]);
  });

  for (const [what, content] of [
    ["was not written to its end", '{"volumeId":"v1","ep'],
    ["is empty", ""],
    ["is no record", "7"],
  ] as const)
    it(`is nothing where the file ${what}`, async () => {
      writeFileSync(inVolume("epoch.json"), content);
      assert.deepEqual(await volume().read(), { volumeId: "" });
    });

  it("is nothing on a new volume", async () => {
    assert.deepEqual(await volume().read(), { volumeId: "" });
  });

  it("is not taken for nothing where it cannot be read: the volume would be wiped", async () => {
    // As with an I/O error: there is something, and it is not readable.
    mkdirSync(inVolume("epoch.json"));
    await assert.rejects(volume().read(), { code: "EISDIR" });
  });

  it("is on the disk before it counts: the file, and then its name", async () => {
    await volume().write(record);
    const handle = await open(root, "r");
    const prototype = Object.getPrototypeOf(handle) as FileHandle;
    await handle.close();
    const synced: string[] = [];
    const { value: sync } = Object.getOwnPropertyDescriptor(prototype, "sync") as {
      value: (this: FileHandle) => Promise<void>;
    };
    prototype.sync = async function (this: FileHandle) {
      const path = readlinkSync(`/proc/self/fd/${this.fd}`);
      const holds = path === root ? readFileSync(inVolume("epoch.json"), "utf8") : readFileSync(path, "utf8");
      synced.push(`${relative(root, path)} ${holds}`);
      return sync.call(this);
    };
    try {
      await volume().write({ volumeId: "v1", epoch: 8 });
    } finally {
      prototype.sync = sync;
    }
    const written = JSON.stringify({ volumeId: "v1", epoch: 8 });
    assert.deepEqual(synced, [`epoch.json.new ${written}`, ` ${written}`]);
  });

  it("is gone before the data is, when it is wiped, and then another's", async () => {
    mkdirSync(inVolume("mariadb/scripts"), { recursive: true });
    const installer = inVolume("mariadb/scripts/mariadb-install-db");
    writeFileSync(
      installer,
      '#!/bin/sh\nfor a; do case $a in --datadir=*) mkdir "${a#*=}"; echo new >"${a#*=}/made";; esac; done\n',
    );
    chmodSync(installer, 0o755);
    await volume().write(record);
    for (const folder of ["mysql", "tidesdb_data", "kept"]) {
      mkdirSync(inVolume(folder));
      writeFileSync(join(inVolume(folder), "old"), "rows");
    }
    const made = await volume().wipe();
    assert.notEqual(made.volumeId, "");
    assert.notEqual(made.volumeId, record.volumeId);
    assert.equal(made.epoch, undefined);
    assert.deepEqual(await volume().read(), made);
    assert.deepEqual(readdirSync(inVolume("mysql")), ["made"]);
    assert.deepEqual(readdirSync(root).sort(), ["epoch.json", "mariadb", "mysql", "template"]);
    // The template is made once.
    writeFileSync(installer, "#!/bin/sh\nexit 1\n");
    writeFileSync(inVolume("mysql/old"), "rows");
    await volume().wipe();
    assert.deepEqual(readdirSync(inVolume("mysql")), ["made"]);
  });

  it("is gone although the wipe does not come to its end", async () => {
    await volume().write(record);
    await assert.rejects(volume().wipe(), /the image has none of .*mariadb-install-db/);
    assert.deepEqual(await volume().read(), { volumeId: "" });
  });
});
