import { ChildProcess, spawn } from "node:child_process";
import { podLayout } from "../../core/podLayout";
import { withoutIdentity } from "../credentials/choose";

/** Where mariadbd finds and leaves its files. */
export type ProcessLayout = Record<
  "serverConfiguration" | "mariadbDirectory" | "socket" | "runDirectory" | "temporaryDirectory" | "initFile",
  string
>;

/** mariadbd as a child of this process: it cannot outlive the manager, which is process 1 of the container. */
export class EngineProcess {
  private child: ChildProcess | undefined;
  private listeners: ((how: string) => void)[] = [];

  constructor(
    private readonly mariadbPrefix: string,
    private readonly layout: ProcessLayout = podLayout,
  ) {}

  get pid(): number {
    return this.child?.pid ?? 0;
  }

  onExit(listener: (how: string) => void): void {
    this.listeners.push(listener);
  }

  /**
   * Starts mariadbd. Always as a replica and read-only: a start as primary would send the whole database to the bucket again and read stale rows (docs/engine.md).
   * @throws when one is running already
   */
  start(): void {
    if (this.child) throw new Error("mariadbd is already running");
    const { layout } = this;
    const child = spawn(
      `${this.mariadbPrefix}/bin/mariadbd`,
      [
        `--defaults-file=${layout.serverConfiguration}`,
        `--basedir=${this.mariadbPrefix}`,
        `--datadir=${layout.mariadbDirectory}`,
        `--socket=${layout.socket}`,
        `--pid-file=${layout.runDirectory}/mariadb.pid`,
        `--tmpdir=${layout.temporaryDirectory}`,
        `--init-file=${layout.initFile}`,
        "--tidesdb_replica_mode=ON",
        "--read_only=ON",
      ],
      { stdio: ["ignore", "inherit", "inherit"], env: withoutIdentity(process.env) },
    );
    this.child = child;
    const ended = (how: string) => {
      if (this.child !== child) return;
      this.child = undefined;
      for (const listener of this.listeners) listener(how);
    };
    child.on("exit", (code, signal) => ended(signal ? `signal ${signal}` : `exit code ${code}`));
    child.on("error", error => ended(error.message));
  }

  /** SIGKILL, at once; resolves when the process is gone. */
  end(): Promise<void> {
    const { child } = this;
    if (!child) return Promise.resolve();
    return new Promise(resolve => {
      child.once("exit", () => resolve());
      child.kill("SIGKILL");
    });
  }
}
