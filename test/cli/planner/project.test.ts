import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { PlanError } from "../../../cli/planner/planError";
import { planStack } from "../../../cli/planner/planStack";
import { findProgram } from "../../../cli/planner/program";
import { readConfiguration, readProject, setValue } from "../../../cli/planner/project";
import { Secret, unknown, type PlannedRecord } from "../../../cli/planner/values";

describe("a Pulumi project", () => {
  let folder: string;

  beforeEach(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), "tidesql-project-")));
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** Writes files of the project; the folders between are made. */
  function write(files: Record<string, string>): void {
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), content);
    }
  }

  const minimal = "name: shop\nruntime: nodejs\n";

  describe("is read", () => {
    it("from the folder or the nearest one above, with its stacks", () => {
      write({ "Pulumi.yaml": minimal, "Pulumi.prod.yaml": "", "Pulumi.my.dev.yaml": "", "deep/er/file": "" });
      const project = readProject(join(folder, "deep", "er"));
      assert.equal(project.directory, folder);
      assert.deepEqual(project.stacks, ["my.dev", "prod"]);
    });

    const refused: [string, Record<string, string>, RegExp][] = [
      ["a folder without a project", {}, /no Pulumi\.yaml/],
      ["a project without a name", { "Pulumi.yaml": "runtime: nodejs" }, /no "name"/],
      ["a program in another language", { "Pulumi.yaml": "name: shop\nruntime: python" }, /runtime: nodejs/],
      ["broken YAML", { "Pulumi.yaml": "name: [shop" }, /Pulumi\.yaml is not valid YAML/],
    ];
    for (const [what, files, message] of refused) {
      it(`and refused: ${what}`, () => {
        write(files);
        assert.throws(
          () => readProject(folder),
          error => error instanceof PlanError && message.test(error.message),
        );
      });
    }

    it("without repeating a broken line: it may hold a secret", () => {
      write({ "Pulumi.yaml": minimal, "Pulumi.prod.yaml": "config:\n  shop:key: [hunter2hunter2\n" });
      assert.throws(
        () => readConfiguration(readProject(folder), "prod"),
        error => error instanceof PlanError && !error.message.includes("hunter2"),
      );
    });
  });

  describe("a stack's file", () => {
    const wrong: [what: string, file: string, message: RegExp][] = [
      ["a slip in its only key", "confg:\n  shop:size: 3\n", /Pulumi\.prod\.yaml: "confg" .*did you mean "config"\?/],
      [
        "a setting beside config",
        "shop:size: 3\n",
        /"shop:size" is nothing that a stack's file has: known are config,/,
      ],
      ["a list for its settings", "config:\n  - shop:size\n", /Pulumi\.prod\.yaml: "config" is not a mapping/],
      ["a text for its settings", "config: shop\n", /"config" is not a mapping/],
      ["one text", "shop\n", /holds no mapping/],
    ];
    for (const [what, file, message] of wrong) {
      it(`is refused with ${what}`, () => {
        write({ "Pulumi.yaml": minimal, "Pulumi.prod.yaml": file });
        assert.throws(() => readConfiguration(readProject(folder), "prod"), message);
      });
    }

    it("may be empty, and may hold what Pulumi writes into it", () => {
      for (const file of ["", "config:\n", "encryptionsalt: v1:x\nsecretsprovider: passphrase\nencryptedkey: x\n"]) {
        write({ "Pulumi.yaml": minimal, "Pulumi.prod.yaml": file });
        assert.deepEqual(readConfiguration(readProject(folder), "prod"), {});
      }
    });
  });

  describe("configuration", () => {
    it("has the stack's values over the project's, all with full keys and as text or structure", () => {
      write({
        "Pulumi.yaml": `${minimal}config:\n  size: 1\n  shop:color: {default: red}\n  aws:region: {value: eu-west-1}\n  later: {type: string}\n`,
        "Pulumi.prod.yaml": "config:\n  shop:size: 3\n  shop:on: true\n  shop:users:\n    - name: app\n",
      });
      assert.deepEqual(readConfiguration(readProject(folder), "prod"), {
        "shop:size": 3,
        "shop:color": "red",
        "aws:region": "eu-west-1",
        "shop:on": true,
        "shop:users": [{ name: "app" }],
      });
    });

    it("has encrypted values as unknown secrets, inside structures too", () => {
      write({
        "Pulumi.yaml": minimal,
        "Pulumi.prod.yaml":
          "config:\n  shop:key:\n    secure: abc\n  shop:users:\n    app:\n      secure: def\n      \n    note: x\n",
      });
      const config = readConfiguration(readProject(folder), "prod");
      const key = config["shop:key"];
      assert.ok(key instanceof Secret);
      assert.equal(key.reveal(), unknown);
      const users = config["shop:users"] as PlannedRecord;
      assert.ok(users.app instanceof Secret);
      assert.equal(users.note, "x");
    });

    it("of a stack that has none is refused with the stacks that have", () => {
      write({ "Pulumi.yaml": minimal, "Pulumi.prod.yaml": "" });
      assert.throws(() => readConfiguration(readProject(folder), "test"), /no Pulumi\.test\.yaml.*prod/);
    });

    it("may be missing where no stack has any", () => {
      write({ "Pulumi.yaml": minimal });
      assert.deepEqual(readConfiguration(readProject(folder), "dev"), {});
    });

    it("from an ESC environment is refused: a plan cannot open it", () => {
      write({ "Pulumi.yaml": minimal, "Pulumi.prod.yaml": "environment:\n  - shop/prod\n" });
      assert.throws(() => readConfiguration(readProject(folder), "prod"), /ESC/);
    });

    it("can be replaced, a part of a structure too, but a secret only by a secret", () => {
      const config: PlannedRecord = {
        "shop:keys": { app: new Secret(unknown), size: 1 },
        "shop:token": new Secret("x"),
      };
      setValue(config, "shop:keys.size", "2");
      setValue(config, "shop:keys.app", new Secret("new"));
      setValue(config, "shop:more.deep", "made");
      const keys = config["shop:keys"] as PlannedRecord;
      assert.equal(keys.size, "2");
      assert.equal((keys.app as Secret).reveal(), "new");
      assert.deepEqual(config["shop:more"], { deep: "made" });
      assert.throws(() => setValue(config, "shop:token", "plain"), /--secret-file shop:token=PATH/);
      assert.throws(() => setValue(config, "shop:keys.app", "plain"), /--secret-file shop:keys\.app=PATH/);
    });
  });

  describe("program", () => {
    const entryOf = () => findProgram(readProject(folder)).entry.slice(folder.length + 1);
    const cases: [string, Record<string, string>, string][] = [
      ["the file that main names", { "Pulumi.yaml": `${minimal}main: src/app.ts`, "src/app.ts": "" }, "src/app.ts"],
      [
        "the index of the folder that main names",
        { "Pulumi.yaml": `${minimal}main: src/`, "src/index.ts": "" },
        "src/index.ts",
      ],
      ["the project's own index", { "Pulumi.yaml": minimal, "index.js": "" }, "index.js"],
      [
        "what package.json names, as pulumi does, before a folder's index",
        {
          "Pulumi.yaml": `${minimal}main: src/`,
          "src/index.ts": "",
          "package.json": '{"main": "lib/a.js"}',
          "lib/a.js": "",
        },
        "lib/a.js",
      ],
      [
        "not what package.json names, when main is a file",
        {
          "Pulumi.yaml": `${minimal}main: src/index.ts`,
          "src/index.ts": "",
          "package.json": '{"main": "lib/a.js"}',
          "lib/a.js": "",
        },
        "src/index.ts",
      ],
    ];
    for (const [what, files, entry] of cases) {
      it(`is ${what}`, () => {
        write(files);
        assert.equal(entryOf(), entry);
      });
    }

    it("that is not there is refused", () => {
      write({ "Pulumi.yaml": `${minimal}main: nowhere.ts` });
      assert.throws(entryOf, /nowhere\.ts/);
      write({ "Pulumi.yaml": `${minimal}main: ../elsewhere.ts` });
      assert.throws(entryOf, /in the project's folder/);
      write({ "Pulumi.yaml": minimal });
      assert.throws(entryOf, /index\.ts/);
    });

    it("runs in its folder, as often as it is planned, with the configuration of each time", async () => {
      write({
        "Pulumi.yaml": `${minimal}main: src/program.js`,
        "src/part.js": "exports.loaded = performance.now();",
        "src/program.js": [
          `const pulumi = require(${JSON.stringify(require.resolve("@pulumi/pulumi"))});`,
          "exports.size = new pulumi.Config().requireNumber('size');",
          "exports.where = process.cwd();",
          "exports.loaded = require('./part').loaded;",
        ].join("\n"),
      });
      const before = process.cwd();
      const first = await planStack({ directory: folder, stack: "dev", config: { size: "1" } });
      const second = await planStack({ directory: folder, stack: "dev", config: { size: "2" } });
      assert.deepEqual([first.outputs.size, second.outputs.size], [1, 2]);
      assert.equal(second.outputs.where, join(folder, "src"));
      assert.notEqual(first.outputs.loaded, second.outputs.loaded);
      assert.equal(process.cwd(), before);
    });

    it("may be a function, and an ES module", async () => {
      write({
        "Pulumi.yaml": minimal,
        "package.json": '{"type": "module"}',
        "index.js": "export default async () => ({ answer: 42 });",
      });
      assert.equal((await planStack({ directory: folder, stack: "dev" })).outputs.answer, 42);
    });
  });

  describe("stack that is planned when none is named", () => {
    const stackOf = async (...stacks: string[]) => {
      write({ "Pulumi.yaml": minimal, "index.js": "" });
      for (const stack of stacks) write({ [`Pulumi.${stack}.yaml`]: "" });
      return (await planStack({ directory: folder })).stack;
    };

    it("is prod, where there is one", async () => assert.equal(await stackOf("dev", "prod"), "prod"));
    it("is the only one", async () => assert.equal(await stackOf("dev"), "dev"));
    it("has to be named among several", () => assert.rejects(stackOf("dev", "test"), /dev, test.*--stack/));
  });
});
