import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { connectionMountPath } from "../../components/core/connections";
import { run } from "./command";
import { projectFolder } from "./localStack";

/** Programs that write with the connection Secret's strings as an application would, one for each client. */
const programs = resolve(__dirname, "clients");

/** What package managers fetched for the clients stays here between runs. */
const cache = join(projectFolder, "node_modules/.cache/tidesql-clients");

/** A client, and how to have it here. */
export interface Client {
  name: string;
  /** What it takes beyond this repository, for the report of a machine that lacks it. */
  needs?: string;
  /**
   * Makes the program ready.
   * @returns its command line
   * @throws Error where the driver cannot be had
   */
  prepare: () => Promise<{ command: string[]; environment?: Record<string, string> }>;
}

export const clients: Client[] = [
  { name: "mysql2", prepare: () => Promise.resolve({ command: [process.execPath, join(programs, "mysql2.mjs")] }) },
  {
    name: "mariadb",
    prepare: () => Promise.resolve({ command: [process.execPath, join(programs, "mariadb.mjs")] }),
  },
  {
    name: "sqlalchemy",
    needs: "python3, and SQLAlchemy and PyMySQL, installed or from pip",
    prepare: async () => {
      const folder = join(cache, "python");
      const environment = { PYTHONPATH: folder };
      const present = () => run("python3", ["-c", "import sqlalchemy, pymysql"], { environment });
      await present().catch(async () => {
        await run("python3", ["-m", "pip", "install", "--quiet", "--target", folder, "sqlalchemy", "pymysql"]);
        await present();
      });
      return { command: ["python3", join(programs, "sqlalchemy_client.py")], environment };
    },
  },
  {
    name: "go",
    needs: "go, and go-sql-driver from its module cache or a module proxy",
    prepare: async () => {
      const program = join(cache, "go-client");
      await run("go", ["build", "-o", program, "."], { directory: join(programs, "go"), deadlineSeconds: 240 });
      return { command: [program] };
    },
  },
  {
    name: "php",
    needs: "php with pdo_mysql",
    prepare: async () => {
      assert.match(await run("php", ["-m"]), /^pdo_mysql$/m);
      return { command: ["php", join(programs, "pdo.php")] };
    },
  },
];

/** Where a client runs: a machine that has the user's Secret mounted at its usual place, and a DNS that knows the database. */
export class ClientMachine {
  private readonly mountPoint: string;

  /**
   * @param folder of its files
   * @param database the database's name
   * @param secret content of the connection Secret
   * @param addresses by host name
   */
  constructor(
    private readonly folder: string,
    database: string,
    secret: Record<string, string>,
    addresses: Record<string, string>,
  ) {
    this.mountPoint = connectionMountPath({ database });
    mkdirSync(join(folder, "secret"), { recursive: true });
    for (const [key, value] of Object.entries(secret)) writeFileSync(join(folder, "secret", key), value);
    const hosts = Object.entries(addresses).map(([name, address]) => `${address} ${name}\n`);
    writeFileSync(join(folder, "hosts"), `127.0.0.1 localhost\n${hosts.join("")}`);
    mkdirSync(this.mountPoint, { recursive: true });
  }

  /** The same machine with some keys of the Secret replaced, in a folder of its own. */
  with(folder: string, database: string, keys: Record<string, string>): ClientMachine {
    cpSync(this.folder, folder, { recursive: true });
    for (const [key, value] of Object.entries(keys)) writeFileSync(join(folder, "secret", key), value);
    const changed = Object.create(ClientMachine.prototype) as ClientMachine;
    return Object.assign(changed, { folder, mountPoint: connectionMountPath({ database }) });
  }

  /** Starts a client that inserts 1, 2, 3, … into a table until it is stopped. It sees the machine's mounts in a namespace of its own. */
  start({ command, environment }: Awaited<ReturnType<Client["prepare"]>>, table: string): RunningClient {
    const mounts = 'mount --bind "$0/secret" "$1" && mount --bind "$0/hosts" /etc/hosts && shift && exec "$@"';
    const child = spawn("unshare", ["--mount", "sh", "-c", mounts, this.folder, this.mountPoint, ...command], {
      env: {
        ...process.env,
        ...environment,
        SECRET: this.mountPoint,
        TABLE: table,
        NODE_EXTRA_CA_CERTS: `${this.mountPoint}/ca.crt`,
      },
      stdio: ["pipe", "pipe", "pipe"],
    });
    return new RunningClient(child);
  }

  remove(): void {
    if (existsSync(this.mountPoint)) rmSync(this.mountPoint, { recursive: true });
  }
}

/** A client that writes. */
export class RunningClient {
  /** Rows whose insertion the database has acknowledged, in order. */
  readonly acknowledged: number[] = [];
  /** What the driver said about the insertions that failed. */
  readonly failures: string[] = [];
  private changed: () => void = () => undefined;

  constructor(private readonly process: ChildProcess) {
    assert.ok(process.stdout && process.stderr);
    createInterface(process.stdout).on("line", line => {
      // PHP writes its warnings here.
      if (/^\d+$/.test(line)) this.acknowledged.push(Number(line));
      else this.failures.push(line);
      this.changed();
    });
    createInterface(process.stderr).on("line", line => {
      this.failures.push(line);
      this.changed();
    });
    process.on("exit", () => this.changed());
  }

  /** Waits until something holds of what the client has reported. @throws Error when it does not in time, or the client ends */
  until(what: string, holds: () => boolean, deadlineSeconds = 60): Promise<void> {
    return new Promise((fulfil, reject) => {
      const fail = (why: string) => reject(new Error(`${why}; wanted ${what}; failures: ${this.failures.join("; ")}`));
      const timer = setTimeout(() => fail(`waited ${deadlineSeconds} s`), deadlineSeconds * 1000);
      const end = (settle: () => void) => {
        clearTimeout(timer);
        this.changed = () => undefined;
        settle();
      };
      this.changed = () => {
        if (holds()) end(fulfil);
        else if (this.process.exitCode !== null) end(() => fail(`the client ended with ${this.process.exitCode}`));
      };
      this.changed();
    });
  }

  /** Waits for so many further rows. */
  more(rows: number, deadlineSeconds = 60): Promise<void> {
    const goal = this.acknowledged.length + rows;
    return this.until(`${rows} rows more`, () => this.acknowledged.length >= goal, deadlineSeconds);
  }

  /** Ends the client as its input ends. */
  async stop(): Promise<void> {
    const ended = new Promise(fulfil => this.process.once("exit", fulfil));
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    this.process.stdin?.end();
    await ended;
  }
}
