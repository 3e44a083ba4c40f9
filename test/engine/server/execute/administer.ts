import { columnType } from "../protocol/constants";
import { SetVariable, Statement, TableReference } from "../sql/ast";
import { SqlError, sqlErrors } from "../sqlError";
import { numberOf, ok, OkResult, RowsResult, Value } from "../values";
import type { ClientSession } from "./clientSession";
import { evaluate } from "./evaluate";
import { findTable, guardAsync } from "./tables";

/** SET. @throws SqlError */
export async function setVariables(
  session: ClientSession,
  variables: SetVariable[],
  parameters: Value[],
): Promise<OkResult> {
  for (const { scope, name, value } of variables) {
    const given = evaluate(value, session.scope(parameters));
    if (scope === "user") session.userVariables.set(name, given);
    else if (scope === "session") await setSessionVariable(session, name, value.type === "default" ? null : given);
    else await setGlobalVariable(session, name, given);
  }
  return ok();
}

async function setSessionVariable(session: ClientSession, name: string, value: Value): Promise<void> {
  const { variables } = session.server;
  if (value === null) {
    session.sessionVariables.delete(name);
    return;
  }
  session.sessionVariables.set(name, variables.check(name, value, "session"));
  if (name === "autocommit" && session.autocommit) await session.commit();
}

async function setGlobalVariable(session: ClientSession, name: string, value: Value): Promise<void> {
  const { server } = session;
  const checked = server.variables.check(name, value, "global");
  if (name === "read_only") {
    session.requireAdministrator("READ_ONLY ADMIN");
    // Transactions that have written must end first.
    await session.commit();
    if (checked === "ON") {
      server.backup.refuseHolder(session);
      await server.writes.close(
        () => server.variables.set(name, checked),
        () => session.isEnded,
      );
    } else server.variables.set(name, checked);
    return;
  }
  session.requireAdministrator("SUPER");
  if (name === "tidesdb_promote_primary") {
    if (checked === "ON") await promote(session);
    return;
  }
  server.variables.set(name, checked);
}

async function promote({ server }: ClientSession): Promise<void> {
  const { engine } = server;
  if (!engine) throw sqlErrors.unknownVariable("tidesdb_promote_primary");
  try {
    await guardAsync(server, "", () => engine.promote());
    server.host.log("Note", "[TIDESDB] Replica promoted to primary successfully");
  } catch (error) {
    server.host.log("ERROR", `[TIDESDB] ${error instanceof Error ? error.message : "Failed to promote replica"}`);
    throw error;
  }
}

/** OPTIMIZE, ANALYZE and CHECK TABLE: one line of answer for each table. */
export async function maintain(
  session: ClientSession,
  type: "optimize" | "analyze" | "check",
  tables: TableReference[],
): Promise<RowsResult> {
  const rows: Value[][] = [];
  for (const reference of tables) {
    const database = reference.database ?? session.requireDatabase();
    const name = `${database}.${reference.table}`;
    session.requirePrivilege("SELECT", database, reference.table);
    if (type === "optimize") {
      session.requirePrivilege("INSERT", database, reference.table);
      session.requireWritable();
    }
    try {
      const table = findTable(session, reference);
      const { engine } = session.server;
      if (type === "optimize" && table.kind === "engine" && engine) {
        await guardAsync(session.server, name, () => engine.optimize({ database, table: table.name }));
        // The table is flushed by now, but the statement ends with a commit like any other.
        await session.server.backup.pass("commit", session, () => Promise.resolve());
      }
      rows.push([name, type, "status", "OK"]);
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      rows.push([name, type, "Error", error.message], [name, type, "status", "Operation failed"]);
    }
  }
  const columns = ["Table", "Op", "Msg_type", "Msg_text"].map(column => ({ name: column, type: columnType.varString }));
  return { kind: "rows", columns, rows };
}

/** KILL. @throws SqlError */
export function kill(session: ClientSession, statement: Extract<Statement, { type: "kill" }>): OkResult {
  const id = Number(numberOf(evaluate(statement.id, session.scope([]))));
  const target = session.server.sessions.get(id);
  if (!target) throw sqlErrors.noSuchThread(id);
  if (target.user !== session.user) session.requireAdministrator("CONNECTION ADMIN");
  if (!statement.query) target.end(sqlErrors.connectionKilled());
  return ok();
}
