import assert from "node:assert/strict";
import { Follower } from "../../components/manager/follower";
import { Inventory } from "../../components/manager/inventory";
import { Heartbeat, Ports } from "../../components/manager/ports";

describe("a follower that reads the trial write of a promotion that died", () => {
  let row: Heartbeat;
  let follower: Follower;

  beforeEach(() => {
    let now = 0;
    const ports = {
      clock: { now: () => (now += 500) },
      engine: { readHeartbeat: () => Promise.resolve(row), sequence: () => Promise.resolve(1) },
      volume: { sstableFiles: () => Promise.resolve([]) },
      log: () => undefined,
    };
    follower = new Follower(ports as unknown as Ports, 100);
    follower.reset("life", 1);
  });

  const reads = async (epoch: number, beat: number) => {
    row = { epoch, beat, generation: 1 };
    await follower.read();
  };

  it("lacks nothing when it has followed the heartbeat before", async () => {
    await reads(1, 19);
    await reads(1, 20);
    await reads(2, 21);
    assert.equal(follower.hasSkippedTo(row), false);
  });

  it("knows that it lacks what came with the heartbeats that it has not followed", async () => {
    await reads(1, 11);
    await reads(1, 12);
    await reads(2, 21);
    assert.equal(follower.hasSkippedTo(row), true);
  });

  it("knows so also before its manager has looked at the row itself", async () => {
    await reads(1, 11);
    await reads(1, 12);
    assert.equal(follower.hasSkippedTo({ epoch: 2, beat: 21 }), true);
    assert.equal(follower.hasSkippedTo({ epoch: 2, beat: 13 }), false);
  });

  it("does not take the trial write of a promotion that died for a heartbeat, when another has died after it", async () => {
    await reads(1, 17);
    await reads(1, 18);
    await reads(2, 21);
    await reads(3, 21);
    assert.equal(follower.hasSkippedTo(row), true);
    assert.equal(follower.lastServed?.beat, 18);
  });

  it("has long forgotten the epoch before when it has followed a primary that was open", async () => {
    await reads(1, 99);
    await reads(1, 100);
    await reads(2, 101);
    await reads(2, 102);
    await reads(2, 9000);
    assert.equal(follower.hasSkippedTo(row), false);
    assert.equal(follower.hasSkippedTo({ epoch: 3, beat: 9001 }), false);
  });

  it("does not count from one life to the next", async () => {
    await reads(1, 11);
    await reads(1, 12);
    follower.reset("next life", 2);
    assert.equal(follower.hasSkippedTo({ epoch: 2, beat: 40 }), false);
  });
});

describe("a follower of a primary that was lost", () => {
  let row: Heartbeat;
  let sequence: number;
  let inventory: Inventory;
  let follower: Follower;

  beforeEach(() => {
    let now = 0;
    const ports = {
      clock: { now: () => (now += 500) },
      engine: { readHeartbeat: () => Promise.resolve(row), sequence: () => Promise.resolve(sequence) },
      volume: { sstableFiles: () => Promise.resolve([]) },
      peers: { inventory: () => Promise.resolve(inventory) },
      log: () => undefined,
    };
    follower = new Follower(ports as unknown as Ports, 100);
    follower.reset("life", 1);
  });

  const reads = async (epoch: number, beat: number, at: number) => {
    row = { epoch, beat, generation: 1 };
    sequence = at;
    await follower.read();
  };
  const compares = async (found: Partial<Inventory>) => {
    inventory = { epoch: 2, beat: 0, files: [], ...found };
    follower.state = { ...follower.state, following: "following" };
    await follower.compare("db-0");
  };

  it("begins anew when it has followed farther than the one that was promoted", async () => {
    await reads(1, 10, 700);
    await reads(1, 11, 711);
    await reads(2, 12, 712);
    await compares({ sequence: 710 });
    assert.equal(follower.mustBeginAnew, true);
  });

  it("goes on when it has not, or when the last primary had left in order", async () => {
    await reads(1, 10, 700);
    await reads(1, 11, 710);
    await reads(2, 12, 720);
    await compares({ sequence: 710 });
    await compares({});
    assert.equal(follower.mustBeginAnew, false);
  });

  it("does not compare what it had followed with a promotion that it has not seen", async () => {
    await reads(1, 10, 700);
    await reads(2, 11, 711);
    await compares({ sequence: 100, epoch: 3 });
    assert.equal(follower.mustBeginAnew, false);
  });

  it("tells how far it has come", async () => {
    await reads(1, 11, 711);
    assert.deepEqual(follower.position(), { epoch: 1, beat: 11, sequence: 711 });
  });
});
