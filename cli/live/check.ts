import { type CheckReport, checkStore } from "../../components/manager/store/checkStore";
import { readCommandLine } from "./commandLine";
import { inspect, storeHelp, storeOptions } from "./inspect";
import { answering, LiveExit, processSurroundings, type Surroundings, UsageError } from "./surroundings";

/** What `tidesql check --help` prints. */
export const checkHelp = `Usage: tidesql check [options]

Reads the log of a database from the first kept position to its end, and compares: entries in one line with right checksums, seals, each checkpoint with what the entries make, everything that a
kept position names with the bucket, by size. It changes nothing, and can run beside a database that is written to. It reads all of the kept log; the data are listed, not read.

  --volume             also compare the files on the volume of the pod that is asked, by content: this reads all of them
${storeHelp}

Exit code: 0 nothing is wrong, 1 something is, or it could not be read, 2 the command line is wrong or the cluster cannot be asked.
`;

/** A day of entries is read, and with --volume a whole volume. Milliseconds. */
const timeoutMilliseconds = 6 * 3_600_000;

/**
 * `tidesql check`.
 * @param argv what follows `check` on the command line
 * @returns the exit code, one of `LiveExit`
 */
export function runCheck(argv: readonly string[], surroundings: Surroundings = processSurroundings()) {
  return answering(surroundings, async () => {
    const { out } = surroundings;
    const options = { ...storeOptions, volume: { type: "boolean", default: false } } as const;
    const { values } = readCommandLine(argv, options, checkHelp);
    if (values.help) {
      out.write(checkHelp);
      return LiveExit.good;
    }
    if (values.volume && values.bucket !== undefined)
      throw new UsageError("--volume compares a pod's volume, and --bucket asks no pod: leave one of them out.");
    const report = await inspect<CheckReport>(
      values,
      {
        command: ["check", ...(values.volume ? ["--volume"] : [])],
        here: (bucket, scratch) => checkStore({ bucket, scratch }),
        timeoutMilliseconds,
        saying: "reading the log",
      },
      surroundings,
    );
    out.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : checkText(report));
    return report.problems.length === 0 ? LiveExit.good : LiveExit.bad;
  });
}

/** The report as text. Pure. */
export function checkText(report: CheckReport & { place: string }): string {
  const { place, from, position, epoch, entries, checkpoints, objects, unnamed, volume, problems } = report;
  const daily = checkpoints.read > 0 ? `, ${checkpoints.read} of single days read` : "";
  return [
    place,
    `  log          positions ${from} to ${position} in one line, epoch ${epoch}, ${entries.seals} seals, ${bytesText(entries.bytes)} of blocks`,
    `  checkpoints  ${checkpoints.compared} are what the entries make${daily}`,
    `  objects      ${objects.named} named and there, ${bytesText(objects.bytes)}`,
    `  unnamed      ${unnamed.objects}, ${bytesText(unnamed.bytes)}: being sent, or left by a writer that died`,
    ...(volume ? [`  volume       ${volume.compared} files are what was sent, ${bytesText(volume.bytes)}`] : []),
    ...problems.map(problem => `! ${problem}`),
    problems.length === 0 ? "Nothing is wrong." : `${problems.length} wrong.`,
    "",
  ].join("\n");
}

/** A number of bytes, for a person. */
export function bytesText(count: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = count;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toPrecision(3)} ${units[unit]}`;
}
