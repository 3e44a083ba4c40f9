import { serverOption, type ServerOption } from "./serverOptions";

/** `SET GLOBAL a = 1, @@global.b := 'x'`, up to the end of the statement. */
const setStatement = /\bSET\s+((?:GLOBAL\b|@@GLOBAL\.)[^;]{1,2000})/gi;
/** One assignment of it; the scope may stand in front of each. */
const assignment =
  /(?:^|,)\s*(?:GLOBAL\s+|@@GLOBAL\.)?`?([A-Za-z]\w{1,100})`?\s*:?=\s*(?:"([^"]*)"|'([^']*)'|([^\s,;"'`)]+))/gi;

/** What SQL changes in the running server, with the line of each statement. */
export function settingsInSql(sql: string): (ServerOption & { line: number })[] {
  return [...sql.matchAll(setStatement)].flatMap(statement => {
    const line = sql.slice(0, statement.index).split("\n").length;
    return [...statement[1]!.matchAll(assignment)].map(([, name, double, single, plain]) => ({
      ...serverOption(name!, double ?? single ?? plain ?? ""),
      line,
    }));
  });
}
