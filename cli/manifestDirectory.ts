import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { Manifest } from "./manifests";
import type { MadeValues } from "./planner/localProviders";
import { PlanError } from "./planner/planError";

/** What an earlier run left in the folder. Not `.json` or `.yaml`: `kubectl apply -f` takes every file of those names for an object. */
const recordName = ".tidesql-plan";

/** What this command wrote into a folder, so that it never takes somebody else's file for its own. */
interface DirectoryRecord {
  /** SHA-256 of each manifest by file name. */
  files: Record<string, string>;
  /** Passwords, keys and certificates in those manifests: the next run uses them again, or every run would change all passwords. */
  made: MadeValues;
}

/** A folder of manifests: it holds passwords, so only its owner may read it. */
export class ManifestDirectory {
  private readonly record: DirectoryRecord;

  /** @throws PlanError when others can read the folder, or when what is there was not written by this command */
  constructor(private readonly path: string) {
    if (existsSync(path)) this.mustBePrivate();
    this.record = this.readRecord();
  }

  /** Values of the earlier run; give them to the planner, which adds to them. */
  get made(): MadeValues {
    return this.record.made;
  }

  /**
   * Writes the manifests, each readable by its owner alone, and removes those of an earlier run that are not among them any more.
   * @throws PlanError when a file is in the way that somebody else wrote or changed; then nothing is written
   */
  write(manifests: readonly Manifest[]): void {
    const names = new Set(manifests.map(({ fileName }) => fileName));
    const stale = Object.keys(this.record.files).filter(name => !names.has(name) && existsSync(join(this.path, name)));
    const foreign = [...names, ...stale].filter(name => this.isForeign(name));
    if (foreign.length > 0) {
      const list = foreign.map(name => `  ${name}`).join("\n");
      throw new PlanError(
        `These files in ${this.path} were written or changed by somebody else:\n${list}\nMove them away, or name a new folder. Nothing was written.`,
      );
    }
    mkdirSync(this.path, { recursive: true, mode: 0o700 });
    chmodSync(this.path, 0o700);
    for (const name of stale) rmSync(join(this.path, name));
    this.record.files = {};
    for (const { fileName, content } of manifests) {
      this.replace(fileName, content);
      this.record.files[fileName] = digest(content);
    }
    this.replace(recordName, `${JSON.stringify(this.record, null, 2)}\n`);
  }

  /** Through a new file: a link that somebody laid is replaced, not followed. */
  private replace(name: string, content: string): void {
    const temporary = join(this.path, `.${name}.new`);
    rmSync(temporary, { force: true });
    writeFileSync(temporary, content, { mode: 0o600, flag: "wx" });
    renameSync(temporary, join(this.path, name));
  }

  private isForeign(name: string): boolean {
    const path = join(this.path, name);
    if (!existsSync(path)) return false;
    return digest(readFileSync(path, "utf8")) !== this.record.files[name];
  }

  private mustBePrivate(): void {
    const stats = statSync(this.path);
    if (!stats.isDirectory()) throw new PlanError(`${this.path} is a file; manifests need a folder.`);
    const isEmpty = readdirSync(this.path).length === 0;
    if (!isEmpty && (stats.mode & 0o077) !== 0) {
      throw new PlanError(
        `Others can read ${this.path}, and the manifests hold passwords: name a new folder, or chmod 700 this one.`,
      );
    }
  }

  private readRecord(): DirectoryRecord {
    const path = join(this.path, recordName);
    if (!existsSync(path)) return { files: {}, made: {} };
    try {
      return JSON.parse(readFileSync(path, "utf8")) as DirectoryRecord;
    } catch {
      throw new PlanError(
        `${path} is damaged. Without it the passwords of the manifests there are not known any more: name a new folder.`,
      );
    }
  }
}

function digest(content: string): string {
  return createHash("sha256").update(content).digest("hex");
}
