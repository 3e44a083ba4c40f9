import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { EventEmitter } from "node:events";
import { createRequire } from "node:module";
import path from "node:path";
import { supervise, unforeseen } from "../../components/manager/base/supervision";

const load = createRequire(__filename);

describe("the manager as a process", () => {
  /** A process whose end is only noted. */
  class NotedProcess extends EventEmitter {
    readonly exits: number[] = [];
    exit(code: number): void {
      this.exits.push(code);
    }
  }

  let own: NotedProcess;
  let stops: number;
  let logged: string[];
  /** Ends the manager's run. */
  let settle: { ends: () => void; fails: (error: Error) => void };

  beforeEach("run a manager", () => {
    own = new NotedProcess();
    stops = 0;
    logged = [];
    const run = () => new Promise<void>((ends, fails) => (settle = { ends, fails }));
    const log = (level: string, message: string, fields?: object) =>
      logged.push(`${level} ${message} ${JSON.stringify(fields)}`);
    supervise(own, { run, requestStop: () => stops++ }, log);
  });

  for (const signal of ["SIGTERM", "SIGINT"]) {
    it(`is asked to stop by ${signal}, and goes on until it has`, () => {
      own.emit(signal);
      assert.equal(stops, 1);
      assert.deepEqual(own.exits, []);
    });
  }

  it("ends on an exception that nobody caught, and says where it came from", () => {
    own.emit("uncaughtException", new Error("the moon fell"));
    assert.deepEqual(own.exits, [unforeseen]);
    assert.match(logged.join("\n"), /^error uncaught exception .*the moon fell.*main\.test\.ts/);
  });

  it("ends when its loop fails", async () => {
    settle.fails(new Error("no volume"));
    await new Promise(setImmediate);
    assert.deepEqual(own.exits, [unforeseen]);
    assert.match(logged.join("\n"), /^error the manager is stopping .*no volume/);
  });

  it("leaves the exit code to the manager that has stopped in order", async () => {
    settle.ends();
    await new Promise(setImmediate);
    assert.deepEqual(own.exits, []);
  });

  describe("started outside of a pod", () => {
    const start = (environment: NodeJS.ProcessEnv) =>
      spawnSync(
        process.execPath,
        ["--require", load.resolve("tsx/cjs"), path.join(__dirname, "../../components/manager/main.ts")],
        { env: { PATH: process.env.PATH, ...environment }, encoding: "utf8" },
      );

    it("names the variable that the StatefulSet passes", () => {
      const { status, stderr } = start({ POD_NAME: "orders-0" });
      assert.notEqual(status, 0);
      assert.match(stderr, /POD_UID is not set: the StatefulSet passes it with fieldRef/);
    });

    it("names the configuration that is not mounted", () => {
      const { status, stderr } = start({ POD_NAME: "orders-0", POD_UID: "1" });
      assert.notEqual(status, 0);
      assert.match(stderr, /\/etc\/tidesql\/config\/manager\.json/);
    });
  });
});
