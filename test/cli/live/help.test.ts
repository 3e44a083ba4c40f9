import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";

const start = resolve(__dirname, "../../../cli/start.mjs");
const tidesql = (...argv: string[]) => promisify(execFile)(process.execPath, [start, ...argv]);
const commands = ["status", "verify", "history", "check", "restore", "connect", "switchover"];

describe("the commands on a running database", () => {
  it("are in the overview", async () => {
    const { stdout } = await tidesql("--help");
    for (const command of commands) assert.match(stdout, new RegExp(`^  ${command} +\\w`, "m"));
  });

  for (const command of commands) {
    it(`${command} explains itself, its options and its exit codes`, async () => {
      const { stdout, stderr } = await tidesql(command, "--help");
      assert.equal(stderr, "");
      assert.match(stdout, new RegExp(`^Usage: tidesql ${command} `));
      assert.match(stdout, /^ {2}--help +print this$/m);
      assert.match(stdout, /^Exit code: /m);
    });
  }
});
