import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as mysql2 from "mysql2/promise";
import { mariadbEngine } from "../../../components/manager/engine/mariadbEngine";
import { Engine } from "../../../components/manager/base/ports";
import { TestServer } from "../../engine/testServer";
import { configuration } from "../views";

const timeout = 5000;
const userPassword = "App-Password-1";
const storeLines = () => ["tidesdb_s3_access_key=AKIATEST", "tidesdb_s3_secret_key=secret-key-of-tests"];

describe("mariadbd, as the manager runs it", () => {
  let root: string;
  let server: TestServer;
  let engine: Engine;
  let log: string[];
  const inRoot = (name: string) => join(root, name);

  /** A process of that name, which does nothing; what speaks SQL at the socket is in this process. */
  function installProgram(script: string): void {
    mkdirSync(inRoot("prefix/bin"), { recursive: true });
    writeFileSync(inRoot("prefix/bin/mariadbd"), `#!/bin/sh\nprintf '%s\\n' "$@" >${inRoot("arguments")}\n${script}\n`);
    chmodSync(inRoot("prefix/bin/mariadbd"), 0o755);
  }

  /** Starts it; the server reads the init file as mariadbd would. @param change what happens to that before */
  async function start(change = (text: string) => text): Promise<void> {
    let read: Promise<void> = Promise.resolve();
    await engine.start(timeout, () => {
      read = server.run(change(readFileSync(inRoot("init.sql"), "utf8")));
    });
    await read;
  }

  async function accounts(): Promise<string[]> {
    const [rows] = await (await asUser()).query("SELECT User, Host FROM mysql.user WHERE is_role = 'N'");
    return (rows as { User: string; Host: string }[]).map(({ User, Host }) => `${User}@${Host}`).sort();
  }

  const asUser = (): Promise<mysql2.Connection> => server.remote({ user: "app", password: userPassword });

  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), "engine-"));
    for (const folder of ["users", "tidesdb"]) mkdirSync(inRoot(folder));
    writeFileSync(inRoot("users/app"), `${userPassword}\n`);
    server = await TestServer.start();
    log = [];
    installProgram("exec sleep 600");
    const users = [{ name: "app", host: "%", grants: [{ database: "*", privileges: ["ALL PRIVILEGES"] }] }];
    engine = mariadbEngine(
      { ...configuration, mariadbPrefix: inRoot("prefix"), users, requireTls: false },
      storeLines,
      (_level, message, fields) => void log.push(`${message} ${JSON.stringify(fields)}`),
      {
        serverConfiguration: inRoot("my.cnf"),
        mariadbDirectory: inRoot("mysql"),
        socket: server.socket,
        runDirectory: root,
        temporaryDirectory: root,
        initFile: inRoot("init.sql"),
        usersSecretDirectory: inRoot("users"),
        engineConfiguration: "/etc/engine.cnf",
      },
    );
  });
  afterEach(async () => {
    await engine.end();
    server.stop();
    rmSync(root, { recursive: true });
  });

  it("has nothing in its environment by which it could take the role of its pod", async () => {
    const identity = {
      AWS_ROLE_ARN: "arn:aws:iam::123456789012:role/orders",
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: "/token",
      AWS_CONTAINER_CREDENTIALS_FULL_URI: "http://169.254.170.23/v1/credentials",
    };
    installProgram(`env >${inRoot("environment")}\nexec sleep 600`);
    Object.assign(process.env, identity, { TZ_OF_TESTS: "UTC" });
    try {
      await start();
    } finally {
      for (const name of [...Object.keys(identity), "TZ_OF_TESTS"]) delete process.env[name];
    }
    const environment = readFileSync(inRoot("environment"), "utf8");
    assert.match(environment, /^TZ_OF_TESTS=UTC$/m);
    assert.doesNotMatch(environment, /AWS_|169\.254/);
  });

  it("is a replica that takes no writes at each start, and has its secrets in files that nobody else reads", async () => {
    await start();
    const given = readFileSync(inRoot("arguments"), "utf8").split("\n");
    for (const option of ["--tidesdb_replica_mode=ON", "--read_only=ON", `--init-file=${inRoot("init.sql")}`])
      assert.ok(given.includes(option), option);
    assert.equal(given[0], `--defaults-file=${inRoot("my.cnf")}`);
    assert.equal(
      readFileSync(inRoot("my.cnf"), "utf8"),
      "!include /etc/engine.cnf\n[mariadbd]\ntidesdb_s3_access_key=AKIATEST\ntidesdb_s3_secret_key=secret-key-of-tests\n",
    );
    for (const file of ["my.cnf", "init.sql"]) assert.equal(statSync(inRoot(file)).mode & 0o777, 0o600);
    assert.ok(!given.join().includes("secret-key"));
    await assert.rejects(start(), /already running/);
  });

  it("has a new password for the manager at each start, and a user's without the newline of its file", async () => {
    const password = () =>
      /tidesql_manager'@'localhost' IDENTIFIED BY '([^']*)'/.exec(readFileSync(inRoot("init.sql"), "utf8"))?.[1];
    await start();
    const first = password();
    assert.ok(first !== undefined && first.length > 30);
    await (await asUser()).query("SELECT 1");
    await engine.end();
    await start();
    assert.notEqual(password(), first);
  });

  it("reads definitions anew whose files were replaced, by the names of the files", async () => {
    await start();
    const user = await asUser();
    const columns = async () => {
      const [rows] = await user.query("SHOW COLUMNS FROM app.`old-name`");
      return (rows as { Field: string }[]).map(({ Field }) => Field);
    };
    await user.query("CREATE TABLE app.`old-name` (id INT PRIMARY KEY)");
    assert.deepEqual(await columns(), ["id"]);
    const file = join(server.directory, "mysql/app/old-name.frm");
    const definition = readFileSync(file, "utf8");
    await user.query("ALTER TABLE app.`old-name` ADD COLUMN v INT");
    writeFileSync(file, definition);
    assert.deepEqual(await columns(), ["id", "v"]);
    await engine.reopenTables(["app/old@002dname"], timeout);
    assert.deepEqual(await columns(), ["id"]);
    await assert.rejects(engine.reopenTables(["app/@0z"], timeout), /name/);
  });

  describe("has the accounts that were declared", () => {
    it("and no others: leftovers are dropped, and told of", async () => {
      await start();
      assert.ok((await accounts()).includes("admin@%"));
      await engine.checkAccounts();
      const left = (await accounts()).filter(account => account !== "mariadb.sys@localhost");
      assert.deepEqual(left, ["app@%", "tidesql_manager@localhost"]);
      assert.ok(
        log.some(line => /dropping an undeclared account .*"admin"/.test(line)),
        log.join("\n"),
      );
    });

    it("though the init file was not read to its end", async () => {
      await start(text => text.split("\n").slice(0, 2).join("\n"));
      await engine.checkAccounts();
      assert.ok((await accounts()).includes("app@%"));
      const [rows] = await (await asUser()).query("SHOW DATABASES");
      assert.ok(JSON.stringify(rows).includes("shop"));
    });
  });

  it("says its version without what comes after it", async () => {
    await start();
    assert.match((await engine.version()) ?? "", /^\d+\.\d+\.\d+$/);
  });

  it("becomes read-only, and ends all sessions but the manager's", async () => {
    await start();
    const client = await asUser();
    await engine.setReadOnly(false, timeout);
    await client.query("CREATE TABLE app.rows_of_app (id INT PRIMARY KEY)");
    await engine.endSessions(timeout);
    await assert.rejects(client.query("SELECT 1"));
    await engine.setReadOnly(true, timeout);
    await engine.ping(timeout);
  });

  it("writes its heartbeat into a table that is made when it is missing, and flushes it", async () => {
    await start();
    await engine.setReadOnly(false, timeout);
    await engine.writeHeartbeat({ epoch: 7, beat: 41 }, timeout);
    await engine.writeHeartbeat({ epoch: 7, beat: 42 }, timeout);
    const [rows] = await (await asUser()).query("SELECT epoch, beat FROM tidesql_internal.heartbeat");
    assert.deepEqual(rows, [{ epoch: 7, beat: 42 }]);
    await engine.flush(timeout);
  });

  it("tells how it ended, once for each process, and can be started again", async () => {
    const ends: string[] = [];
    engine.onExit(how => ends.push(how));
    await start();
    assert.ok(engine.pid() > 0);
    await engine.end();
    assert.equal(engine.pid(), 0);
    assert.deepEqual(ends, ["signal SIGKILL"]);
    await engine.end();
    await start();
    process.kill(engine.pid(), "SIGTERM");
    await new Promise<void>(resolve => engine.onExit(() => resolve()));
    assert.deepEqual(ends, ["signal SIGKILL", "signal SIGTERM"]);
  });

  it("does not start where it ends at once, nor where there is none", async () => {
    const nobody = { ...configuration, mariadbPrefix: inRoot("prefix") };
    installProgram("exit 3");
    const socket = inRoot("nobody-listens");
    const silent = mariadbEngine({ ...nobody, users: [] }, storeLines, () => undefined, {
      serverConfiguration: inRoot("my.cnf"),
      mariadbDirectory: inRoot("mysql"),
      socket,
      runDirectory: root,
      temporaryDirectory: root,
      initFile: inRoot("init.sql"),
      usersSecretDirectory: inRoot("users"),
      engineConfiguration: "/etc/engine.cnf",
    });
    const ends: string[] = [];
    silent.onExit(how => ends.push(how));
    await assert.rejects(
      silent.start(timeout, () => undefined),
      /mariadbd ended before it answered/,
    );
    assert.deepEqual(ends, ["exit code 3"]);
    rmSync(inRoot("prefix/bin/mariadbd"));
    const told = new Promise<void>(resolve => silent.onExit(() => resolve()));
    await assert.rejects(
      silent.start(timeout, () => undefined),
      /mariadbd ended before it answered/,
    );
    await told;
    assert.match(ends[1] ?? "", /ENOENT/);
  });

  it("does not wait for the end of one that does not answer: it may not come", async () => {
    // Nobody has read the init file, so the manager's password is wrong.
    await assert.rejects(
      engine.start(200, () => undefined),
      /no answer in 200 ms: .*1045/,
    );
    assert.ok(engine.pid() > 0, "it is there still, and for the caller to kill");
  });
});
