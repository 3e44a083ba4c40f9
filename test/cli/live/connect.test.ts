import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { mayUseForwardedPort } from "../../../cli/live/access";
import { runConnect } from "../../../cli/live/connect";
import { FakeCluster, forbidden, passwords, surroundingsOf } from "./fakeCluster";

/** Plays the client: writes down how it was started, and ends with 7. */
const script = `
const { readFileSync, statSync, writeFileSync } = require("node:fs");
const [first = "", ...rest] = process.argv.slice(2);
if (first === "--version") {
  console.log(process.env.CLIENT_VERSION);
} else {
  const options = first.replace("--defaults-extra-file=", "");
  const text = readFileSync(options, "utf8");
  const authority = readFileSync(/ssl-ca=(.*)/.exec(text)[1], "utf8");
  const environment = Object.values(process.env).join(" ");
  writeFileSync(process.env.CLIENT_SAW, JSON.stringify({ options, text, authority, rest, environment, mode: statSync(options).mode & 0o777 }));
  process.exit(7);
}
`;

interface Seen {
  options: string;
  text: string;
  authority: string;
  rest: string[];
  environment: string;
  mode: number;
}

describe("tidesql connect", () => {
  let folder: string;
  let before: NodeJS.ProcessEnv;
  let cluster: FakeCluster;

  beforeEach(() => {
    before = { ...process.env };
    folder = mkdtempSync(join(tmpdir(), "tidesql-client-"));
    process.env.PATH = `${folder}:${dirname(process.execPath)}`;
    process.env.CLIENT_SAW = join(folder, "saw");
    cluster = new FakeCluster();
  });

  afterEach(() => {
    process.env = before;
    rmSync(folder, { recursive: true, force: true });
  });

  function install(program: string, version: string): void {
    process.env.CLIENT_VERSION = version;
    writeFileSync(join(folder, "client.cjs"), script);
    writeFileSync(
      join(folder, program),
      `#!${process.execPath}\nrequire(${JSON.stringify(join(folder, "client.cjs"))});\n`,
    );
    chmodSync(join(folder, program), 0o755);
  }

  const seen = () => JSON.parse(readFileSync(join(folder, "saw"), "utf8")) as Seen;

  async function connect(argv: string[], signal?: AbortSignal) {
    const { surroundings, written } = surroundingsOf(cluster, { signal });
    const code = await runConnect(argv, surroundings);
    return { code, ...written };
  }

  it("starts the client over TLS, with the password in a file that is gone afterwards", async () => {
    install("mariadb", "mariadb from 11.8.6-MariaDB, client 15.2");
    const { code, error } = await connect(["--user", "app", "--", "shop", "-e", "SELECT 1"]);
    assert.equal(code, 7, error);
    const { options, text, authority, rest, environment, mode } = seen();
    assert.deepEqual(rest, ["shop", "-e", "SELECT 1"]);
    assert.equal(mode, 0o600);
    assert.equal(authority, "the authority");
    for (const line of ["host=localhost", "port=40123", "protocol=tcp", "user=app", "ssl-verify-server-cert"]) {
      assert.ok(text.split("\n").includes(line), line);
    }
    assert.ok(text.includes(`password="${passwords.app}"`));
    assert.ok(!environment.includes(passwords.app!), "the password is in no variable");
    assert.ok(!existsSync(options));
    assert.ok(!existsSync(dirname(options)));
    assert.deepEqual(
      cluster.forwards.map(({ resource, isOpen }) => [resource, isOpen]),
      [["service/orders-primary", false]],
    );
  });

  it("verifies in MySQL's own words where the client is MySQL's", async () => {
    install("mysql", "mysql  Ver 8.4.3 for Linux on x86_64 (MySQL Community Server - GPL)");
    await connect([]);
    assert.match(seen().text, /^ssl-mode=VERIFY_IDENTITY$/m);
  });

  it("logs in as the first user that may, and reads from a replica when asked", async () => {
    install("mariadb", "MariaDB");
    await connect(["--replica"]);
    assert.match(seen().text, /^user=reader$/m);
    assert.equal(cluster.forwards[0]?.resource, "service/orders-replica");
  });

  it("prints how to connect and keeps the port open, without reading a password", async () => {
    install("mariadb", "MariaDB");
    const end = new AbortController();
    const running = connect(["--print", "--user", "app", "--port", "3307"], end.signal);
    await until(() => cluster.forwards.length === 1);
    await new Promise(resolve => setImmediate(resolve));
    assert.equal(cluster.forwards[0]?.isOpen, true);
    end.abort();
    const { code, out } = await running;
    assert.equal(code, 0);
    for (const expected of [
      /host +localhost/,
      /port +3307/,
      /user +app/,
      /CA +\/.*ca\.crt/,
      /database +shop/,
      /ssl-verify-server-cert/,
    ]) {
      assert.match(out, expected);
    }
    assert.ok(!out.includes(passwords.app!));
    assert.ok(!cluster.called("get").some(call => call.includes("orders-users")));
    assert.equal(cluster.forwards[0]?.isOpen, false);
  });

  it("says that there is no client, and keeps the port open", async () => {
    const end = new AbortController();
    const running = connect([], end.signal);
    await until(() => cluster.forwards.length === 1);
    end.abort();
    const { code, out } = await running;
    assert.equal(code, 0);
    assert.match(out, /There is no mariadb or mysql client on the PATH/);
    assert.match(out, /kubectl get secret orders-users -n shop/);
  });

  it("exits with 1 when the forwarded port is closed from the other side", async () => {
    const running = connect(["--print"], new AbortController().signal);
    await until(() => cluster.forwards.length === 1);
    cluster.forwards[0]?.end("lost connection to pod");
    const { code, error } = await running;
    assert.equal(code, 1);
    assert.match(error, /lost connection to pod/);
  });

  it("refuses users that could not log in, before anything is opened", async () => {
    const unknown = await connect(["--user", "nobody"]);
    assert.equal(unknown.code, 1);
    assert.match(
      unknown.error,
      /no user "nobody"\. The declared users: office \(from 10\.0\.%\), reader \(from %\), app/,
    );
    assert.match((await connect(["--user", "office"])).error, /office may connect from 10\.0\.% only/);
    cluster.configuration = { ...cluster.configuration, users: [] };
    assert.match((await connect([])).error, /No declared user may log in/);
    assert.deepEqual(cluster.forwards, []);
  });

  it("says that a Secret may not be read", async () => {
    install("mariadb", "MariaDB");
    cluster.refuse = args => (args[2] === "orders-users" ? forbidden('secrets "orders-users"') : undefined);
    const { code, error } = await connect([]);
    assert.equal(code, 2);
    assert.match(error, /Forbidden/);
    assert.deepEqual(cluster.forwards, []);
  });

  it("exits with 2 when the command line is wrong", async () => {
    for (const argv of [["--port", "0"], ["--port", "x"], ["--frobnicate"], ["shop"]]) {
      assert.equal((await connect(argv)).code, 2);
    }
  });

  it("knows which host patterns a forwarded port matches", () => {
    const may = (host: string) => mayUseForwardedPort({ name: "a", host, grants: [] });
    assert.deepEqual(["%", "127.0.0.1", "127.%", "localhost", "127.0.0._"].filter(may).length, 5);
    assert.deepEqual(["10.0.%", "127.0.0.2", "10.0.0.0/255.0.0.0", "127x0y0z1"].filter(may), []);
  });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(resolve => setImmediate(resolve));
}
