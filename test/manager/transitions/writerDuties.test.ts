import assert from "node:assert/strict";
import { noCounts } from "../../../components/manager/base/counters";
import { Lanes } from "../../../components/manager/base/lanes";
import { mostFlushes, WriterDuties } from "../../../components/manager/transitions/writerDuties";
import { VirtualTime } from "../../simulation/virtualTime";
import { configuration } from "../views";

type Options = ConstructorParameters<typeof WriterDuties>[0];

describe("a primary whose flushes are behind", () => {
  it("holds commits back in either mode until half of them are sent: an engine with ten rotated memtables never goes on", async () => {
    for (const durability of ["commit", "interval"] as const) {
      const time = new VirtualTime();
      const clock = {
        now: () => time.now,
        sleep: (milliseconds: number) => new Promise<void>(resolve => time.after(milliseconds, resolve)),
      };
      const shipper = { heldBytes: 0, commits: 0, rotated: mostFlushes - 1 };
      const writing = {
        log: { position: 0, epoch: 1 },
        shipper,
        waitingMilliseconds: () => 0,
        peek: () => Promise.resolve(),
        handler: { ship: () => Promise.resolve() },
      };
      let holds = 0;
      const lanes = new Lanes(
        clock as unknown as ConstructorParameters<typeof Lanes>[0],
        () => undefined,
        () => undefined,
      );
      const duties = new WriterDuties({
        configuration: { ...configuration, durability },
        ports: {
          clock,
          engine: {
            ping: () => Promise.resolve(),
            async holdCommits(milliseconds: number) {
              holds++;
              await clock.sleep(milliseconds);
            },
          },
          log: () => undefined,
        },
        lanes,
        engine: { writing, view: { state: "running", role: "primary" }, beat: () => Promise.resolve() },
        store: {},
        counters: noCounts(),
      } as unknown as Options);
      const passes = async (milliseconds: number) => {
        for (const end = time.now + milliseconds; time.now < end; await time.runUntil(time.now + 50)) duties.observe();
      };
      await passes(1000);
      assert.equal(holds, 0, durability);
      shipper.rotated = mostFlushes;
      await passes(2000);
      assert.ok(holds > 5 && duties.holds, `${durability}: ${holds}`);
      shipper.rotated = Math.floor(mostFlushes / 2);
      await passes(500);
      const sofar = holds;
      await passes(1000);
      assert.equal(holds, sofar, durability);
    }
  });
});
