import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { databaseContainer } from "../../components/core/manifests/containers";
import { deriveSizing } from "../../components/core/sizing";

/** What one SSTable may take in the manager's books. Bytes; 560 were measured. */
const bytesBound = 700;
/** How much longer the loop may be held up with ten times as many SSTables. No step grows with the database, but collecting the heap's garbage does: 4 to 5 times were measured. */
const blockRatioBound = 7;
const tables = 500;

interface Held {
  sstables: number;
  bareMegabytes: number;
  mostMegabytes: number;
  longestBlockMilliseconds: number;
}

describe("the manager's books of many SSTables", () => {
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

  /** Reads a checkpoint, applies 300 flushes, and writes three checkpoints meanwhile. */
  function hold(sstables: number): Held {
    const run = (...parameters: string[]) =>
      execFileSync(process.execPath, [...options, join(folder, "program.js"), ...parameters], { encoding: "utf8" });
    const held = JSON.parse(run("hold", folder, run("write", folder, String(tables), String(sstables)))) as Held;
    assert.equal(held.sstables, sstables);
    const { bareMegabytes: bare, mostMegabytes: most, longestBlockMilliseconds: block } = held;
    console.log(
      `    ${sstables} SSTables: Node alone ${bare.toFixed(1)} MB, with them at most ${most.toFixed(1)} MB, longest block ${block.toFixed(0)} ms`,
    );
    return held;
  }

  it(`take at most ${bytesBound} bytes for each of 100,000, and hold up the loop at most ${blockRatioBound} times as long as 10,000`, () => {
    const [few, many] = [hold(10_000), hold(100_000)];
    const bytes = ((many.mostMegabytes - few.mostMegabytes) * 1e6) / (many.sstables - few.sstables);
    const ratio = many.longestBlockMilliseconds / few.longestBlockMilliseconds;
    console.log(`    ${bytes.toFixed(0)} bytes each, block ${ratio.toFixed(2)} times as long`);
    assert.ok(bytes <= bytesBound, `${bytes} bytes`);
    assert.ok(ratio <= blockRatioBound, `${ratio} times`);
  });
});
