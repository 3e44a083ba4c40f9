import { Value } from "../values";

export type Expression =
  | { type: "literal"; value: Value }
  | { type: "column"; table?: string; name: string }
  | { type: "variable"; scope?: "global" | "session"; name: string }
  | { type: "userVariable"; name: string }
  | { type: "parameter"; index: number }
  | { type: "call"; name: string; parameters: Expression[]; distinct: boolean; star: boolean }
  | { type: "unary"; operator: "-" | "not" | "+"; operand: Expression }
  | { type: "binary"; operator: string; left: Expression; right: Expression }
  | { type: "in"; operand: Expression; list: Expression[]; not: boolean }
  | { type: "between"; operand: Expression; low: Expression; high: Expression; not: boolean }
  | { type: "like"; operand: Expression; pattern: Expression; not: boolean; regular: boolean }
  | { type: "is"; operand: Expression; what: "null" | "true" | "false"; not: boolean }
  | { type: "case"; subject?: Expression; branches: { when: Expression; then: Expression }[]; otherwise?: Expression }
  | { type: "default" };

export interface TableReference {
  database?: string;
  table: string;
  alias?: string;
}

export interface SelectItem {
  /** Undefined: all columns. */
  expression?: Expression;
  /** The column's name in the result. */
  name: string;
}

export interface Order {
  expression: Expression;
  descending: boolean;
}

export interface Limit {
  count: Expression;
  offset?: Expression;
}

export interface Select {
  type: "select";
  distinct: boolean;
  items: SelectItem[];
  from?: TableReference;
  where?: Expression;
  groupBy: Expression[];
  having?: Expression;
  orderBy: Order[];
  limit?: Limit;
  /** FOR UPDATE. */
  locks: boolean;
}

export interface Assignment {
  column: string;
  value: Expression;
}

export interface Insert {
  type: "insert";
  table: TableReference;
  /** Undefined: all, in their order. */
  columns?: string[];
  rows: Expression[][];
  select?: Select;
  ignore: boolean;
  replace: boolean;
  onDuplicate: Assignment[];
}

export interface Update {
  type: "update";
  table: TableReference;
  assignments: Assignment[];
  where?: Expression;
  orderBy: Order[];
  limit?: Limit;
}

export interface Delete {
  type: "delete";
  table: TableReference;
  /** DELETE a FROM t a, t b: the same rows go, but the engine sees a range of them. */
  joinsItself: boolean;
  where?: Expression;
  orderBy: Order[];
  limit?: Limit;
}

export interface ColumnDefinition {
  name: string;
  /** Upper case, without the length: `VARCHAR`. */
  type: string;
  length?: number;
  scale?: number;
  unsigned: boolean;
  nullable: boolean;
  autoIncrement: boolean;
  /** Of the characters; undefined: the server's. */
  characterSet?: string;
  default?: Expression;
  /** ON UPDATE CURRENT_TIMESTAMP. */
  onUpdateNow: boolean;
}

export interface KeyDefinition {
  name: string;
  columns: string[];
}

export interface TableDefinition {
  columns: ColumnDefinition[];
  primaryKey: string[];
  uniqueKeys: KeyDefinition[];
  /** Secondary keys that are not unique. */
  indexes: KeyDefinition[];
  /** As written; undefined: the default engine. */
  engine?: string;
}

export interface CreateTable {
  type: "createTable";
  table: TableReference;
  ifNotExists: boolean;
  definition: TableDefinition;
}

export interface AccountName {
  user: string;
  host: string;
}

export interface Authentication {
  account: AccountName;
  /** Undefined: not mentioned. */
  password?: string;
  /** A hash, where that was given instead of the password. */
  hash?: string;
  plugin?: string;
  requireTls?: boolean;
  locked?: boolean;
}

export interface Grant {
  type: "grant" | "revoke";
  privileges: string[];
  /** `*`, a pattern of databases, or `database.table`; `.table` in the database in use. */
  scope: string;
  accounts: Authentication[];
  grantOption: boolean;
}

export interface SetVariable {
  scope: "global" | "session" | "user";
  name: string;
  value: Expression;
}

/** What BACKUP STAGE takes, in its order. */
export const backupStages = ["START", "FLUSH", "BLOCK_DDL", "BLOCK_COMMIT", "END"] as const;

export type BackupStage = (typeof backupStages)[number];

export type Statement =
  | Select
  | Insert
  | Update
  | Delete
  | CreateTable
  | { type: "createDatabase"; name: string; ifNotExists: boolean; orReplace: boolean }
  | { type: "dropDatabase"; name: string; ifExists: boolean }
  | { type: "alterTable"; table: TableReference; added: TableDefinition; copies: boolean }
  | { type: "alterRename"; renames: { from: TableReference; to: TableReference }[] }
  | { type: "dropTable"; tables: TableReference[]; ifExists: boolean }
  | { type: "truncate"; table: TableReference }
  | { type: "createUser"; users: Authentication[]; orReplace: boolean; ifNotExists: boolean }
  | { type: "alterUser"; users: Authentication[]; ifExists: boolean }
  | { type: "dropUser"; users: AccountName[]; ifExists: boolean }
  | { type: "setPassword"; user?: AccountName; password: string }
  | Grant
  | { type: "set"; variables: SetVariable[] }
  | {
      type: "show";
      what: string;
      global: boolean;
      like?: string;
      where?: Expression;
      from?: string;
      table?: TableReference;
    }
  | { type: "use"; database: string }
  | { type: "optimize" | "analyze" | "check"; tables: TableReference[] }
  | { type: "flush"; what: string; tables: TableReference[] }
  | { type: "begin" | "commit" | "rollback" | "nothing" | "unlockTables" | "shutdown" }
  | { type: "kill"; id: Expression; query: boolean }
  | { type: "backup"; stage: BackupStage };
