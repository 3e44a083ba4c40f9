import assert from "node:assert/strict";
import type { Manager } from "../../components/manager/manager";
import { noCounts } from "../../components/manager/counters";
import { metrics } from "../../components/manager/metrics";
import { residentBytes } from "../../components/manager/usage";
import { View } from "../../components/manager/view";
import { hold, now, primary, replica } from "./views";

const figures = {
  bytes: 1500,
  objects: 2,
  walObjects: 3,
  columnFamilies: 9,
  sstables: new Map([
    ["shop__orders", 40],
    ["shop__items", 7],
  ]),
  oldestSeconds: 0.25,
};

const usage = {
  requests: { put: 4, get: 30, list: 2, delete: 1 },
  enginePid: () => process.pid,
  replicaSyncIntervalMicroseconds: 100_000,
};

describe("the metrics", () => {
  /** What Prometheus reads, by name and labels. */
  function read(view: View, of: Partial<Record<keyof Manager, unknown>> = {}): Map<string, number> {
    const manager = {
      view: () => view,
      counters: { ...noCounts(), promotions: 2, fences: 1 },
      alarm: "",
      heartbeatAgeSeconds: () => 0.4,
      hold: () => 0.1,
      notInBucket: () => undefined,
      ...of,
    };
    const found = new Map<string, number>();
    for (const line of metrics(manager as unknown as Manager, usage, now).split("\n")) {
      if (line === "" || line.startsWith("#")) continue;
      const [, name = "", value = ""] = /^(tidesql_[a-z_]+(?:\{[a-z_]+="[^"]*"\})?) (\S+)$/.exec(line) ?? [];
      assert.ok(name !== "" && Number.isFinite(Number(value)), `Prometheus does not understand: ${line}`);
      assert.ok(!found.has(name), `${name} is there twice`);
      found.set(name, Number(value));
    }
    return found;
  }

  it("say that a primary is one, for how long it may be, and what the bucket lacks", () => {
    const found = read(primary({ hold: hold({ deadline: now + 2500 }) }), { notInBucket: () => figures });
    const roles = ["primary", "promoting", "replica", "none"].map(role => found.get(`tidesql_role{role="${role}"}`));
    assert.deepEqual(roles, [1, 0, 0, 0]);
    const expected = {
      epoch: 8,
      owner_epoch: 8,
      lease_remaining_seconds: 2.5,
      heartbeat_age_seconds: 0.4,
      alarm: 0,
      promotions_total: 2,
      fences_total: 1,
      engine_exits_total: 0,
      commits_held_ratio: 0.1,
      writes_stopped: 0,
      not_in_bucket_seconds: 0.25,
      not_in_bucket_bytes: 1500,
      not_in_bucket_objects: 2,
      wal_objects: 3,
      column_families: 9,
      sstables_max: 40,
    };
    for (const [name, value] of Object.entries(expected)) assert.equal(found.get(`tidesql_${name}`), value, name);
    assert.ok((found.get("tidesql_manager_resident_bytes") ?? 0) > 1e6);
  });

  it("count requests by kind, and tell the memory of mariadbd while there is one", () => {
    const found = read(primary());
    assert.equal(found.get('tidesql_bucket_requests_total{kind="get"}'), 30);
    assert.equal(found.get('tidesql_bucket_requests_total{kind="list"}'), 2);
    assert.equal(found.get("tidesql_replica_sync_interval_seconds"), 0.1);
    if (process.platform === "linux") assert.ok(found.get("tidesql_engine_resident_bytes")! > 1e6);
    assert.equal(residentBytes(0), undefined);
    // More than Linux gives.
    assert.equal(residentBytes(2 ** 31), undefined);
  });

  it("leave out what a replica does not know", () => {
    const found = read(replica(), { heartbeatAgeSeconds: () => undefined });
    assert.equal(found.get('tidesql_role{role="replica"}'), 1);
    assert.equal(found.get("tidesql_candidate"), 1);
    assert.equal(found.get("tidesql_lease_remaining_seconds"), 0);
    for (const name of ["heartbeat_age_seconds", "not_in_bucket_seconds", "wal_objects", "sstables_max"])
      assert.equal(found.has(`tidesql_${name}`), false, name);
  });

  it("say when somebody is needed", () => {
    assert.equal(read(replica(), { alarm: "no candidate" }).get("tidesql_alarm"), 1);
    assert.equal(read(primary({ writesStopped: true })).get("tidesql_writes_stopped"), 1);
    const missed = read(replica({ following: "missed" }));
    assert.equal(missed.get("tidesql_candidate"), 0);
    const stopped = read(replica({ engine: { ...replica().engine, state: "stopped" } }));
    assert.equal(stopped.get('tidesql_role{role="none"}'), 1);
  });

  it("explain each name once, before its values", () => {
    const manager = {
      view: () => primary(),
      counters: noCounts(),
      alarm: "",
      heartbeatAgeSeconds: () => 0,
      hold: () => 0,
      notInBucket: () => figures,
    };
    const lines = metrics(manager as unknown as Manager, usage, now)
      .trimEnd()
      .split("\n");
    let name = "";
    const seen = new Set<string>();
    for (const [i, line] of lines.entries()) {
      const help = /^# HELP (\S+) \S/.exec(line)?.[1];
      if (help !== undefined) {
        assert.ok(!seen.has(help), help);
        seen.add((name = help));
        assert.match(lines[i + 1] ?? "", new RegExp(`^# TYPE ${help} (gauge|counter)$`));
      } else if (!line.startsWith("#")) assert.equal(line.split(/[ {]/)[0], name);
    }
  });
});
