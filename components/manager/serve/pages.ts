import { credentialMetrics } from "./credentialMetrics";
import { eventMetrics, Metric, one, prometheusText, remaining, roleMetric } from "./metrics";
import { engineStatus, expiryOf, leaseStatus, StatusDocument } from "./statusDocument";
import { StatusPages } from "./statusServer";
import { bucketRequests, engineMemory } from "./usage";
import { Counters } from "../base/counters";
import { Monotonic } from "../base/ports";
import { volumeLookEvery } from "../decide/health";
import { View } from "../decide/view";
import { EntryPusher } from "../peers/entryPusher";
import { Gateway } from "../store/gateway/gateway";
import { EngineKeeper } from "../transitions/engineKeeper";
import { NodePorts } from "../transitions/nodePorts";
import { StoreKeeper } from "../transitions/storeKeeper";
import { WriterDuties } from "../transitions/writerDuties";

/** The node that the pages are about. */
export interface PagedNode {
  view(): View;
  ready(): boolean;
  readonly alarm: string;
  readonly counters: Counters;
  readonly lastTick: Monotonic;
  readonly store: Pick<StoreKeeper, "state">;
  readonly engine: Pick<EngineKeeper, "shownPosition" | "heldBlocks" | "unknownRequests" | "writing">;
  readonly duties: Pick<WriterDuties, "waiting" | "canary" | "deleted" | "holds">;
  readonly pusher: Pick<EntryPusher, "dropped">;
}

/** What a node says of itself. */
export function managerPages(
  manager: PagedNode,
  {
    bucket,
    clock,
    engine,
    credentials,
  }: Pick<NodePorts, "bucket" | "clock" | "credentials"> & { engine: Pick<NodePorts["engine"], "pid"> },
  gateway: Pick<Gateway, "requests">,
): StatusPages {
  return {
    get lastTick() {
      return manager.lastTick;
    },
    ready: () => manager.ready(),
    whyNotReady() {
      const { refusal, engine, log, stopping, transition } = manager.view();
      if (refusal) return refusal.message;
      if (stopping) return "is leaving";
      if (!log) return "has not read the log yet";
      if (transition) return `${transition.kind === "takeOver" ? "takes over" : "hands over"}: ${transition.step}`;
      return `mariadbd is ${engine.state}`;
    },
    metrics: now => metrics(manager, { bucket, credentials }, gateway, engine.pid(), now, clock.wall()),
    status: (now, certificate) => status(manager, now, clock.wall(), certificate),
  };
}

function status(manager: PagedNode, now: Monotonic, wall: number, certificate?: string): StatusDocument {
  const view = manager.view();
  const { engine, lease, hold, log, transition, refusal, configuration } = view;
  const { state } = manager.store;
  const { shownPosition } = manager.engine;
  return {
    database: configuration.name,
    pod: view.pod,
    durability: configuration.durability,
    ready: manager.ready(),
    engine: engineStatus(view),
    following: engine.state === "running" && engine.role === "replica" ? view.following : undefined,
    followed: { epoch: log?.epoch ?? 0, beat: shownPosition ?? log?.position ?? 0 },
    heartbeatAgeSeconds: lagSeconds(manager, wall),
    lease: lease && leaseStatus(lease, hold, now),
    owner: log && { epoch: log.epoch, holder: lease?.holder ?? "", clean: view.waiting === 0 },
    volume: {
      epoch: log?.epoch,
      resumable: log?.isLastWriters === true && engine.state === "stopped",
      ...(view.volumeSilentLooks > 1 && { silentSeconds: (view.volumeSilentLooks * volumeLookEvery) / 1000 }),
    },
    refusal: refusal && { reason: refusal.reason, message: refusal.message },
    alarm: manager.alarm === "" ? undefined : manager.alarm,
    notInBucket:
      engine.role === "primary" ? { bytes: 0, objects: 0, oldestSeconds: manager.duties.waiting / 1000 } : undefined,
    log: log &&
      state && {
        epoch: log.epoch,
        position: log.position,
        ...(shownPosition !== undefined && { shown: shownPosition }),
        time: new Date(state.time).toISOString(),
        ...(transition && { transition: `${transition.kind}: ${transition.step}` }),
      },
    certificateExpires: certificate === undefined ? undefined : expiryOf(certificate),
    counters: { ...manager.counters },
    managerResidentBytes: process.memoryUsage.rss(),
  };
}

/** Age of what this node shows: 0 when that is all there is. Both times are wall clocks, of two machines perhaps. */
function lagSeconds({ store, engine }: PagedNode, wall: number): number | undefined {
  const { state } = store;
  const { shownPosition } = engine;
  if (!state || shownPosition === undefined) return undefined;
  return shownPosition >= state.position ? 0 : Math.max(0, (wall - state.time) / 1000);
}

/** For how long a primary's engine has not answered: 0 while it does. */
function silentSeconds({ duties }: PagedNode): number {
  const { unanswered = 0, silent = 0 } = duties.canary ?? {};
  return unanswered > 0 ? silent / 1000 : 0;
}

/** What grows with the database, as the primary has it. */
function objects({ store }: PagedNode, isPrimary: boolean): Metric[] {
  const tables = isPrimary ? store.state?.liveTables() : undefined;
  const most = tables?.reduce((highest, { files }) => Math.max(highest, files.size), 0);
  return [
    one("sstables_max", "gauge", "SSTables of the table that has the most.", most),
    one("column_families", "gauge", "Tables and secondary indexes.", tables?.length),
  ];
}

function metrics(
  manager: PagedNode,
  { bucket, credentials }: Pick<NodePorts, "bucket" | "credentials">,
  gateway: Pick<Gateway, "requests">,
  enginePid: number,
  now: Monotonic,
  wall: number,
): string {
  const view = manager.view();
  const { engine, store, duties, pusher } = manager;
  const isPrimary = view.engine.state === "running" && view.engine.role === "primary";
  const { log } = view;
  const { state } = store;
  const writer = engine.writing;
  const appended = writer?.log.figures;
  const all: Metric[] = [
    roleMetric(view.engine),
    one("epoch", "gauge", "Epoch of the lease as this node knows it.", view.lease?.epoch),
    one("owner_epoch", "gauge", "Epoch of the log as this node knows it.", log?.epoch),
    one(
      "lease_remaining_seconds",
      "gauge",
      "Time for which a writer may still run here without a renewal.",
      remaining(view.hold?.deadline, now),
    ),
    one("candidate", "gauge", "1 if this node could take over: it has read the log.", log ? 1 : 0),
    one("log_position", "gauge", "Position of the log that this node has applied.", log?.position),
    one("log_shown_position", "gauge", "Position of the log that this node shows to readers.", engine.shownPosition),
    one("log_entries_total", "counter", "Entries that this primary has appended in its epoch.", appended?.entries),
    one(
      "log_bytes_total",
      "counter",
      "Bytes of the entries that this primary has appended in its epoch.",
      appended?.bytes,
    ),
    one(
      "log_append_seconds_total",
      "counter",
      "Total time of appends; divided by tidesql_log_entries_total, their latency.",
      appended && appended.milliseconds / 1000,
    ),
    one(
      "heartbeat_age_seconds",
      "gauge",
      "Replica: age of the data that it shows, 0 when it shows everything (the live lag). Primary: time for which its engine has not answered.",
      isPrimary ? silentSeconds(manager) : lagSeconds(manager, wall),
    ),
    one(
      "not_in_bucket_bytes",
      "gauge",
      "Bytes of commits that have been read from the WAL and are not in the log yet.",
      isPrimary ? (writer?.log.waitingBytes ?? 0) : undefined,
    ),
    ...objects(manager, isPrimary),
    one(
      "log_held_blocks",
      "gauge",
      "Commits that a follower holds back because an earlier one is missing.",
      engine.heldBlocks,
    ),
    one(
      "log_memory_bytes",
      "gauge",
      "Bytes of commits that no flush covers yet, held in the manager's memory.",
      state?.heldBytes,
    ),
    one("log_flushes_open", "gauge", "Flushes that have begun and are not in the log yet.", writer?.flushes.open),
    one(
      "log_pushes_dropped_total",
      "counter",
      "Entries not pushed because a peer was slow or unreachable.",
      pusher.dropped,
    ),
    one(
      "log_unknown_requests_total",
      "counter",
      "Requests of this follower's engine for objects that its view does not have.",
      engine.unknownRequests,
    ),
    one(
      "garbage_objects_total",
      "counter",
      "Objects deleted from the bucket because nothing needs them.",
      duties.deleted,
    ),
    one(
      "not_in_bucket_seconds",
      "gauge",
      "Age of the oldest write that would be lost with this node and its disk: the live RPO.",
      isPrimary ? duties.waiting / 1000 : undefined,
    ),
    one(
      "commits_held_ratio",
      "gauge",
      "1 while commits are held back part of the time so that the log keeps up.",
      duties.holds ? 1 : 0,
    ),
    bucketRequests(bucket.requests),
    engineMemory(enginePid),
    one("bucket_sent_bytes_total", "counter", "Bytes uploaded to the bucket.", bucket.sentBytes),
    ...credentialMetrics(credentials),
    {
      name: "engine_requests_total",
      type: "counter",
      help: "Requests of this node's engine to the manager, which is its object store.",
      values: [...gateway.requests].map(([method, value]) => ({ labels: `method="${method}"`, value })),
    },
    one(
      "volume_silent_seconds",
      "gauge",
      "Time for which a small write to the volume has not ended; 0 while the volume answers.",
      (view.volumeSilentLooks * volumeLookEvery) / 1000,
    ),
    ...eventMetrics(manager),
    one("writes_stopped", "gauge", "1 while the primary refuses writes.", view.writesStopped ? 1 : 0),
    one("manager_resident_bytes", "gauge", "Resident memory of the manager process.", process.memoryUsage.rss()),
  ];
  return prometheusText(all);
}
