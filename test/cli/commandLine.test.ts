import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { fixture } from "./fixtures/fixture";

const start = resolve(__dirname, "../../cli/start.mjs");

/** Runs the command line in a process of its own, as `npm start` does. */
async function tidesql(...argv: string[]) {
  const child = spawn(process.execPath, [start, ...argv], { stdio: ["ignore", "pipe", "pipe"] });
  const closed = once(child, "close") as Promise<[number]>;
  const [out, error, [code]] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
  return { out, error, code };
}

const plan = (...options: string[]) => tidesql("plan", "--directory", fixture, ...options);

describe("the command line", () => {
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "tidesql-cli-"));
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  it("plans the production stack when none is named", async () => {
    const { out, error, code } = await plan();
    assert.equal(code, 0, error);
    assert.match(out, /stack prod/);
    assert.match(out, /Planned 23 resources in \d+\.\d s/);
    assert.equal(error, "");
  });

  const slips: [argv: string[], message: RegExp][] = [
    [["pln"], /^There is no command "pln": did you mean "plan"\?\n/],
    [["--versio"], /^There is no command "--versio": did you mean "--version"\?\n/],
    [["moon"], /^There is no command "moon"\.\n/],
    [["plan", "--stak", "prod"], /^There is no option --stak: did you mean --stack\?\n/],
    [["policy", "--formt", "text"], /^There is no option --formt: did you mean --format\?\n/],
    [["compare", "--hlp"], /^There is no option --hlp: did you mean --help\?\n/],
    [["status", "--kubeconfg", "x"], /^There is no option --kubeconfg: did you mean --kubeconfig\?\n/],
    [["verify", "--moon"], /^There is no option --moon\.\n/],
    [["plan", "--config"], /^Option '--config <value>' argument missing\n/],
  ];
  for (const [argv, message] of slips) {
    it(`says what may have been meant: ${argv.join(" ")}`, async () => {
      const { out, error, code } = await tidesql(...argv);
      assert.match(error, message);
      assert.deepEqual([out, code], ["", 2]);
    });
  }

  it("prints nothing but JSON with --json", async () => {
    const { out, code } = await plan("--stack", "local", "--json");
    assert.equal(code, 0);
    assert.equal((JSON.parse(out) as { stack: string }).stack, "local");
  });

  it("reckons with the use that it is told", async () => {
    const usage = ["--rows-per-second", "400", "--row-bytes=1000", "--stored-gb", "12.5"];
    const { out } = await plan(...usage, "--json");
    const { monthlyCost } = JSON.parse(out) as { monthlyCost: { usage: object } };
    assert.deepEqual(monthlyCost.usage, { rowsPerSecond: 400, rowBytes: 1000, storedGigabytes: 12.5 });
  });

  it("draws a diagram with --mermaid, and does not mix it with JSON", async () => {
    const { out, code } = await plan("--stack", "local", "--mermaid");
    assert.equal(code, 0);
    assert.match(out, /^flowchart LR\n/);
    assert.equal((await plan("--stack", "local", "--mermaid", "--json")).code, 2);
  });

  it("ends in peace when nobody reads its output any more", async () => {
    const child = spawn(process.execPath, [start, "plan", "--directory", fixture, "--stack", "local", "--json"]);
    child.stdout.destroy();
    const closed = once(child, "close") as Promise<[number]>;
    const [error, [code]] = await Promise.all([text(child.stderr), closed]);
    assert.equal(error, "");
    assert.equal(code, 0);
  });

  it("takes configuration and secrets, and writes manifests", async () => {
    const secret = join(folder, "key");
    writeFileSync(secret, "AKIA-not-a-real-key\n");
    const manifests = join(folder, "manifests");
    const { out, error, code } = await plan(
      ...["--stack", "local", "--json", "--manifests", manifests],
      ...["--config", "replicas=4", "--secret-file", `accessKey=${secret}`],
    );
    assert.equal(code, 0, error);
    assert.match(out, /"replicas": 5/);
    assert.match(error, /4 objects/);
    assert.equal(statSync(manifests).mode & 0o777, 0o700);
    for (const file of readdirSync(manifests)) assert.equal(statSync(join(manifests, file)).mode & 0o777, 0o600);
  });

  it("exits with 1 when the program refuses, with its message and no stack trace", async () => {
    const { out, error, code } = await plan("--config", "replicas=-1");
    assert.equal(code, 1);
    assert.equal(out, "");
    assert.equal(error, "Shop has invalid arguments:\n  replicas: is below 0; give 0 or more\n");
  });

  it("exits with 1 when a configuration value is missing, and says how to set it", async () => {
    const { error, code } = await plan("--stack", "local", "--config", "target=aws");
    assert.equal(code, 1);
    assert.match(error, /shop:instanceType[^]*pulumi config set/);
    assert.doesNotMatch(error, /\n +at /);
  });

  it("exits with 1 when a secret of the stack would be given in plain", async () => {
    const { error, code } = await plan("--config", "accessKey=plain-value");
    assert.equal(code, 1);
    assert.match(error, /--secret-file shop:accessKey=PATH/);
    assert.doesNotMatch(error, /plain-value/);
  });

  it("exits with 1 and writes nothing when objects cannot be written before the update", async () => {
    const manifests = join(folder, "unknown");
    const { error, code } = await plan("--manifests", manifests);
    assert.equal(code, 1);
    assert.match(error, /object-store/);
    assert.throws(() => statSync(manifests));
  });

  describe("a program's own mistakes", () => {
    const broken = (line: string) => {
      const folder = mkdtempSync(join(tmpdir(), "tidesql-broken-"));
      writeFileSync(join(folder, "Pulumi.yaml"), "name: shop\nruntime: nodejs\nmain: index.ts\n");
      writeFileSync(
        join(folder, "index.ts"),
        `interface Shop {\n  name: string;\n}\n\n// A comment that no compiler keeps.\nexport function shop(open: Shop | undefined): void {\n  ${line}\n}\nshop(undefined);\n`,
      );
      return folder;
    };
    const mistakes: [what: string, line: string, message: RegExp][] = [
      ["a TypeError", "console.log(open!.name);", /^TypeError: .*\n {4}at shop \(.*index\.ts:7:\d+\)\n$/],
      ["one that Node notices", 'JSON.parse("{no");', /^SyntaxError: .*\n {4}at shop \(.*index\.ts:7:\d+\)\n$/],
      [
        "an error of its own",
        'throw new Error("closed today");',
        /^closed today\n {4}at shop \(.*index\.ts:7:\d+\)\n$/,
      ],
    ];
    for (const [what, line, message] of mistakes) {
      it(`${what}: is shown with its line`, async () => {
        const folder = broken(line);
        try {
          const { out, error, code } = await tidesql("plan", "--directory", folder);
          assert.deepEqual({ out, code }, { out: "", code: 1 });
          assert.match(error, message);
        } finally {
          rmSync(folder, { recursive: true, force: true });
        }
      });
    }

    it("keeps what the program writes out of the JSON", async () => {
      const folder = broken('process.stdout.write("by hand\\n"); console.log("and by console");');
      try {
        const { out, code } = await tidesql("plan", "--directory", folder, "--json");
        assert.equal(code, 0);
        const { diagnostics } = JSON.parse(out) as { diagnostics: { message: string }[] };
        assert.deepEqual(
          diagnostics.map(({ message }) => message),
          ["by hand", "and by console"],
        );
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
  });

  const wrong: [string, string[], RegExp][] = [
    ["an unknown option", ["plan", "--frobnicate"], /--frobnicate[^]*Usage: tidesql plan/],
    ["a value that is no pair", ["plan", "--config", "replicas"], /KEY=VALUE/],
    ["a secret's file that is not there", ["plan", "--secret-file", "key=/nowhere/key"], /\/nowhere\/key/],
    [
      "a use that is no number",
      ["plan", "--rows-per-second", "many"],
      /^--rows-per-second takes a number from 0 on, not "many"\.\n$/,
    ],
    ["less than no use", ["plan", "--stored-gb=-1"], /^--stored-gb takes a number/],
    ["an unknown command", ["frobnicate"], /frobnicate[^]*Usage: tidesql COMMAND/],
    ["no command", [], /^$/],
  ];
  for (const [what, argv, message] of wrong) {
    it(`exits with 2 for ${what}`, async () => {
      const { error, code } = await tidesql(...argv);
      assert.equal(code, 2);
      assert.match(error, message);
    });
  }

  it("says which version it is", async () => {
    const { version } = JSON.parse(readFileSync(resolve(__dirname, "../../package.json"), "utf8")) as {
      version: string;
    };
    assert.deepEqual(await tidesql("--version"), { out: `${version}\n`, error: "", code: 0 });
  });

  it("explains itself", async () => {
    const [overview, command] = await Promise.all([tidesql("--help"), tidesql("plan", "--help")]);
    assert.equal(overview.code, 0);
    assert.match(overview.out, /plan/);
    assert.equal(command.code, 0);
    assert.match(command.out, /--secret-file KEY=PATH/);
  });
});
