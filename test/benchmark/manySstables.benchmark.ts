import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { databaseContainer } from "../../components/core/manifests/containers";
import { deriveSizing } from "../../components/core/sizing";

/** What one SSTable may take of a manager's memory, whatever it does with it: 92 are what it holds all the time, and 255 were measured on a machine with a load of 30. Bytes. */
const bytesBound = 300;
/** What a manager may have resident with 100,000 of them. It is printed. MB. */
const memoryGoal = 90;
/** What it has without any, with all that is in its bundle and an idle engine: `npm run benchmark -- "without load"`. MB. */
const managerMegabytes = 77;
/** For how long nothing else may be done. Milliseconds. It is printed; what is asserted is how it grows, since each machine takes its own time. */
const blockGoal = 50;
/** How much longer the loop may be held up with ten times as many SSTables: no step grows with the database, and the largest table is the same. */
const blockRatioBound = 2.5;
const tables = 500;

interface Held {
  sstables: number;
  mostMegabytes: number;
  /** By what was done. As in the program. */
  phases: Record<string, { seconds: number; milliseconds: number; own: number; megabytes: number }>;
}

describe("a manager of many SSTables", () => {
  let folder: string;
  let options: string[];
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "many-sstables-"));
    const entryPoints = [join(__dirname, "manySstables.program.ts")];
    buildSync({ entryPoints, bundle: true, platform: "node", target: "node22", outfile: join(folder, "program.js") });
    const { command } = databaseContainer({
      image: "",
      imagePullPolicy: "",
      sizing: deriveSizing({ onInstanceStore: false, memoryBytes: 1 << 30 }),
      storage: { onInstanceStore: false },
      environment: [],
      volumes: [],
    });
    // Node's, without Node itself and the manager.
    options = command.slice(1, -1);
  });
  after(() => rmSync(folder, { recursive: true }));

  /** Goes through a node's life: follows, takes over, writes, makes checkpoints and collects garbage. */
  function hold(sstables: number): Held {
    const own = join(folder, String(sstables));
    mkdirSync(own);
    const program = join(folder, "program.js");
    const run = (nodeOptions: string[], ...parameters: string[]) =>
      execFileSync(process.execPath, [...nodeOptions, program, ...parameters], { encoding: "utf8" });
    run([], "write", own, String(tables), String(sstables));
    const held = JSON.parse(run(options, "hold", own)) as Held;
    rmSync(own, { recursive: true });
    assert.equal(held.sstables, sstables);
    console.log(`    ${sstables} SSTables: at most ${held.mostMegabytes.toFixed(1)} MB resident`);
    for (const [name, { seconds, milliseconds, own, megabytes }] of Object.entries(held.phases))
      console.log(
        `      ${name}: ${seconds.toFixed(1)} s, longest block ${milliseconds.toFixed(0)} ms, ${own.toFixed(0)} ms of its own time, at most ${megabytes.toFixed(1)} MB`,
      );
    return held;
  }

  it(`takes at most ${bytesBound} bytes for each of 100,000, and is held up at most ${blockRatioBound} times as long as with 10,000`, () => {
    const [few, many] = [hold(10_000), hold(100_000)];
    const longest = ({ phases }: Held) => Math.max(...Object.values(phases).map(({ own }) => own));
    const bytes = ((many.mostMegabytes - few.mostMegabytes) * 1e6) / (many.sstables - few.sstables);
    const megabytes = managerMegabytes + (bytes * many.sstables) / 1e6;
    const ratio = longest(many) / longest(few);
    console.log(
      `    ${bytes.toFixed(0)} bytes each, so ${megabytes.toFixed(0)} MB with the ${managerMegabytes} of a manager (goal ${memoryGoal}); longest block ${longest(many).toFixed(0)} ms of its own time (goal ${blockGoal}), ${ratio.toFixed(2)} times as long`,
    );
    assert.ok(bytes <= bytesBound, `${bytes} bytes`);
    assert.ok(ratio <= blockRatioBound, `${ratio} times`);
  });
});
