import assert from "node:assert/strict";
import { NotAccepted, PeerStatus, PodGone, PodRecord, Ports } from "../../../components/manager/base/ports";
import { Rollout } from "../../../components/manager/cluster/rollout";
import { followerStatus, podRecord } from "../views";

const pod = (name: string, revision: string, changes: Partial<PodRecord> = {}) =>
  podRecord(name, { revision, ...changes });
const follower = (name: string, following: "following" | "joining" = "following", prepared = true) =>
  followerStatus(name, {}, { following, prepared });

describe("a primary that is told to go in a rolling update", () => {
  let pods: PodRecord[];
  let followers: PeerStatus[];
  let deleted: string[];
  let now: number;
  let apiAnswers: boolean;
  let podsFail: Error | undefined;
  let updateRevision: string | undefined;
  let ports: object;
  let rollout: Rollout;

  beforeEach(() => {
    const leaving = true;
    pods = [pod("db-0", "old"), pod("db-1", "old"), pod("db-2", "old", { leaving })];
    followers = [follower("db-0"), follower("db-1")];
    deleted = [];
    now = 0;
    apiAnswers = true;
    podsFail = undefined;
    updateRevision = "new";
    ports = {
      clock: { now: () => now },
      log: () => undefined,
      kubernetes: {
        updateRevision: () => (apiAnswers ? Promise.resolve(updateRevision) : Promise.reject(new NotAccepted("503"))),
        readPods: () => (podsFail ? Promise.reject(podsFail) : Promise.resolve(pods)),
        deletePod: (name: string) => Promise.resolve(void deleted.push(name)),
      },
      peers: { askAll: () => Promise.resolve(followers) },
    };
    rollout = new Rollout("db-2", ports as Ports, 120);
    rollout.begin();
  });

  it("has the replica replaced that is next, and waits until that follows", async () => {
    await rollout.look();
    assert.deepEqual(deleted, ["db-1"]);
    pods = [pod("db-0", "old"), pod("db-2", "old", { leaving: true })];
    followers = [follower("db-0")];
    await rollout.look();
    assert.equal(rollout.waits(now), true);
    pods.push(pod("db-1", "new"));
    followers.push(follower("db-1", "joining"));
    await rollout.look();
    assert.equal(rollout.waits(now), true);
    followers = [follower("db-0"), follower("db-1")];
    await rollout.look();
    assert.equal(rollout.waits(now), false);
    assert.deepEqual(deleted, ["db-1"]);
  });

  it("does not wait for ever: an image may not start", async () => {
    await rollout.look();
    now = 39_999;
    assert.equal(rollout.waits(now), true);
    assert.equal(rollout.waits(40_000), false);
  });

  it("waits for less where somebody has given it less time than is usual", async () => {
    pods[2] = pod("db-2", "old", { leaving: true, leavesWithinSeconds: 9 });
    await rollout.look();
    assert.equal(rollout.waits(2999), true);
    assert.equal(rollout.waits(3000), false);
  });

  it("goes at once when it is of the new revision, or another that follows is", async () => {
    pods[2] = pod("db-2", "new", { leaving: true });
    await rollout.look();
    assert.equal(rollout.waits(now), false);
    pods = [pod("db-0", "old"), pod("db-1", "new"), pod("db-2", "old", { leaving: true })];
    await rollout.look();
    assert.equal(rollout.waits(now), false);
    assert.deepEqual(deleted, []);
  });

  it("keeps its only follower, and waits for a moment for one that is being restarted", async () => {
    followers = [follower("db-0"), follower("db-1", "joining")];
    await rollout.look();
    assert.equal(rollout.waits(now), true);
    assert.deepEqual(deleted, []);
    now = 5000;
    await rollout.look();
    assert.equal(rollout.waits(now), false);
    assert.deepEqual(deleted, []);
  });

  it("has a replica replaced as soon as another follows again", async () => {
    followers = [follower("db-0"), follower("db-1", "joining")];
    await rollout.look();
    followers = [follower("db-0"), follower("db-1")];
    now = 1000;
    await rollout.look();
    assert.deepEqual(deleted, ["db-1"]);
    assert.equal(rollout.waits(now), true);
  });

  it("does not wait for a second follower where there is to be one", async () => {
    pods = [pod("db-1", "old"), pod("db-2", "old", { leaving: true })];
    followers = [follower("db-1")];
    await rollout.look();
    assert.equal(rollout.waits(now), false);
  });

  it("hurries when it was deleted by force: the API server has no such pod any more, or a new one", async () => {
    for (const own of [[], [pod("db-2", "old")]]) {
      pods = [pod("db-0", "old"), pod("db-1", "old"), ...own];
      await rollout.look();
      assert.equal(rollout.waits(now), false);
    }
    assert.deepEqual(deleted, []);
  });

  it("hurries when the API server does not accept its token any more: that was bound to a pod which is gone", async () => {
    podsFail = new PodGone("401");
    await rollout.look();
    assert.equal(rollout.waits(now), false);
  });

  it("hurries when the API server is about to remove the pod, or gives it less time than leaving takes", async () => {
    for (const [leavesWithinSeconds, hurries] of [
      [120, false],
      [6, false],
      [5, true],
    ] as const) {
      pods = [pod("db-0", "old"), pod("db-1", "old"), pod("db-2", "old", { leaving: true, leavesWithinSeconds })];
      rollout = new Rollout("db-2", ports as Ports, 120);
      rollout.begin();
      await rollout.look();
      assert.equal(rollout.waits(now), !hurries, String(leavesWithinSeconds));
    }
  });

  it("knows when it is killed: by its grace period, or at once where the API server does not know it any more", async () => {
    now = 500;
    rollout = new Rollout("db-2", ports as Ports, 120);
    assert.equal(rollout.leavesBy, undefined);
    rollout.begin();
    assert.equal(rollout.leavesBy, 120_500);
    pods[2] = pod("db-2", "old", { leaving: true, leavesWithinSeconds: 3 });
    await rollout.look();
    assert.equal(rollout.leavesBy, 3500);
    podsFail = new PodGone("401");
    await rollout.look();
    assert.equal(rollout.leavesBy, 2500);
  });

  it("finds out later, too, that it was deleted by force: the API server may be late", async () => {
    podsFail = new NotAccepted("503");
    await assert.rejects(rollout.look());
    podsFail = undefined;
    await rollout.look();
    pods = [pod("db-0", "old"), pod("db-1", "old")];
    await rollout.look();
    assert.deepEqual(deleted, []);
  });

  it("goes when the API server does not say, without a hurry", async () => {
    podsFail = new NotAccepted("503");
    await assert.rejects(rollout.look());
    assert.equal(rollout.waits(now), false);
  });

  it("goes when the API server does not say why", async () => {
    apiAnswers = false;
    await assert.rejects(rollout.look());
    assert.equal(rollout.waits(now), false);
  });

  it("looks again while the StatefulSet's status does not tell yet why it has to go", async () => {
    updateRevision = undefined;
    await rollout.look();
    assert.equal(rollout.waits(now), true);
    assert.equal(rollout.waits(2000), false);
    updateRevision = "new";
    await rollout.look();
    assert.deepEqual(deleted, ["db-1"]);
    assert.equal(rollout.waits(2000), true);
  });

  it("goes when nobody has found out in time", () => {
    assert.equal(rollout.waits(1999), true);
    assert.equal(rollout.waits(2000), false);
  });

  it("serves on until the successor has an empty server ready: it would make one while nobody writes", async () => {
    pods = [pod("db-0", "old"), pod("db-1", "new"), pod("db-2", "old", { leaving: true })];
    followers = [follower("db-0"), follower("db-1", "following", false)];
    await rollout.look();
    assert.equal(rollout.waits(now), true);
    followers = [follower("db-0"), follower("db-1")];
    await rollout.look();
    assert.equal(rollout.waits(now), false);
  });

  it("serves on, whatever it was deleted for, until anybody is prepared, and for a bounded time", async () => {
    updateRevision = "";
    followers = [follower("db-0", "following", false), follower("db-1", "following", false)];
    await rollout.look();
    now = 7999;
    await rollout.look();
    assert.equal(rollout.waits(now), true);
    now = 8000;
    await rollout.look();
    assert.equal(rollout.waits(now), false);
  });

  it("hands over to the one of the new revision that is prepared", async () => {
    pods = [pod("db-0", "new"), pod("db-1", "new"), pod("db-2", "old", { leaving: true })];
    followers = [follower("db-0", "following", false), follower("db-1")];
    await rollout.look();
    assert.equal(rollout.successor, "db-1");
    assert.equal(rollout.waits(now), false);
  });
});
