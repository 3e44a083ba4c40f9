import assert from "node:assert/strict";
import { acceptDataLoss } from "../../components/core/podLayout";
import { PodKeeper } from "../../components/manager/podKeeper";
import { PodRecord, Ports } from "../../components/manager/ports";
import { EngineView } from "../../components/manager/view";
import { podRecord } from "./views";

describe("the labels of a pod", () => {
  let self: PodRecord;
  let now: number;
  let readsEnded: string[];
  let keeper: PodKeeper;
  let engine: EngineView;
  let anotherServes: boolean;
  const look = () =>
    keeper.read({
      seen: () => undefined,
      engine: () => engine,
      labelIsBeingSet: () => false,
      mayHandOver: () => engine.role === "primary",
      anotherServes: () => anotherServes,
    });

  beforeEach(() => {
    self = podRecord("db-0");
    now = 0;
    readsEnded = [];
    anotherServes = false;
    engine = { state: "running", role: "primary", onKeptVolume: false, failures: 0 };
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
          self = { ...self, promote: "", switchover: "" };
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

  describe("beside an accepted loss of data", () => {
    beforeEach(() => {
      engine = { ...engine, role: "replica" };
      self.promote = acceptDataLoss;
    });

    it("are kept as they are while there is no primary", async () => {
      await look();
      assert.equal(keeper.lossAccepted, true);
      assert.equal(self.promote, acceptDataLoss);
    });

    it("show a request that is over once another node is the primary, so that no later vacancy is taken for accepted", async () => {
      await look();
      anotherServes = true;
      await look();
      assert.equal(keeper.lossAccepted, false);
      assert.equal(self.promote, "");
      anotherServes = false;
      await look();
      assert.equal(keeper.lossAccepted, false);
    });
  });
});
