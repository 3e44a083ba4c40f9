import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SpareServer } from "../../../components/manager/engine/serverTemplate";

describe("an empty server that is kept ready", () => {
  let folder: string;
  /** Lets what sleeps go on. */
  let wake: () => void;
  const at = (name: string) => join(folder, name);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "servers-"));
    mkdirSync(at("template"));
    writeFileSync(at("template/system"), "empty");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function servers(failed: (error: unknown) => void = error => assert.fail(String(error))) {
    const layout = { templateDirectory: at("template"), mariadbDirectory: at("mysql") };
    return new SpareServer("/nowhere", layout, () => new Promise(resolve => (wake = resolve)), failed);
  }

  it("is copied the first time, and afterwards only renamed", async () => {
    const server = servers();
    await server.place();
    assert.equal(readFileSync(at("mysql/system"), "utf8"), "empty");
    assert.deepEqual(readdirSync(folder).sort(), ["mysql", "template"]);
    wake();
    await server.prepare();
    assert.deepEqual(readdirSync(folder).sort(), ["mysql", "mysql.spare", "template"]);
    writeFileSync(at("mysql/system"), "used");
    // Nothing to copy from: it can only be the one that is ready.
    rmSync(at("template"), { recursive: true });
    await server.place();
    assert.equal(readFileSync(at("mysql/system"), "utf8"), "empty");
    assert.equal(readFileSync(at("mysql.old/system"), "utf8"), "used");
  });

  it("is never what another process left, which may be half of one", async () => {
    mkdirSync(at("mysql.spare"));
    const server = servers();
    await server.place();
    assert.equal(readFileSync(at("mysql/system"), "utf8"), "empty");
    await server.prepare();
    assert.ok(existsSync(at("mysql.spare/system")));
  });

  it("is waited for while it is copied, and does without one when that fails", async () => {
    const errors: unknown[] = [];
    const server = servers(error => errors.push(error));
    const copying = server.prepare();
    await server.place();
    await copying;
    assert.equal(readFileSync(at("mysql/system"), "utf8"), "empty");
    rmSync(at("template"), { recursive: true });
    await server.prepare();
    assert.equal(errors.length, 1);
    mkdirSync(at("template"));
    writeFileSync(at("template/system"), "new");
    await server.place();
    assert.equal(readFileSync(at("mysql/system"), "utf8"), "new");
  });
});
