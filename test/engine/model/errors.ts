/** A write or a definition on a node that is a replica. */
export class ReadOnlyReplica extends Error {
  constructor() {
    super("the engine is in replica mode");
    this.name = "ReadOnlyReplica";
  }
}

/** The promotion did not happen: another node took the lease, or this one is primary already. */
export class PromotionFailed extends Error {
  constructor(reason: string) {
    super(`Failed to promote replica: ${reason}`);
    this.name = "PromotionFailed";
  }
}

export class NoSuchTable extends Error {
  constructor(readonly table: string) {
    super(`the engine has no table ${table}`);
    this.name = "NoSuchTable";
  }
}

export class TableExists extends Error {
  constructor(readonly table: string) {
    super(`the engine has a table ${table} already`);
    this.name = "TableExists";
  }
}

/** A table whose write buffer, twice over, does not fit into the engine's memory. */
export class TableTooLarge extends Error {
  constructor(readonly table: string) {
    super(`the write buffer of ${table} exceeds the memory limit`);
    this.name = "TableTooLarge";
  }
}

/** An SSTable without its values was read. A replica reports it; see {@link EngineCrashed} for a primary. */
export class CorruptTable extends Error {
  constructor(readonly table: string) {
    super(`the values of an SSTable of ${table} are missing`);
    this.name = "CorruptTable";
  }
}

/** A scan that needs more open SSTables than there may be. */
export class TooManySstables extends Error {
  constructor(readonly table: string) {
    super(`there are too many SSTables to scan ${table}`);
    this.name = "TooManySstables";
  }
}

/** The engine died of a segmentation fault: the process must end as if by SIGSEGV. */
export class EngineCrashed extends Error {
  constructor(reason: string) {
    super(`segmentation fault: ${reason}`);
    this.name = "EngineCrashed";
  }
}

/** The engine was killed or closed; what still ran in it ends with this. */
export class EngineStopped extends Error {
  constructor() {
    super("the engine has stopped");
    this.name = "EngineStopped";
  }
}
