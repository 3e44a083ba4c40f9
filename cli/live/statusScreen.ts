import { alignedRows, type Column, shortened, type Terminal, widthOfAPage, wrapped } from "../terminal";
import type { DatabaseState, NodeState } from "./databaseState";
import { candidates, daysUntil, labelledPrimaries, problemsOf } from "./health";

interface TableColumn extends Column {
  title: string;
  cell: (node: NodeState, today: Date) => string;
}

const nothing = "-";
/** Names of machines are long, and say little. Characters. */
const shortestMachineName = 10;

const machine: TableColumn = {
  title: "machine",
  align: "left",
  cell: ({ kubernetesNode }) => kubernetesNode ?? nothing,
};

/** Titles of columns that a narrow terminal does without, in this order. */
const dispensable = ["restarts", "engine", "certificate", "machine", "epoch"];

const columns: readonly TableColumn[] = [
  { title: "node", align: "left", cell: ({ pod }) => pod },
  machine,
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
    `  lease     ${leaseOf(state, terminal.width)}`,
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

function leaseOf({ lease, leaseProblem, nodes }: DatabaseState, width: number): string {
  if (lease === undefined) return leaseProblem ?? "unknown";
  const left = Math.max(0, ...nodes.map(({ status }) => status?.lease?.remainingSeconds ?? 0));
  const time = left > 0 ? `, for another ${left.toFixed(1)} s unless renewed` : "";
  const heldBy = (holder: string) => `epoch ${lease.epoch}, held by ${holder === "" ? "nobody" : holder}${time}`;
  // The pod's UID follows its name.
  return width >= widthOfAPage ? heldBy(lease.holder) : heldBy(lease.holder.split("_")[0]!);
}

function warningLines(problem: string, terminal: Terminal): string[] {
  return wrapped(problem, terminal.width - 4).map((line, index) =>
    terminal.warning(`  ${index === 0 ? "!" : " "} ${line}`),
  );
}

function tableOf({ nodes }: DatabaseState, terminal: Terminal, today: Date): string[] {
  const all = columns.map(column => ({
    column,
    cells: [column.title, ...nodes.map(node => column.cell(node, today))],
  }));
  const kept = fittingColumns(all, terminal.width);
  const others = kept.reduce(
    (sum, { column, cells }) => (column === machine ? sum : sum + widest(cells)),
    2 * kept.length,
  );
  const room = Math.max(shortestMachineName, terminal.width - others);
  const rows = [undefined, ...nodes].map((_, row) =>
    kept.map(({ column, cells }) => (column === machine ? shortened(cells[row]!, room) : cells[row]!)),
  );
  return alignedRows(
    rows,
    kept.map(({ column }) => column),
  ).map((cells, index) => {
    const line = `  ${cells.join("  ")}`.trimEnd();
    if (index === 0) return terminal.faint(line);
    return nodes[index - 1]?.status === undefined ? terminal.warning(line) : line;
  });
}

interface FilledColumn {
  column: TableColumn;
  cells: string[];
}

/** All columns, or in a narrow terminal those that are needed to see how a database is. Problems name what is wrong with the others. */
function fittingColumns(all: readonly FilledColumn[], width: number): readonly FilledColumn[] {
  if (width >= widthOfAPage) return all;
  const isWide = (kept: readonly FilledColumn[]) =>
    kept.reduce((sum, { column, cells }) => sum + 2 + (column === machine ? shortestMachineName : widest(cells)), 0) >
    width;
  return dispensable.reduce<readonly FilledColumn[]>(
    (kept, title) => (isWide(kept) ? kept.filter(({ column }) => column.title !== title) : kept),
    all,
  );
}

function widest(cells: readonly string[]): number {
  return Math.max(...cells.map(({ length }) => length));
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
