import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { systemClock } from "../../../components/manager/base/clock";
import { Lanes } from "../../../components/manager/base/lanes";
import { VolumeWatch } from "../../../components/manager/transitions/volumeWatch";
import { NodePorts } from "../../../components/manager/transitions/nodePorts";

describe("the watch of the volume", () => {
  let folder: string;
  let now: number;
  let watch: VolumeWatch;
  const look = () => {
    now += 500;
    watch.observe();
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "volume-"));
    now = 0;
    const clock = { ...systemClock, now: () => now };
    const ports = { files: { own: folder } as NodePorts["files"], log: () => undefined };
    watch = new VolumeWatch({ ports, lanes: new Lanes(clock, ports.log, () => undefined) });
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("counts the looks at a write that does not end, and begins anew when it has", async () => {
    // Opening it for writing waits for a reader, as a call to a disk waits for that.
    const pipe = join(folder, "answers");
    execFileSync("mkfifo", [pipe]);
    for (let i = 0; i < 6; i++) {
      look();
      await setTimeout(1);
    }
    assert.equal(watch.silentLooks, 5);
    const reader = await fs.open(pipe, "r");
    while (watch.silentLooks > 0) await setTimeout(1);
    await reader.close();
  });

  it("takes an error for an answer", async () => {
    rmSync(folder, { recursive: true });
    for (let i = 0; i < 12; i++) {
      look();
      await setTimeout(5);
    }
    assert.ok(watch.silentLooks < 2, String(watch.silentLooks));
    await fs.mkdir(folder);
  });
});
