import { ChangesEntry, decodeEntry, Entry } from "../../components/manager/store/log/entry";
import { checkpointKey } from "../../components/manager/store/log/keys";
import { LogOwner } from "../../components/manager/store/log/owner";
import { blockName, DatabaseState } from "../../components/manager/store/log/state";
import { xxh32 } from "../../components/manager/store/wal/xxh32";
import { decodeWalData } from "../engine/formats/writeAheadLog";
import { Causality } from "./causality";
import { WrittenBlock } from "./engine";
import type { SimulatedNode } from "./node";

/** What the judge knows of the database that it looks at. */
export interface JudgeOptions {
  violated: (text: string) => void;
  /** Of an object. */
  content: (key: string) => Buffer | undefined;
  /** Virtual milliseconds. */
  now: () => number;
  /** Every position of so many milliseconds is promised. */
  everyPositionMilliseconds: number;
  /** No node's wall clock has been set wrong: the log's times are right. */
  clocksAreRight: () => boolean;
  /** Whether a commit has to be on its writer's disk before it is in the log. */
  isOnDiskFirst: boolean;
}

/** An entry can be so much later in the bucket than its time says. Milliseconds. */
const clockTolerance = 5000;

/** A commit that is in the log, and since which position. */
interface LoggedCommit {
  position: number;
  sequence: number;
  /** `row` is its name as of `name`'s table, made once. */
  rows: { table: number; key: string; value: string | null; name?: string; row?: string }[];
  /** The highest sequence of all commits up to here. */
  highest: number;
}

/**
 * Sees every object as the bucket does, at the moment at which it is written or deleted: that the log is one line, that nothing follows a seal, that nothing goes which a kept position needs. And it knows, from
 * the commits alone, what the database is at each position.
 */
export class Judge {
  /** The log as it stands, applied by the real code. */
  readonly state = new DatabaseState();
  /** In the order in which clients saw them. */
  readonly commits = new Causality();
  private readonly logged: LoggedCommit[] = [];
  private readonly blocks = new Map<string, number>();
  /** Those that no release covers, by name. */
  private readonly unflushed = new Map<string, { epoch: number; generation: number }>();
  /** Names of tables, by position: the map changes with an entry. */
  private readonly names: { position: number; names: Map<number, string> }[] = [];
  private owner: LogOwner | undefined;
  /** The first and the last position that name an object of data. */
  private readonly named = new Map<string, { first: number; last: number }>();
  /** Blocks that have an object of their own, and wait for their flush. */
  private readonly largeBlocks = new Set<string>();
  /** The two halves of each SSTable that is named now, by table, level and number. */
  private readonly files = new Map<string, string[]>();

  /** When each position was written, by this clock that no node has. */
  private readonly times: number[] = [];
  private readonly droppedNumbers = new Set<number>();
  /** The epoch that has used a WAL's generation. */
  private readonly generations = new Map<number, number>();
  private readonly violated: (text: string) => void;
  private readonly content: (key: string) => Buffer | undefined;

  constructor(private readonly options: JudgeOptions) {
    this.violated = options.violated;
    this.content = options.content;
  }

  /** An object was created or replaced. @param by who has sent it */
  written(key: string, bytes: Buffer, by?: SimulatedNode): void {
    if (key === "owner.json") this.ownerWritten(JSON.parse(bytes.toString()) as LogOwner);
    const [, epoch, position] = /^log\/0*(\d+)\/0*(\d+)$/.exec(key) ?? [];
    if (epoch === undefined) return;
    const entry = decodeEntry(key, bytes, Number(epoch), Number(position));
    const { state } = this;
    if (entry.position <= state.position && entry.position < (this.owner?.horizon ?? 0)) {
      // In a gap of deleted entries a candidate that slept may put its seal; whoever reads it looks at the horizon.
      if (entry.kind !== "seal" || entry.position <= 0)
        this.violated(`entry ${key} was written where another had been deleted`);
      return;
    }
    if (entry.epoch !== state.epoch || entry.position !== state.position + 1) {
      const what = entry.epoch < state.epoch ? "follows the seal of its epoch" : "leaves the line";
      this.violated(`entry ${key} ${what}: the log is at ${state.epoch}/${state.position}`);
      return;
    }
    this.times[entry.position] = this.options.now();
    this.take(entry);
    if (entry.kind === "changes" && by && this.options.isOnDiskFirst) this.judgeDisk(entry, by);
  }

  /** A writer brings into the log what its disk has. Who appends what it was told, or what it finds on its disk, has no engine that runs. */
  private judgeDisk({ position, changes }: ChangesEntry, { server, alive }: SimulatedNode): void {
    const model = server?.model;
    if (!alive || !server?.answers || !model?.isPrimary) return;
    for (const change of changes)
      for (const block of change.type === "blocks" ? change.blocks : [])
        if (this.commits.engineOf(block) === model && !model.isSynced(block))
          this.violated(`entry ${position} has commit ${block.sequence}, which is not on its writer's disk`);
  }

  /** A table's number is given once, and a generation of WALs belongs to one epoch. */
  private judgeNumbers({ epoch, changes }: ChangesEntry): void {
    for (const change of changes) {
      if (change.type === "dropped") this.droppedNumbers.add(change.number);
      else if (change.type === "table" && this.droppedNumbers.has(change.number))
        this.violated(`table number ${change.number} was given again, to ${change.name}`);
      else if (change.type === "blocks") {
        const first = this.generations.get(change.generation) ?? epoch;
        this.generations.set(change.generation, first);
        if (first !== epoch) this.violated(`WAL ${change.generation} of epoch ${first} was begun again in ${epoch}`);
      }
    }
  }

  private take(entry: Entry): void {
    const added: WrittenBlock[] = [];
    if (entry.kind === "changes") {
      let offset = 0;
      for (const change of entry.changes) {
        if (change.type !== "blocks") continue;
        for (const { size, sequence, hash, key } of change.blocks) {
          const data = key === undefined ? entry.payload.subarray(offset, offset + size) : this.content(key);
          if (key === undefined) offset += size;
          if (!data) {
            this.violated(`entry ${entry.position} names ${key}, which is not there`);
            continue;
          }
          if (xxh32(data) !== hash) {
            this.violated(`entry ${entry.position} has other data of commit ${sequence} than were written`);
            continue;
          }
          if (this.blocks.has(`${sequence}.${hash}`)) continue;
          this.blocks.set(`${sequence}.${hash}`, entry.position);
          added.push({ sequence, hash });
          const highest = Math.max(sequence, this.logged.at(-1)?.highest ?? 0);
          const rows = decodeWalData(data).writes.map(([table, key, value]) => ({ table, key, value }));
          this.logged.push({ position: entry.position, sequence, rows, highest });
        }
      }
    }
    try {
      this.state.apply(entry);
    } catch (error) {
      this.violated(String(error));
    }
    const without = this.commits.logged(added, block => this.has(block));
    if (without !== undefined) this.violated(`entry ${entry.position} has ${without}`);
    this.judgeRetired(entry);
    this.noteNamed(entry);
    if (entry.kind === "seal") return;
    this.judgeNumbers(entry);
    if (entry.changes.some(({ type }) => type === "table" || type === "dropped"))
      this.names.push({
        position: entry.position,
        names: new Map(this.state.liveTables().map(({ number, name }) => [number, name])),
      });
    // What was named before was there, and nothing goes that is named.
    for (const change of entry.changes)
      for (const { keys, values } of change.type === "files" ? change.added : [])
        if (!this.content(keys.key) || !this.content(values.key))
          this.violated(`entry ${entry.position} names ${keys.key}, which is not there`);
  }

  /** Which objects this entry begins to name, and which it does not name any more; from the changes alone. */
  private noteNamed({ position, ...entry }: Entry): void {
    const begin = (key: string) => {
      this.named.set(key, { first: this.named.get(key)?.first ?? position, last: Infinity });
    };
    const end = (key: string) => {
      const known = this.named.get(key);
      if (known) known.last = Math.min(known.last, position - 1);
    };
    const endFile = (name: string) => {
      this.files.get(name)?.forEach(end);
      this.files.delete(name);
    };
    for (const change of entry.kind === "seal" ? [] : entry.changes) {
      if (change.type === "dropped")
        for (const name of [...this.files.keys()]) if (name.startsWith(`${change.number}/`)) endFile(name);
      if (change.type === "blocks")
        for (const { key } of change.blocks) {
          if (key === undefined) continue;
          begin(key);
          this.largeBlocks.add(key);
        }
      if (change.type !== "files") continue;
      for (const { level, id } of change.removed) endFile(`${change.table}/${level}/${id}`);
      for (const { level, id, keys, values } of change.added) {
        this.files.set(`${change.table}/${level}/${id}`, [keys.key, values.key]);
        [keys.key, values.key].forEach(begin);
      }
    }
    if (this.largeBlocks.size === 0) return;
    const blocks = new Set([...this.state.blocks.values()].map(({ key }) => key));
    for (const key of this.largeBlocks) {
      if (blocks.has(key)) continue;
      end(key);
      this.largeBlocks.delete(key);
    }
  }

  /** A release has retired the blocks of its flush and of those before, and of all epochs before, and no others. */
  private judgeRetired(entry: Entry): void {
    const { state } = this;
    if (entry.kind === "seal") return;
    for (const change of entry.changes) {
      if (change.type === "blocks")
        for (const { sequence, hash } of change.blocks)
          this.unflushed.set(`${sequence}.${hash}`, { epoch: entry.epoch, generation: change.generation });
      else if (change.type === "flushed")
        for (const [name, { epoch, generation }] of this.unflushed)
          if (epoch < entry.epoch || generation <= change.generation) this.unflushed.delete(name);
    }
    // What came with an entry was the same set before it.
    const released = entry.changes.some(({ type }) => type === "flushed");
    const expected = released
      ? [...this.unflushed.keys()]
      : entry.changes.flatMap(change => (change.type === "blocks" ? change.blocks.map(blockName) : []));
    if (state.blocks.size !== this.unflushed.size || expected.some(name => !state.blocks.has(name)))
      this.violated(`${state.blocks.size} blocks are to be replayed at ${entry.position}, not ${this.unflushed.size}`);
  }

  private ownerWritten(owner: LogOwner): void {
    if (owner.sealedAt > this.state.position && owner.sealedAt > 0)
      this.violated(`the owner's record leads: ${owner.sealedAt} before ${this.state.position}`);
    const before = this.owner?.horizon ?? 0;
    if (owner.horizon < before) this.violated("the horizon has gone back");
    const since = this.options.now() - this.options.everyPositionMilliseconds;
    if (
      owner.horizon > before &&
      this.options.clocksAreRight() &&
      (this.times[owner.horizon] ?? -Infinity) > since + clockTolerance
    )
      this.violated(`the horizon was raised to ${owner.horizon}, before which positions are promised`);
    this.owner = owner;
  }

  /** An object is about to be deleted. */
  deleted(key: string): void {
    const [, , position] = /^log\/0*(\d+)\/0*(\d+)$/.exec(key) ?? [];
    if (position !== undefined) {
      if (Number(position) >= this.horizon) this.violated(`${key} was deleted before the horizon was raised`);
      const near = this.state.seals.some(seal => Math.abs(seal.position - Number(position)) <= 1);
      if (near) this.violated(`${key} was deleted, a seal or its neighbour`);
    }
    if (this.owner?.checkpoints.some(({ position: at }) => key === checkpointKey(at)))
      this.violated(`${key} was deleted, and the owner's record points to it`);
    if (this.owner?.history.some(({ position: at }) => key === checkpointKey(at)))
      this.violated(`${key} was deleted, a checkpoint of the history`);
    const named = this.named.get(key);
    if (!named) return;
    if (named.last >= this.horizon)
      this.violated(`${key} was deleted, which position ${Math.min(named.last, this.position)} names`);
    const single = this.singlePositions.find(at => named.first <= at && at <= named.last);
    if (single !== undefined) this.violated(`${key} was deleted, which the kept checkpoint ${single} names`);
  }

  /** Positions before the horizon that are kept. */
  get singlePositions(): number[] {
    const { checkpoints = [], history = [], horizon = 0 } = this.owner ?? {};
    return [...checkpoints, ...history].map(({ position }) => position).filter(position => position < horizon);
  }

  get horizon(): number {
    return this.owner?.horizon ?? 0;
  }

  get position(): number {
    return this.state.position;
  }

  /** Whether a commit is in the log by now. */
  has({ sequence, hash }: WrittenBlock): boolean {
    return this.blocks.has(`${sequence}.${hash}`);
  }

  /** The rows of the database, by `table/key`, from the commits alone. @param of those that count; default: every one at a position */
  rowsAt(position: number, of = (commit: LoggedCommit) => commit.position <= position): Map<string, string> {
    const names = this.namesAt(position);
    const newest = new Map<string, { sequence: number; value: string | null }>();
    for (const commit of this.logged) {
      if (!of(commit)) continue;
      for (const changed of commit.rows) {
        const name = names.get(changed.table);
        if (name === undefined) continue;
        if (changed.name !== name) Object.assign(changed, { name, row: `${name}/${changed.key}` });
        const row = changed.row!;
        const { sequence } = commit;
        if ((newest.get(row)?.sequence ?? -1) <= sequence) newest.set(row, { sequence, value: changed.value });
      }
    }
    const rows = new Map<string, string>();
    for (const [row, { value }] of newest) if (value !== null) rows.set(row, value);
    return rows;
  }

  /** Whether each commit at a position or before has a sequence up to this one, but for those of which nothing is left: they changed tables that were dropped, or deleted rows alone. */
  isCovered(position: number, sequence: number): boolean {
    // They stand in the order of their positions.
    let [low, high] = [0, this.logged.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.logged[middle]!.position <= position) low = middle + 1;
      else high = middle;
    }
    if (low === 0 || this.logged[low - 1]!.highest <= sequence) return true;
    const names = this.namesAt(position);
    const above = this.logged.slice(0, low).filter(commit => commit.sequence > sequence);
    return above.every(({ rows }) => rows.every(({ table, value }) => value === null || !names.has(table)));
  }

  /** Tables' names at a position. */
  private namesAt(position: number): Map<number, string> {
    return this.names.findLast(one => one.position <= position)?.names ?? new Map<number, string>();
  }
}
