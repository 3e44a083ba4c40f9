import {
  CorruptTable,
  NoSuchTable,
  PromotionFailed,
  ReadOnlyReplica,
  TableExists,
  TableTooLarge,
  TooManySstables,
} from "../../model/errors";
import { sqlErrors } from "../sqlError";

/** What a failure in the engine is to a client. What is none of the engine's own goes through as it is. */
export function asSqlError(error: unknown, table: string): unknown {
  if (error instanceof ReadOnlyReplica) return sqlErrors.replicaWrite();
  if (error instanceof NoSuchTable) return sqlErrors.noSuchTable(table);
  if (error instanceof TableExists) return sqlErrors.tableExists(table);
  if (error instanceof TableTooLarge) return sqlErrors.tableTooLarge(table);
  if (error instanceof CorruptTable) return sqlErrors.crashedTable(table);
  if (error instanceof TooManySstables) return sqlErrors.lockWaitTimeout();
  if (error instanceof PromotionFailed) return sqlErrors.promotionFailed(error.message);
  return error;
}
