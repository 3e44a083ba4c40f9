import assert from "node:assert/strict";
import { PodKeeper } from "../../../components/manager/cluster/podKeeper";
import { PodRecord, Ports } from "../../../components/manager/base/ports";
import { EngineView } from "../../../components/manager/decide/view";
import { podRecord } from "../views";

describe("the labels of a pod", () => {
  let self: PodRecord;
  let now: number;
  let readsEnded: string[];
  let keeper: PodKeeper;
  let engine: EngineView;
  const look = () =>
    keeper.read({
      seen: () => undefined,
      engine: () => engine,
      labelIsBeingSet: () => false,
      mayHandOver: () => engine.role === "primary",
    });

  beforeEach(() => {
    self = podRecord("db-0");
    now = 0;
    readsEnded = [];
    engine = { state: "running", role: "primary", failures: 0 };
    const ports = {
      clock: { now: () => now },
      kubernetes: {
        readPods: () => Promise.resolve([self]),
        endReads: (pod: string) => {
          readsEnded.push(pod);
          self.reads = false;
          return Promise.resolve();
        },
        clearRequests: () => {
          self = { ...self, switchover: "" };
          return Promise.resolve();
        },
      },
    };
    keeper = new PodKeeper("db-0", ports as unknown as Ports);
  });

  it("let a new primary be read for two seconds more, so that the Service for writes changes alone", async () => {
    await look();
    self.role = "primary";
    now = 1000;
    await look();
    now = 2999;
    await look();
    assert.deepEqual(readsEnded, []);
    now = 3000;
    await look();
    assert.deepEqual(readsEnded, ["db-0"]);
    now = 9000;
    await look();
    assert.equal(readsEnded.length, 1);
  });

  it("count from the last time it became the primary", async () => {
    self.role = "primary";
    await look();
    self.role = "replica";
    now = 5000;
    await look();
    self.role = "primary";
    now = 6000;
    await look();
    assert.deepEqual(readsEnded, []);
  });

  it("are not known where they do not fit each other, so that they are set anew", async () => {
    for (const [role, reads, seen] of [
      ["replica", true, "replica"],
      ["replica", false, undefined],
      ["none", false, "none"],
      ["none", true, undefined],
      ["primary", true, "primary"],
      ["primary", false, "primary"],
    ] as const) {
      self = { ...self, role, reads };
      await look();
      assert.equal(keeper.ownLabel, seen, `${role}, ${reads ? "read" : "not read"}`);
    }
  });

  it("show a switchover that was asked of a replica, which is cleared: only a primary can hand over", async () => {
    self.switchover = "any";
    await look();
    assert.equal(keeper.switchover?.to, "any");
    keeper.switchover = undefined;
    engine = { ...engine, role: "replica" };
    await look();
    assert.equal(self.switchover, "");
    assert.equal(keeper.switchover, undefined);
  });
});
