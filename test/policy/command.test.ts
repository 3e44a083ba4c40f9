import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PolicyExit, runPolicy } from "../../cli/policy";
import { type Verdict } from "../../policy/judge";

const sdk = (name: string) => JSON.stringify(require.resolve(name));

/** A program with a bucket and a password, which the stack's configuration makes better or worse. */
const program = `
const pulumi = require(${sdk("@pulumi/pulumi")});
const aws = require(${sdk("@pulumi/aws")});
const config = new pulumi.Config();
if (config.get("broken")) throw new pulumi.RunError("the program is broken");
new aws.kms.Key("key", { enableKeyRotation: config.get("rotate") === "yes" });
if (config.getBoolean("bucket")) new aws.s3.Bucket("tidesql-data", { forceDestroy: true });
`;

describe("tidesql policy", () => {
  let directory: string;

  before(() => {
    directory = mkdtempSync(join(tmpdir(), "tidesql-policy-"));
    const files = {
      "Pulumi.yaml": "name: shop\nruntime: nodejs\n",
      "Pulumi.prod.yaml": "config:\n  shop:rotate: yes\n",
      "Pulumi.lax.yaml": "config:\n  shop:rotate: no\n",
      "Pulumi.open.yaml": 'config:\n  shop:rotate: yes\n  shop:bucket: "true"\n',
      "Pulumi.broken.yaml": "config:\n  shop:broken: yes\n",
      "package.json": '{ "name": "shop", "main": "index.js" }',
      "index.js": program,
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  });
  after(() => rmSync(directory, { recursive: true }));

  async function run(...argv: string[]) {
    let out = "";
    let errors = "";
    const terminal = { out: (text: string) => (out += text), error: (text: string) => (errors += text), colour: false };
    const exit = await runPolicy(["--directory", directory, ...argv], terminal);
    return { exit, out, errors };
  }

  it("is content with a good stack", async () => {
    const { exit, out } = await run("--stack", "prod");
    assert.equal(exit, PolicyExit.content);
    assert.match(out, /0 mandatory, 0 advisory, 0 not yet known/);
  });

  it("goes on with advice", async () => {
    const { exit, out } = await run("--stack", "lax");
    assert.equal(exit, PolicyExit.content);
    assert.match(out, /advisory cluster-key-rotation/);
  });

  it("refuses a stack with a mandatory violation", async () => {
    const { exit, out } = await run("--stack", "open");
    assert.equal(exit, PolicyExit.violated);
    assert.match(out, /mandatory bucket-force-destroy/);
  });

  it("demands less in development", async () => {
    const mandatory = async (preset: string) => {
      const { out } = await run("--stack", "open", "--format", "json", "--preset", preset);
      return (JSON.parse(out) as Verdict).findings
        .filter(({ level }) => level !== "advisory")
        .map(({ policy }) => policy);
    };
    assert.ok((await mandatory("production")).includes("bucket-force-destroy"));
    assert.ok(!(await mandatory("development")).includes("bucket-force-destroy"));
  });

  it("reads the stack's own configuration, or the file that it is given", async () => {
    const own = join(directory, "Pulumi.lax.policies.json");
    writeFileSync(own, '{ "cluster-key-rotation": "mandatory" }');
    assert.equal((await run("--stack", "lax")).exit, PolicyExit.violated);
    const other = join(directory, "other.json");
    writeFileSync(other, '{ "cluster-key-rotation": "disabled" }');
    const { exit, out } = await run("--stack", "lax", "--config", other);
    rmSync(own);
    assert.equal(exit, PolicyExit.content);
    assert.match(out, /0 advisory/);
  });

  it("writes the report to a file, and its sum to the terminal", async () => {
    const file = join(directory, "report.sarif");
    const { exit, out } = await run("--stack", "open", "--format", "sarif", "--output", file);
    assert.equal(exit, PolicyExit.violated);
    assert.match(out, /^\d+ policies on \d+ resources: [1-9]/);
    assert.equal((JSON.parse(readFileSync(file, "utf8")) as { version: string }).version, "2.1.0");
  });

  it("says what is wrong with the command line, the configuration or the program", async () => {
    const wrong = join(directory, "wrong.json");
    writeFileSync(wrong, '{ "cluster-keyrotation": "disabled" }');
    const cases: [argv: string[], says: RegExp][] = [
      [["--format", "xml"], /--format is one of text, json, junit, sarif, not "xml"/],
      [["--preset", "test"], /--preset is one of production, development/],
      [["--stak", "prod"], /There is no option --stak: did you mean --stack\?[\s\S]*Usage: tidesql policy/],
      [
        ["--stack", "prod", "--config", wrong],
        /wrong.json cannot be used:\n {2}cluster-keyrotation: there is no such policy/,
      ],
      [["--stack", "prod", "--config", join(directory, "none.json")], /none.json cannot be read/],
      [["--stack", "prod", "--config", join(directory, "index.js")], /index.js cannot be read/],
      [["--stack", "nowhere"], /nowhere/],
      [["--stack", "broken"], /the program is broken/],
    ];
    for (const [argv, says] of cases) {
      const { exit, out, errors } = await run(...argv);
      assert.equal(exit, PolicyExit.failed, argv.join(" "));
      assert.match(errors, says);
      assert.doesNotMatch(errors, /\n\s+at /);
      assert.equal(out, "");
    }
  });

  it("prints its help", async () => {
    const { exit, out } = await run("--help");
    assert.equal(exit, PolicyExit.content);
    assert.match(out, /^Usage: tidesql policy/);
  });
});
