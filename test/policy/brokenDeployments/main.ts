import { judgeCases, tableOf } from "./outcome";
import { notRun, sharedCases } from "./shared";

/**
 * Judges the cases and prints what became of each kind. `npx tsx test/policy/brokenDeployments/main.ts [part of an id]`: with a part of an id, only those cases, with
 * everything that was said of them. Exit code 2 where the cases are not there.
 */
async function main(part: string | undefined): Promise<number> {
  const cases = sharedCases();
  if (!cases) {
    console.error(notRun);
    return 2;
  }
  const judged = await judgeCases(cases.filter(({ id }) => part === undefined || id.includes(part)));
  for (const { id, outcome, said, note } of judged) {
    if (part === undefined && (outcome === "caught" || outcome === "quiet")) continue;
    console.log(`${outcome.padEnd(9)} ${id}${note === undefined ? "" : ` (${note})`}`);
    for (const line of said.slice(0, part === undefined ? 3 : 20)) console.log(`            ${line}`);
  }
  for (const line of tableOf(judged)) console.log(line);
  return 0;
}

void main(process.argv[2]).then(code => process.exit(code));
