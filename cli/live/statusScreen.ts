import { alignedRows, type Column, shortened, type Terminal, wrapped } from "../terminal";
import type { DatabaseState, NodeState } from "./databaseState";
import { candidates, daysUntil, labelledPrimaries, problemsOf } from "./health";

interface TableColumn extends Column {
  title: string;
  cell: (node: NodeState, today: Date) => string;
}

const nothing = "-";
/** Names of machines are long, and say little. Characters. */
const shortestMachineName = 10;

const columns: readonly TableColumn[] = [
  { title: "node", align: "left", cell: ({ pod }) => pod },
  { title: "machine", align: "left", cell: ({ kubernetesNode }) => kubernetesNode ?? nothing },
  { title: "role", align: "left", cell: ({ label }) => (label === "none" ? nothing : label) },
  { title: "epoch", align: "right", cell: ({ status }) => status?.lease?.epoch.toString() ?? nothing },
  { title: "lag", align: "right", cell: lagOf },
  { title: "state", align: "left", cell: stateOf },
  { title: "not in bucket", align: "right", cell: waitingOf },
  { title: "certificate", align: "right", cell: validityOf },
  { title: "engine", align: "left", cell: ({ status }) => status?.engine.version ?? nothing },
  { title: "restarts", align: "right", cell: ({ restarts }) => restarts.toString() },
];

/** A database on one screen: who is primary, what is wrong, and a line for each node. */
export function statusScreen(state: DatabaseState, terminal: Terminal, today: Date): string {
  const problems = problemsOf(state, today);
  const verdict = problems.length === 0 ? terminal.strong("healthy") : terminal.warning("degraded");
  const lines = [
    `${terminal.heading(state.name)} in namespace ${state.namespace}: ${verdict}`,
    `  primary   ${primaryOf(state)}`,
    `  lease     ${leaseOf(state)}`,
    `  replicas  ${candidates(state).length} of ${state.wanted - 1} could take over`,
    ...problems.flatMap(problem => warningLines(problem, terminal)),
    "",
    ...tableOf(state, terminal, today),
  ];
  return `${lines.join("\n")}\n`;
}

function primaryOf(state: DatabaseState): string {
  const names = labelledPrimaries(state).map(({ pod, kubernetesNode }) =>
    kubernetesNode === undefined ? pod : `${pod} on ${kubernetesNode}`,
  );
  return names.length === 0 ? "none" : names.join(", ");
}

function leaseOf({ lease, leaseProblem, nodes }: DatabaseState): string {
  if (lease === undefined) return leaseProblem ?? "unknown";
  const left = Math.max(0, ...nodes.map(({ status }) => status?.lease?.remainingSeconds ?? 0));
  const holder = lease.holder === "" ? "held by nobody" : `held by ${lease.holder}`;
  const time = left > 0 ? `, for another ${left.toFixed(1)} s unless renewed` : "";
  return `epoch ${lease.epoch}, ${holder}${time}`;
}

function warningLines(problem: string, terminal: Terminal): string[] {
  return wrapped(problem, terminal.width - 4).map((line, index) =>
    terminal.warning(`  ${index === 0 ? "!" : " "} ${line}`),
  );
}

function tableOf({ nodes }: DatabaseState, terminal: Terminal, today: Date): string[] {
  const rows = [columns.map(({ title }) => title), ...nodes.map(node => columns.map(({ cell }) => cell(node, today)))];
  const widest = (index: number) => Math.max(...rows.map(row => row[index]?.length ?? 0));
  const others = columns.reduce((sum, _, index) => (index === 1 ? sum : sum + widest(index)), 2 * columns.length);
  const room = Math.max(shortestMachineName, terminal.width - others);
  const fitted = rows.map(row => row.map((cell, index) => (index === 1 ? shortened(cell, room) : cell)));
  return alignedRows(fitted, columns).map((cells, index) => {
    const line = `  ${cells.join("  ")}`.trimEnd();
    if (index === 0) return terminal.faint(line);
    return nodes[index - 1]?.status === undefined ? terminal.warning(line) : line;
  });
}

function lagOf({ status }: NodeState): string {
  const age = status?.heartbeatAgeSeconds;
  return age === undefined ? nothing : `${age.toFixed(1)} s`;
}

function stateOf({ status, phase }: NodeState): string {
  if (status === undefined) return phase === "Running" ? "no answer" : phase;
  if (status.refusal) return `refuses: ${status.refusal.reason}`;
  if (status.engine.state !== "running") return status.engine.state;
  if (status.engine.role === "primary") return status.engine.writesStopped ? "writes stopped" : "open for writes";
  return status.engine.role === "promoting" ? "promoting" : (status.following ?? "replica");
}

function waitingOf({ status }: NodeState): string {
  const waiting = status?.notInBucket;
  if (waiting === undefined) return nothing;
  return waiting.bytes === 0 ? "0 B" : `${readableBytes(waiting.bytes)}, ${waiting.oldestSeconds.toFixed(1)} s`;
}

function validityOf({ status }: NodeState, today: Date): string {
  const expires = status?.certificateExpires;
  return expires === undefined ? nothing : `${daysUntil(expires, today)} days`;
}

const units = ["B", "KiB", "MiB", "GiB", "TiB"];

/** Bytes with three digits at most. */
export function readableBytes(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** power;
  return `${power === 0 || value >= 100 ? value.toFixed(0) : value.toFixed(1)} ${units[power]}`;
}
