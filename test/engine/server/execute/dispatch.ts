import { Expression, Statement } from "../sql/ast";
import { numberOf, ok, Result, Value } from "../values";
import * as accounts from "./accounts";
import { kill, maintain, setVariables } from "./administer";
import type { ClientSession } from "./clientSession";
import * as define from "./define";
import { evaluate } from "./evaluate";
import * as modify from "./modify";
import { select } from "./select";
import { show } from "./show";
import { Transaction } from "./transaction";

/** Runs a statement in its transaction: its own, where none was begun. @throws SqlError */
export async function execute(session: ClientSession, statement: Statement, parameters: Value[]): Promise<Result> {
  const { backup } = session.server;
  if (writesRows(statement) || defines(statement) || statement.type === "optimize") backup.refuseHolder(session);
  if (endsTransaction(statement)) await session.commit();
  if (!defines(statement)) return inTransaction(session, statement, parameters);
  return backup.pass("definition", session, () => inTransaction(session, statement, parameters));
}

/** Statements that need a transaction. */
function writesRows({ type }: Statement): boolean {
  return ["insert", "update", "delete", "truncate"].includes(type);
}

/** Statements that change tables, databases or accounts. */
function defines({ type }: Statement): boolean {
  return /^(create|drop|alter|truncate|grant|revoke|setPassword)/.test(type);
}

/** Statements that commit whatever is under way. */
function endsTransaction(statement: Statement): boolean {
  return defines(statement) || /^(begin|commit|optimize|flush|unlockTables|backup)$/.test(statement.type);
}

async function inTransaction(session: ClientSession, statement: Statement, parameters: Value[]): Promise<Result> {
  const needsOne = writesRows(statement);
  const wasUnderWay = session.inTransaction;
  if (needsOne) session.transaction ??= new Transaction(session);
  const isOwn = needsOne && !wasUnderWay && (session.autocommit || statement.type === "truncate");
  try {
    const result = await run(session, statement, parameters);
    if (isOwn) await session.commit();
    return result;
  } catch (error) {
    if (isOwn) {
      session.transaction?.rollback();
      session.transaction = undefined;
    }
    throw error;
  }
}

async function run(session: ClientSession, statement: Statement, parameters: Value[]): Promise<Result> {
  switch (statement.type) {
    case "select":
      await sleepFor(session, statement.items, parameters);
      return select(session, statement, parameters);
    case "insert":
      return modify.insert(session, statement, parameters);
    case "update":
      return modify.update(session, statement, parameters);
    case "delete":
      return modify.remove(session, statement, parameters);
    case "truncate":
      return define.truncate(session, statement.table);
    case "createTable":
      return define.createTable(session, statement);
    case "alterTable":
      return define.alterTable(session, statement);
    case "alterRename":
      return define.renameTables(session, statement.renames);
    case "dropTable":
      return define.dropTables(session, statement.tables, statement.ifExists);
    case "createDatabase":
      return define.createDatabase(session, statement);
    case "dropDatabase":
      return define.dropDatabase(session, statement.name, statement.ifExists);
    case "createUser":
      return accounts.createUsers(session, statement);
    case "alterUser":
      return accounts.alterUsers(session, statement.users, statement.ifExists);
    case "dropUser":
      return accounts.dropUsers(session, statement.users, statement.ifExists);
    case "setPassword":
      return accounts.setPassword(session, statement);
    case "grant":
    case "revoke":
      return accounts.grant(session, statement);
    case "set":
      return setVariables(session, statement.variables, parameters);
    case "show":
      return show(session, statement);
    case "use":
      session.useDatabase(statement.database);
      return ok();
    case "optimize":
    case "analyze":
    case "check":
      return maintain(session, statement.type, statement.tables);
    case "begin":
      session.transaction = new Transaction(session);
      session.begun = true;
      return ok();
    case "rollback":
      session.transaction?.rollback();
      session.transaction = undefined;
      return ok();
    case "flush":
      session.requireAdministrator("RELOAD");
      if (statement.what === "SSL") session.server.loadCertificate();
      for (const { database = session.requireDatabase(), table } of statement.tables)
        session.server.localTables.readDefinition(database, table);
      return ok();
    case "kill":
      return kill(session, statement);
    case "backup":
      session.requireAdministrator("RELOAD");
      await session.server.backup.enter(session, statement.stage);
      return ok();
    case "shutdown":
      session.requireAdministrator("SHUTDOWN");
      session.server.host.shutdown();
      return ok();
    case "commit":
    case "unlockTables":
    case "nothing":
      return ok();
  }
}

/** SLEEP is slept before the rest is evaluated, and only where it is an item of its own. */
async function sleepFor(
  session: ClientSession,
  items: { expression?: Expression }[],
  parameters: Value[],
): Promise<void> {
  for (const { expression } of items) {
    if (expression?.type !== "call" || expression.name !== "SLEEP" || !expression.parameters[0]) continue;
    const seconds = Number(numberOf(evaluate(expression.parameters[0], session.scope(parameters))));
    await new Promise(resolve => setTimeout(resolve, 1000 * seconds));
  }
}
