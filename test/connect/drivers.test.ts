import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";
import * as mysql2 from "mysql2/promise";
import { connectionOf, type DatabaseConnection } from "../../components/core/connections";
import { makeCertificate } from "../engine/testCertificate";
import { TestServer } from "../engine/testServer";

/** One that every client has to escape, or not, in its own way. */
const password = "Aa1;:/?#[]@!$&()*+,= %{}<>|^~x";
const serverName = "localhost";

describe("connection strings, as drivers read them", () => {
  let server: TestServer;
  let folder: string;
  before(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "connect-"));
    showCertificate(serverName);
    server = await TestServer.start([
      "require_secure_transport=ON",
      `ssl_cert=${folder}/ca.crt`,
      `ssl_key=${folder}/tls.key`,
      `ssl_ca=${folder}/ca.crt`,
    ]);
    await server.run(`CREATE USER shop@'%' IDENTIFIED BY '${password}' REQUIRE SSL; GRANT ALL ON app.* TO shop@'%';`);
  });
  after(() => {
    server.stop();
    fs.rmSync(folder, { recursive: true });
  });

  /** Makes the server show a certificate for a name. @returns its authority, PEM */
  function showCertificate(name: string): string {
    const { certificate, key } = makeCertificate(name);
    fs.writeFileSync(path.join(folder, "ca.crt"), certificate);
    fs.writeFileSync(path.join(folder, "tls.key"), key);
    server?.server.loadCertificate();
    return certificate;
  }

  /** @param authority PEM that the client is given */
  function connection(authority: string): DatabaseConnection {
    const { port } = server;
    const target = { host: serverName, readHost: serverName, port, username: "shop", password, database: "app" };
    return connectionOf({ ...target, caCertificate: authority, caFile: path.join(folder, "given.crt") });
  }

  /** The authority as a file that the string names, or that the driver is given beside it. */
  function run(program: string, args: string[], authority: string, environment: Record<string, string>) {
    const caFile = path.join(folder, "given.crt");
    fs.writeFileSync(caFile, authority);
    const env = { ...process.env, ...environment, CA_FILE: caFile, NODE_EXTRA_CA_CERTS: caFile };
    // Asynchronous: the server is in this process.
    return promisify(execFile)(program, args, { env, cwd: __dirname });
  }

  const query = "SELECT DATABASE() AS name";
  const pymysql = hasPyMySql();
  const drivers: [name: string, login: (to: DatabaseConnection, authority: string) => Promise<unknown>][] = [
    [
      "mysql2",
      async ({ mysql2: url }) => {
        const client = await mysql2.createConnection(`${url}&connectTimeout=60000`);
        const [rows] = await client.query<mysql2.RowDataPacket[]>(query);
        await client.end();
        return rows[0]?.name as unknown;
      },
    ],
    [
      "mariadb",
      async ({ mariadb: url }, authority) => {
        const script = `require("mariadb").createConnection(process.env.URL).then(async c => {
          console.log((await c.query("${query}"))[0].name); await c.end(); }).catch(e => { console.error(e.message); process.exitCode = 1; })`;
        return (
          await run(process.execPath, ["-e", script], authority, { URL: `${url}&connectTimeout=60000` })
        ).stdout.trim();
      },
    ],
    [
      "PyMySQL, with its own arguments",
      async ({ host, port }, authority) => {
        const script = `import os, pymysql
c = pymysql.connect(host=os.environ["HOST"], port=int(os.environ["PORT"]), user="shop", password=os.environ["PASSWORD"], database="app",
                    ssl_ca=os.environ["CA_FILE"], ssl_verify_cert=True, ssl_verify_identity=True, connect_timeout=60)
with c.cursor() as cursor:
    cursor.execute("${query}"); print(cursor.fetchone()[0])`;
        const environment = { HOST: host, PORT: String(port), PASSWORD: password };
        return (await run("python3", ["-c", script], authority, environment)).stdout.trim();
      },
    ],
  ];

  for (const [name, login] of drivers) {
    describe(name, function () {
      before(function () {
        if (name.startsWith("PyMySQL") && !pymysql) this.skip();
      });

      it("logs in with any password, over TLS, and finds its database", async () => {
        const authority = showCertificate(serverName);
        assert.equal(await login(connection(authority), authority), "app");
      });

      it("refuses a server of another authority", async () => {
        showCertificate(serverName);
        const other = makeCertificate(serverName).certificate;
        await assert.rejects(login(connection(other), other), /certificate/);
      });

      it("refuses a server of another name", async () => {
        const authority = showCertificate("orders-primary.shop.svc");
        await assert.rejects(login(connection(authority), authority), /altnames|hostname|certificate/i);
      });
    });
  }
});

function hasPyMySql(): boolean {
  try {
    execFileSync("python3", ["-c", "import pymysql"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
