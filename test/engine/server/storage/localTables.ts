import * as fs from "node:fs";
import * as path from "node:path";

/** Databases of the server itself. */
export const systemDatabases = ["information_schema", "mysql", "performance_schema", "sys"];

const ending = ".table.json";
/** Of a table of the engine's: what this node knows of it since it opened it first. MariaDB's name for such a file. */
const definitionEnding = ".frm";

interface LocalTable {
  definition: string;
  rows: Map<string, string>;
}

/**
 * What is on this node and nowhere else: the folders of the databases, and tables of another engine than TidesDB. Each table is one file, written anew at each
 * commit: they are small in tests.
 */
export class LocalTables {
  private readonly tables = new Map<string, LocalTable>();
  private readonly definitions = new Map<string, string>();

  constructor(private readonly dataDirectory: string) {
    for (const database of this.databases()) {
      for (const file of fs.readdirSync(path.join(dataDirectory, database))) {
        if (file.endsWith(definitionEnding)) {
          this.readDefinition(database, file.slice(0, -definitionEnding.length));
        }
        if (!file.endsWith(ending)) continue;
        const content = JSON.parse(fs.readFileSync(path.join(dataDirectory, database, file), "utf8")) as {
          definition: string;
          rows: [string, string][];
        };
        const name = `${database}.${file.slice(0, -ending.length)}`;
        this.tables.set(name, { definition: content.definition, rows: new Map(content.rows) });
      }
    }
  }

  /** Folders of the data directory: those of the system too. */
  databases(): string[] {
    const entries = fs.readdirSync(this.dataDirectory, { withFileTypes: true });
    const hidden = (name: string) => name.startsWith(".") || name.startsWith("#") || name === "lost+found";
    return entries.filter(entry => entry.isDirectory() && !hidden(entry.name)).map(entry => entry.name);
  }

  hasDatabase(name: string): boolean {
    return name === "information_schema" || this.databases().includes(name);
  }

  createDatabase(name: string): void {
    fs.mkdirSync(path.join(this.dataDirectory, name), { recursive: true });
  }

  dropDatabase(name: string): void {
    for (const table of this.names(name)) this.tables.delete(`${name}.${table}`);
    for (const table of this.keptNames(name)) this.definitions.delete(`${name}.${table}`);
    fs.rmSync(path.join(this.dataDirectory, name), { recursive: true, force: true });
  }

  names(database: string): string[] {
    return [...this.tables.keys()]
      .filter(name => name.startsWith(`${database}.`))
      .map(name => name.slice(database.length + 1));
  }

  /** Tables of the engine's that this node has opened. */
  keptNames(database: string): string[] {
    return [...this.definitions.keys()]
      .filter(name => name.startsWith(`${database}.`))
      .map(name => name.slice(database.length + 1));
  }

  /** A table of the engine's, as this node has known it first, or has changed it itself. */
  keptDefinition(database: string, table: string): string | undefined {
    return this.definitions.get(`${database}.${table}`);
  }

  keepDefinition(database: string, table: string, definition: string): void {
    this.definitions.set(`${database}.${table}`, definition);
    this.createDatabase(database);
    fs.writeFileSync(this.definitionFile(database, table), definition);
  }

  /** The first half of ALTER TABLE in place: the new definition in a file of the statement's own. @returns the second, which puts it in place of the old one */
  alterDefinition(database: string, table: string, definition: string, thread: number): () => void {
    const own = this.definitionFile(database, `#sql-alter-${process.pid.toString(16)}-${thread.toString(16)}`);
    fs.writeFileSync(own, definition);
    return () => {
      fs.renameSync(own, this.definitionFile(database, table));
      this.definitions.set(`${database}.${table}`, definition);
    };
  }

  /** Reads a definition's file, which may be another by now. */
  readDefinition(database: string, table: string): void {
    const file = this.definitionFile(database, table);
    if (table.startsWith("#") || !fs.existsSync(file)) this.definitions.delete(`${database}.${table}`);
    else this.definitions.set(`${database}.${table}`, fs.readFileSync(file, "utf8"));
  }

  forgetDefinition(database: string, table: string): void {
    this.definitions.delete(`${database}.${table}`);
    fs.rmSync(this.definitionFile(database, table), { force: true });
  }

  private definitionFile(database: string, table: string): string {
    return path.join(this.dataDirectory, database, `${table}${definitionEnding}`);
  }

  definition(database: string, table: string): string | undefined {
    return this.tables.get(`${database}.${table}`)?.definition;
  }

  rows(database: string, table: string): Map<string, string> {
    return this.tables.get(`${database}.${table}`)?.rows ?? new Map<string, string>();
  }

  create(database: string, table: string, definition: string): void {
    this.tables.set(`${database}.${table}`, { definition, rows: new Map() });
    this.save(database, table);
  }

  drop(database: string, table: string): void {
    this.tables.delete(`${database}.${table}`);
    fs.rmSync(this.file(database, table), { force: true });
  }

  write(database: string, table: string, writes: Iterable<[key: string, value: string | null]>): void {
    const rows = this.rows(database, table);
    for (const [key, value] of writes) {
      if (value === null) rows.delete(key);
      else rows.set(key, value);
    }
    this.save(database, table);
  }

  private file(database: string, table: string): string {
    return path.join(this.dataDirectory, database, `${table}${ending}`);
  }

  private save(database: string, table: string): void {
    const content = this.tables.get(`${database}.${table}`);
    if (!content) return;
    const temporary = `${this.file(database, table)}.tmp`;
    fs.writeFileSync(temporary, JSON.stringify({ definition: content.definition, rows: [...content.rows] }));
    fs.renameSync(temporary, this.file(database, table));
  }
}
