/** An error as a client sees it: number, SQLSTATE and text are MariaDB's. */
export class SqlError extends Error {
  constructor(
    readonly errno: number,
    readonly sqlState: string,
    message: string,
  ) {
    super(message);
    this.name = "SqlError";
  }
}

/** MariaDB's errors, by what they are about. */
export const sqlErrors = {
  accessDenied: (user: string, host: string, withPassword: boolean) =>
    new SqlError(
      1045,
      "28000",
      `Access denied for user '${user}'@'${host}' (using password: ${withPassword ? "YES" : "NO"})`,
    ),
  databaseAccessDenied: (user: string, host: string, database: string) =>
    new SqlError(1044, "42000", `Access denied for user '${user}'@'${host}' to database '${database}'`),
  tableAccessDenied: (privilege: string, user: string, host: string, table: string) =>
    new SqlError(1142, "42000", `${privilege} command denied to user '${user}'@'${host}' for table ${table}`),
  privilegeNeeded: (privilege: string) =>
    new SqlError(
      1227,
      "42000",
      `Access denied; you need (at least one of) the ${privilege} privilege(s) for this operation`,
    ),
  insecureTransport: () =>
    new SqlError(
      3159,
      "08004",
      "Connections using insecure transport are prohibited while --require_secure_transport=ON.",
    ),
  tooManyConnections: () => new SqlError(1040, "08004", "Too many connections"),
  noDatabaseSelected: () => new SqlError(1046, "3D000", "No database selected"),
  unknownCommand: () => new SqlError(1047, "08S01", "Unknown command"),
  badHandshake: () => new SqlError(1043, "08S01", "Bad handshake"),
  unknownDatabase: (name: string) => new SqlError(1049, "42000", `Unknown database '${name}'`),
  databaseExists: (name: string) => new SqlError(1007, "HY000", `Can't create database '${name}'; database exists`),
  noSuchDatabase: (name: string) =>
    new SqlError(1008, "HY000", `Can't drop database '${name}'; database doesn't exist`),
  noSuchTable: (name: string) => new SqlError(1146, "42S02", `Table '${name}' doesn't exist`),
  unknownTable: (name: string) => new SqlError(1051, "42S02", `Unknown table '${name}'`),
  tableExists: (name: string) => new SqlError(1050, "42S01", `Table '${name}' already exists`),
  unknownColumn: (name: string, place: string) => new SqlError(1054, "42S22", `Unknown column '${name}' in '${place}'`),
  columnCount: (row: number) => new SqlError(1136, "21S01", `Column count doesn't match value count at row ${row}`),
  noDefault: (column: string) => new SqlError(1364, "HY000", `Field '${column}' doesn't have a default value`),
  nullColumn: (column: string) => new SqlError(1048, "23000", `Column '${column}' cannot be null`),
  badValue: (type: string, value: string, column: string) =>
    new SqlError(1366, "22007", `Incorrect ${type} value: '${value}' for column '${column}' at row 1`),
  outOfRange: (column: string) => new SqlError(1264, "22003", `Out of range value for column '${column}' at row 1`),
  tooLong: (column: string) => new SqlError(1406, "22001", `Data too long for column '${column}' at row 1`),
  duplicate: (value: string, key: string) => new SqlError(1062, "23000", `Duplicate entry '${value}' for key '${key}'`),
  syntax: (near: string) =>
    new SqlError(
      1064,
      "42000",
      `You have an error in your SQL syntax; check the manual that corresponds to your MariaDB server version for the right syntax to use near '${near.slice(0, 80)}' at line 1`,
    ),
  onlySelfJoin: () =>
    new SqlError(
      1064,
      "42000",
      "This simulation understands DELETE from several tables as DELETE a FROM t a, t b WHERE a.k IN (x, y) AND b.k = a.k only",
    ),
  notSimulated: (what: string) => new SqlError(1235, "42000", `This simulation doesn't support ${what}`),
  unknownFunction: (name: string) => new SqlError(1305, "42000", `FUNCTION ${name} does not exist`),
  unknownVariable: (name: string) => new SqlError(1193, "HY000", `Unknown system variable '${name}'`),
  readOnlyVariable: (name: string) => new SqlError(1238, "HY000", `Variable '${name}' is a read only variable`),
  globalVariable: (name: string) =>
    new SqlError(1229, "HY000", `Variable '${name}' is a GLOBAL variable and should be set with SET GLOBAL`),
  wrongValue: (name: string, value: string) =>
    new SqlError(1231, "42000", `Variable '${name}' can't be set to the value of '${value}'`),
  readOnly: (option = "--read-only") =>
    new SqlError(
      1290,
      "HY000",
      `The MariaDB server is running with the ${option} option so it cannot execute this statement`,
    ),
  /** What TidesDB's "read-only" becomes for a row that is written on a replica. */
  replicaWrite: () =>
    new SqlError(1207, "25000", "Update locks cannot be acquired during a READ UNCOMMITTED transaction"),
  /** What TidesDB's "read-only" becomes for a table that is made on a replica. */
  replicaDefinition: (table: string) =>
    new SqlError(1005, "HY000", `Can't create table ${table} (errno: 148 "Unknown error 148")`),
  /** What the engine's "invalid arguments" becomes for a table that is made. */
  tableTooLarge: (table: string) =>
    new SqlError(1005, "HY000", `Can't create table ${table} (errno: 122 "Internal (unspecified) error in handler")`),
  keyTooLong: (most: number) =>
    new SqlError(1071, "42000", `Specified key was too long; max key length is ${most} bytes`),
  lockWaitTimeout: () => new SqlError(1205, "HY000", "Lock wait timeout exceeded; try restarting transaction"),
  backupLockActive: () => new SqlError(4145, "HY000", "Can't execute the command as you have a BACKUP STAGE active"),
  backupNotRunning: () => new SqlError(4146, "HY000", 'You must start backup with "BACKUP STAGE START"'),
  backupStagePassed: (stage: string, present: string) =>
    new SqlError(4147, "HY000", `Backup stage '${stage}' is same or before current backup stage '${present}'`),
  unknownBackupStage: (name: string) =>
    new SqlError(
      4149,
      "HY000",
      `Unknown backup stage: '${name}'. Stage should be one of START, FLUSH, BLOCK_DDL, BLOCK_COMMIT or END`,
    ),
  crashedTable: (table: string) =>
    new SqlError(1034, "HY000", `Index for table '${table}' is corrupt; try to repair it`),
  promotionFailed: (reason: string) => new SqlError(1105, "HY000", `[TIDESDB] ${reason}`),
  noSuchThread: (id: number) => new SqlError(1094, "HY000", `Unknown thread id: ${id}`),
  connectionKilled: () => new SqlError(1927, "70100", "Connection was killed"),
  cannotCreateUser: (what: string, account: string) =>
    new SqlError(1396, "HY000", `Operation ${what} failed for ${account}`),
  noSuchGrant: (user: string, host: string) =>
    new SqlError(1141, "42000", `There is no such grant defined for user '${user}' on host '${host}'`),
  noMatchingUser: () => new SqlError(1133, "28000", "Can't find any matching row in the user table"),
  weakPassword: () => new SqlError(1819, "HY000", "Your password does not satisfy the current policy requirements"),
  unknownStatement: (id: number) =>
    new SqlError(1243, "HY000", `Unknown prepared statement handler (${id}) given to EXECUTE`),
} as const;
