import { systemStoreClock } from "../../components/manager/base/clock";
import { momentForms, parseMoment } from "../../components/core/moment";
import { validateDatabaseName } from "../../components/core/names";
import { validatePrefix } from "../../components/core/objectStoreLocation";
import { fillRestore, planRestore, type RestorePlan } from "../../components/manager/store/restoreCommand";
import { bytesText } from "./check";
import { clusterOf, readCommandLine } from "./commandLine";
import { databasesIn } from "./databaseState";
import { inspect, storeHelp, storeOptions } from "./inspect";
import { answering, LiveExit, processSurroundings, Refused, type Surroundings, UsageError } from "./surroundings";

/** What `tidesql restore --help` prints. */
export const restoreHelp = `Usage: tidesql restore --at MOMENT --to NAME [options]

Makes another database of a moment of one's past. The old database is only read, and goes on. Finds the moment's position, sees that it is kept and that the new database's name and folder are free, and prints what
the program has to say for the new database. With --fill the folder is filled first, at once: the store copies within itself, and the moment cannot leave the history any more. A copy that was broken off is gone on
with by the same command.

  --at MOMENT          ${momentForms}. \`tidesql history\` lists them
  --to NAME            the new database's name
  --to-prefix FOLDER/  its folder in the bucket (default: NAME/)
  --fill               copy now
${storeHelp}

Exit code: 0 it can be restored, or has been copied, 1 refused, 2 the command line is wrong or the cluster cannot be asked.
`;

/** A copy of a whole database may be made. Milliseconds. */
const timeoutMilliseconds = 6 * 3_600_000;

const options = {
  ...storeOptions,
  at: { type: "string" },
  to: { type: "string" },
  "to-prefix": { type: "string" },
  fill: { type: "boolean", default: false },
} as const;

/**
 * `tidesql restore`.
 * @param argv what follows `restore` on the command line
 * @returns the exit code, one of `LiveExit`
 */
export function runRestore(argv: readonly string[], surroundings: Surroundings = processSurroundings()) {
  return answering(surroundings, async () => {
    const { out, error } = surroundings;
    const { values } = readCommandLine(argv, options, restoreHelp);
    if (values.help) {
      out.write(restoreHelp);
      return LiveExit.good;
    }
    const { at, to, fill } = values;
    if (at === undefined) throw new UsageError(`--at is missing: the moment to restore, ${momentForms}.`);
    if (parseMoment(at) === undefined) throw new UsageError(`--at takes ${momentForms}, not "${at}".`);
    if (to === undefined) throw new UsageError("--to is missing: the name of the new database.");
    const [badName] = validateDatabaseName(to);
    if (badName) throw new UsageError(`--to ${badName.reason}`);
    const targetPrefix = values["to-prefix"] ?? `${to}/`;
    const [badPrefix] = validatePrefix(targetPrefix);
    if (badPrefix) throw new UsageError(`--to-prefix ${badPrefix.reason}`);
    if (values.bucket === undefined) {
      const taken = (await databasesIn(surroundings.kubectl(clusterOf(values)))).find(({ name }) => name === to);
      if (taken)
        throw new Refused(`There is a database ${to} in namespace ${taken.namespace}: give the new one another name.`);
    }
    const log = (message: string, { copied, objects }: { copied?: number; objects?: number } = {}) => {
      if (copied !== undefined) error.write(`${message}: ${copied} of ${objects ?? "all"} objects are there\n`);
    };
    const plan = await inspect<RestorePlan | { refused: string }>(
      values,
      {
        command: ["restore", at, targetPrefix, ...(fill ? ["--fill"] : [])],
        here: (source, scratch, { bucket, prefix: sourcePrefix, open }) => {
          const target = open(targetPrefix);
          const asked = { source, target, bucket, sourcePrefix, targetPrefix, at, scratch, clock: systemStoreClock };
          return fill ? fillRestore({ ...asked, log }) : planRestore(asked);
        },
        timeoutMilliseconds,
        saying: fill ? "copying" : "reading the history",
      },
      surroundings,
    );
    if ("refused" in plan) throw new Refused(plan.refused);
    const restore = { ...plan, at, to, targetPrefix };
    out.write(values.json ? `${JSON.stringify(restore, null, 2)}\n` : restoreText(restore));
    return LiveExit.good;
  });
}

/** What was found, and what the program has to say. Pure. */
export function restoreText(
  plan: RestorePlan & { place: string; at: string; to: string; targetPrefix: string },
): string {
  const { place, at, to, targetPrefix, position, time, objects, bytes, folder, databaseId } = plan;
  const [, bucket, prefix] = /^s3:\/\/([^/]+)\/(.*)$/.exec(place) ?? ["", "", place];
  const target = `s3://${bucket}/${targetPrefix}`;
  const size = objects === undefined || bytes === undefined ? "" : `, ${objects} objects, ${bytesText(bytes)}`;
  const states = {
    empty: `${target} is empty`,
    begun: `${target} has a part of the copy of this moment, as database ${databaseId}`,
    complete: `${target} has the whole copy`,
    unknown: `${target} could not be looked at with these credentials: the new database's managers see whether it is empty`,
  };
  const isComplete = folder === "complete";
  const origin = isComplete
    ? `databaseId: ${JSON.stringify(databaseId)},`
    : `restore: { prefix: ${JSON.stringify(prefix)}, at: ${JSON.stringify(String(position))} },`;
  const found = [place, `  ${at} is position ${position}${time ? ` (${time})` : ""}${size}`, `  ${states[folder]}`, ""];
  if (folder === "begun")
    return [
      ...found,
      "The same command with --fill goes on with it, and so does a database that was declared for it.",
      "",
    ].join("\n");
  return [
    ...found,
    "Declare the new database with the arguments of the old one, but for these:",
    "",
    `  new Database(${JSON.stringify(to)}, {`,
    `    ${origin}`,
    `    objectStore: { ..., prefix: ${JSON.stringify(targetPrefix)} },`,
    "  });",
    "",
    isComplete
      ? "The folder holds the data: pulumi up attaches the new database to it."
      : "pulumi up makes it: its managers copy first. Positions leave the history meanwhile; --fill copies now.",
    "",
  ].join("\n");
}
