import { type KeptHistory, readHistory } from "../../components/manager/store/readHistory";
import { readCommandLine } from "./commandLine";
import { inspect, storeHelp, storeOptions } from "./inspect";
import { answering, LiveExit, processSurroundings, type Surroundings } from "./surroundings";

/** What `tidesql history --help` prints. */
export const historyHelp = `Usage: tidesql history [options]

Lists what a database can be restored to: every position of a range, and single checkpoints before it. It only reads. \`tidesql restore\` and the argument \`restore\` take a time or a position of it (docs/restore.md).

${storeHelp}

Exit code: 0 listed, 1 it could not be read, 2 the command line is wrong or the cluster cannot be asked.
`;

/** A log is read from its newest checkpoint on: 64 MB at most. Milliseconds. */
const timeoutMilliseconds = 120_000;

/**
 * `tidesql history`.
 * @param argv what follows `history` on the command line
 * @returns the exit code, one of `LiveExit`
 */
export function runHistory(argv: readonly string[], surroundings: Surroundings = processSurroundings()) {
  return answering(surroundings, async () => {
    const { out } = surroundings;
    const { values } = readCommandLine(argv, storeOptions, historyHelp);
    if (values.help) {
      out.write(historyHelp);
      return LiveExit.good;
    }
    const history = await inspect<KeptHistory>(
      values,
      { command: ["history"], here: readHistory, timeoutMilliseconds, saying: "reading the history" },
      surroundings,
    );
    out.write(values.json ? `${JSON.stringify(history, null, 2)}\n` : historyText(history));
    return LiveExit.good;
  });
}

/** The history as a table. Pure. */
export function historyText({ place, every, daily, restored }: KeptHistory & { place: string }): string {
  const width = String(every.until.position).length;
  const line = (what: string, position: number, time: string) =>
    `  ${what.padEnd(20)}${String(position).padStart(width)}  ${time}`;
  return [
    place,
    ...daily.map(({ position, time }) => line("checkpoint", position, time)),
    line("every position from", every.from.position, every.from.time),
    line("to", every.until.position, every.until.time),
    ...(restored ? [`  It was restored from ${restored.place}, position ${restored.position}.`] : []),
    "",
  ].join("\n");
}
