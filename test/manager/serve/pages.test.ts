import assert from "node:assert/strict";
import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { noCounts } from "../../../components/manager/base/counters";
import { managerPages, PagedNode } from "../../../components/manager/serve/pages";
import type { StatusDocument } from "../../../components/manager/serve/statusDocument";
import { serveStatus, StatusPages } from "../../../components/manager/serve/statusServer";
import { residentBytes } from "../../../components/manager/serve/usage";
import type { View } from "../../../components/manager/decide/view";
import { makeCertificate } from "../../engine/testCertificate";
import { hold, now, place, primary, replica } from "../views";

/** Wall clock of the last entry, and of the moment at which the pages are read. Milliseconds since 1970. */
const entryTime = Date.UTC(2026, 0, 1);
const wall = entryTime + 2500;

interface Changes {
  ready?: boolean;
  alarm?: string;
  shown?: number | undefined;
  waiting?: number;
}

/** The pages of a node that sees this view; the log ends at its place. */
function pages(view: View, { ready = true, alarm = "", waiting = 0, ...rest }: Changes = {}): StatusPages {
  const writes = view.engine.role === "primary";
  const manager = {
    view: () => view,
    ready: () => ready,
    alarm,
    counters: { ...noCounts(), promotions: 2, fences: 1 },
    lastTick: now,
    store: {
      state: view.log && {
        time: entryTime,
        position: view.log.position,
        heldBytes: 300,
        liveTables: () => [{ files: { size: 40 } }, { files: { size: 7 } }],
      },
    },
    engine: {
      shownPosition: "shown" in rest ? rest.shown : view.log?.position,
      heldBlocks: 0,
      unknownRequests: 0,
      writing: writes
        ? { log: { figures: { entries: 12, bytes: 1500, milliseconds: 240 }, waitingBytes: 77 }, flushes: { open: 1 } }
        : undefined,
    },
    duties: { waiting, canary: view.canary, deleted: 3, holds: false },
    pusher: { dropped: 0 },
  };
  const bucket = { requests: { put: 4, get: 30, list: 2, delete: 1 }, sentBytes: 5000 };
  const ports = { bucket, clock: { now: () => now, wall: () => wall }, engine: { pid: () => process.pid } };
  return managerPages(manager as unknown as PagedNode, ports as unknown as Parameters<typeof managerPages>[1], {
    requests: new Map([["HEAD", 9]]),
  });
}

describe("the metrics", () => {
  /** What Prometheus reads, by name and labels. */
  function read(view: View, changes: Changes = {}): Map<string, number> {
    const found = new Map<string, number>();
    for (const line of pages(view, changes).metrics(now).split("\n")) {
      if (line === "" || line.startsWith("#")) continue;
      const [, name = "", value = ""] = /^(tidesql_[a-z_]+(?:\{[a-z_]+="[^"]*"\})?) (\S+)$/.exec(line) ?? [];
      assert.ok(name !== "" && Number.isFinite(Number(value)), `Prometheus does not understand: ${line}`);
      assert.ok(!found.has(name), `${name} is there twice`);
      found.set(name, Number(value));
    }
    return found;
  }

  it("say that a primary is one, for how long it may be, and what the log lacks", () => {
    const found = read(primary({ hold: hold({ deadline: now + 2500 }) }), { waiting: 250 });
    const roles = ["primary", "promoting", "replica", "none"].map(role => found.get(`tidesql_role{role="${role}"}`));
    assert.deepEqual(roles, [1, 0, 0, 0]);
    for (const [name, value] of [
      ["lease_remaining_seconds", 2.5],
      ["log_position", 100],
      ["log_entries_total", 12],
      ["log_bytes_total", 1500],
      ["log_append_seconds_total", 0.24],
      ["log_flushes_open", 1],
      ["not_in_bucket_seconds", 0.25],
      ["not_in_bucket_bytes", 77],
      ["sstables_max", 40],
      ["column_families", 2],
      ["promotions_total", 2],
      ["fences_total", 1],
      ["writes_stopped", 0],
      ["alarm", 0],
    ] as const)
      assert.equal(found.get(`tidesql_${name}`), value, name);
    assert.ok((found.get("tidesql_manager_resident_bytes") ?? 0) > 1e6);
  });

  it("count requests by kind, and tell the memory of mariadbd while there is one", () => {
    const found = read(primary());
    assert.equal(found.get('tidesql_bucket_requests_total{kind="get"}'), 30);
    assert.equal(found.get('tidesql_bucket_requests_total{kind="list"}'), 2);
    assert.equal(found.get('tidesql_engine_requests_total{method="HEAD"}'), 9);
    assert.equal(found.get("tidesql_bucket_sent_bytes_total"), 5000);
    if (process.platform === "linux") assert.ok(found.get("tidesql_engine_resident_bytes")! > 1e6);
    assert.equal(residentBytes(0), undefined);
    // More than Linux gives.
    assert.equal(residentBytes(2 ** 31), undefined);
  });

  it("tell how old the data is that a replica shows, and leave out what only a primary knows", () => {
    const behind = read(replica(), { shown: 99 });
    assert.equal(behind.get("tidesql_heartbeat_age_seconds"), 2.5);
    assert.equal(behind.get("tidesql_log_shown_position"), 99);
    const level = read(replica());
    assert.equal(level.get('tidesql_role{role="replica"}'), 1);
    assert.equal(level.get("tidesql_heartbeat_age_seconds"), 0);
    assert.equal(level.get("tidesql_candidate"), 1);
    assert.equal(level.get("tidesql_lease_remaining_seconds"), 0);
    for (const name of ["not_in_bucket_seconds", "not_in_bucket_bytes", "log_entries_total", "sstables_max"])
      assert.equal(level.has(`tidesql_${name}`), false, name);
  });

  it("tell for how long a primary's engine has not answered", () => {
    const silent = { walIdle: 0, silent: 3000, unanswered: 2 };
    assert.equal(read(primary({ canary: silent })).get("tidesql_heartbeat_age_seconds"), 3);
    assert.equal(
      read(primary({ canary: { ...silent, unanswered: 0 } })).get("tidesql_heartbeat_age_seconds"),
      0,
      "it answers",
    );
  });

  it("say when somebody is needed, and that a node which has not read the log is no candidate", () => {
    assert.equal(read(replica(), { alarm: "the volume hangs" }).get("tidesql_alarm"), 1);
    assert.equal(read(primary({ writesStopped: true })).get("tidesql_writes_stopped"), 1);
    const unread = read(replica({ log: undefined }));
    assert.equal(unread.get("tidesql_candidate"), 0);
    assert.equal(unread.has("tidesql_log_position"), false);
    const stopped = read(replica({ engine: { ...replica().engine, state: "stopped" } }));
    assert.equal(stopped.get('tidesql_role{role="none"}'), 1);
  });

  it("explain each name once, before its values", () => {
    let name = "";
    const seen = new Set<string>();
    const lines = pages(primary()).metrics(now).trimEnd().split("\n");
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

describe("the status document", () => {
  /** As the client reads it: what is undefined is not there. */
  const read = (view: View, changes?: Changes, certificate?: string) =>
    JSON.parse(JSON.stringify(pages(view, changes).status(now, certificate))) as StatusDocument;

  it("says of a primary how long it may go on, and not that it follows", () => {
    const view = primary();
    const status = read(primary({ engine: { ...view.engine, version: "4.5.7" } }), { waiting: 7000 });
    assert.deepEqual(status.lease, { holder: "orders-1_b", epoch: 7, remainingSeconds: 3 });
    assert.deepEqual(status.engine, {
      state: "running",
      role: "primary",
      version: "4.5.7",
      failures: 0,
      writesStopped: false,
    });
    assert.equal(status.following, undefined);
    assert.equal(status.notInBucket?.oldestSeconds, 7);
    assert.equal(status.durability, "interval");
  });

  it("says of a replica what it shows of the log, and that it may not write", () => {
    const status = read(replica(), { shown: 98 });
    assert.equal(status.following, "following");
    assert.deepEqual(status.log, { epoch: 7, position: 100, shown: 98, time: "2026-01-01T00:00:00.000Z" });
    assert.equal(status.heartbeatAgeSeconds, 2.5);
    assert.equal(status.lease?.remainingSeconds, 0);
    assert.equal(status.notInBucket, undefined);
  });

  it("says what a node does to become the primary, and that its volume is the last writer's", () => {
    const transition = { kind: "takeOver", step: "align", progressedAt: 0 } as const;
    assert.equal(read(replica({ transition })).log?.transition, "takeOver: align");
    const stopped = replica({
      engine: { ...replica().engine, state: "stopped" },
      log: place({ isLastWriters: true }),
    });
    assert.equal(read(stopped).volume.resumable, true);
  });

  it("never says that time is left after the deadline", () => {
    assert.equal(read(primary({ hold: hold({ deadline: now - 5000 }) })).lease?.remainingSeconds, 0);
  });

  it("leaves out what this node has not read yet", () => {
    const status = read(replica({ lease: undefined, log: undefined }), { shown: undefined });
    for (const absent of ["lease", "owner", "log", "heartbeatAgeSeconds", "refusal", "alarm", "certificateExpires"])
      assert.ok(!(absent in status), absent);
  });

  it("says why a node does nothing", () => {
    const refusal = { reason: "ForeignData", message: "belongs to database d2" } as const;
    const status = read(replica({ refusal }), { alarm: "the volume hangs" });
    assert.deepEqual(status.refusal, refusal);
    assert.equal(status.alarm, "the volume hangs");
  });

  it("says how long the certificate is valid, and is there when that cannot be read", () => {
    const { certificate } = makeCertificate("orders");
    assert.equal(read(primary(), {}, certificate).certificateExpires, "2049-12-31T23:59:59.000Z");
    assert.equal(read(primary(), {}, "no certificate").certificateExpires, undefined);
  });

  it("names none of the configuration's keys, users and addresses", () => {
    const text = JSON.stringify(pages(primary()).status(now));
    for (const word of ["app", 'bucket"', "s3.us-east-1", "shop"]) assert.ok(!text.includes(word), word);
  });
});

describe("the status server", () => {
  let server: Server;
  let isReady: boolean;

  before(async () => {
    const clock = { now: () => now };
    const of = pages(primary({ stopping: true }));
    server = serveStatus({ ...of, lastTick: now, ready: () => isReady }, clock, 0);
    await once(server, "listening");
  });
  beforeEach(() => (isReady = true));
  after(() => server.close());

  const get = (path: string) => fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`);

  it("answers /status with the node's status as JSON, also without a certificate to read", async () => {
    const response = await get("/status");
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("content-type"), "application/json");
    const status = (await response.json()) as StatusDocument;
    assert.equal(status.pod, "orders-1");
    assert.equal(status.counters.promotions, 2);
    assert.equal(status.certificateExpires, undefined);
  });

  it("answers nothing else than its four paths, and says why the pod gets no traffic", async () => {
    assert.equal((await get("/healthz")).status, 200);
    assert.equal((await get("/readyz")).status, 200);
    isReady = false;
    const refused = await get("/readyz");
    assert.equal(refused.status, 503);
    assert.equal(await refused.text(), "is leaving");
    for (const path of ["/", "/status/..", "/etc/tidesql/tls/tls.key"]) assert.equal((await get(path)).status, 404);
  });
});
