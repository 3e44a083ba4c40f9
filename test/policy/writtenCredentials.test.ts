import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { credentialsUnder } from "../../policy/credentials/find";
import { judge } from "../../policy/judge";
import { today } from "./describePolicy";
import { resource } from "./program";

/** Files and values with the sign of the credential in each, none where there is none. */
const cases: [name: string, text: string, sign?: RegExp][] = [
  ["redis.conf", "port 6379\nrequirepass hunter2\n", /password of a server/],
  ["redis.conf", "# requirepass hunter2\nmasterauth <password>\n"],
  ["ldap.conf", "binddn cn=admin\nbindpw hunter2\n", /password of a server/],
  ["hosts.ini", "db ansible_user=root ansible_ssh_pass=hunter2\n", /ansible_ssh_pass/],
  ["db.service", '[Service]\nEnvironment="DB_PASSWORD=hunter2"\n', /DB_PASSWORD/],
  ["run.py", "connect(user=user, password=self.password, token=read(path))\n"],
  ["run.py", "connect(user=user, password=password)\n"],
  ["run.py", "password = getpass()\n"],
  ["h.xml", '<property name="connection.password">hunter2</property>', /in XML/],
  ["h.xml", '<property name="connection.password">${DB_PASSWORD}</property>'],
  ["AUTH_HEADER", "Basic YWRtaW46aHVudGVyMg==", /login in base64/],
  ["site.conf", 'proxy_set_header Authorization "Basic YWRtaW46aHVudGVyMg==";', /./],
  ["notes.txt", "Basic authentication12 is off."],
  ["cloud.cfg", "chpasswd:\n  list: |\n    root:hunter2\n", /password of an account/],
  ["run.sh", "echo 'root:hunter2' | chpasswd", /password of an account/],
  ["run.sh", 'echo "root:$PASSWORD" | chpasswd'],
  ["tls.key", `-----BEGIN RSA ${"PRIVATE"} KEY-----\nMIIEpAIBAAKC\n`, /private key/],
  ["config.js", "module.exports = { db: { host: 'db', password: 'hunter2' } };\n", /password/],
  ["texts.js", "export default { password: 'Passwort', reset: 'Neues Passwort' };\n"],
  ["bundle.js", `const p={password:"hunter2"};${"f();".repeat(100)}\n`],
  ["MARIADB_ROOT_PASSWORD_HASH", `*${"2470C0C06D".repeat(4)}`, /password hash/],
  ["PASSWORD_HASH", "bcrypt"],
  ["JAVA_OPTS", "-Xmx1g -Dspring.datasource.password=hunter2", /spring.datasource.password/],
  ["JAVA_OPTS", "-Dspring.datasource.password=${DB_PASSWORD}"],
  ["www.conf", "env[DB_PASSWORD] = hunter2\n", /DB_PASSWORD/],
  ["out.conf", "[OUTPUT]\n    HTTP_User x\n    HTTP_Passwd hunter2\n", /HTTP_Passwd/],
  ["out.conf", "    HTTP_Passwd ${HTTP_PASSWD}\n"],
  ["notes.txt", "The\npassword expires\nsoon.\n"],
  ["userlist.txt", '"app" "hunter2"\n', /password file/],
  ["agent.hcl", 'secret_id = "8f2c7f6e-1c55-4f0d-9a4e-1f5d3f8a2b11"\n', /secret_id/],
  ["agent.hcl", 'secret_id = "shop/database"\n'],
  ["values.yaml", "password: ENC[AES256_GCM,data:Tr7o=,iv:1=,tag:k=,type:str]\n"],
];

describe("a credential as people write it down", () => {
  for (const [name, text, sign] of cases) {
    it(`${sign ? "is found" : "is not"} in ${name}: ${JSON.stringify(text.slice(0, 60))}`, () => {
      const signs = credentialsUnder(name, text).map(found => found.sign);
      if (sign) assert.match(signs.join("; "), sign);
      else assert.deepEqual(signs, []);
    });
  }

  const findings = (type: string, inputs: Record<string, unknown>) =>
    judge([resource(type, "it", inputs)], { today }).findings.filter(
      ({ policy, status }) => policy.startsWith("secrets-in") && status === "violation",
    );

  it("is no copy of a secret where it is what an object is called", () => {
    const [named, login] = [
      resource("kubernetes:core/v1:Service", "it", { metadata: { name: "accounts-db" } }),
      resource("kubernetes:core/v1:Secret", "login", {
        stringData: { value: "accounts-db", other: "hunter-2026", POSTGRES_DB: "hunter-db" },
      }),
    ];
    const copy = resource("kubernetes:core/v1:ConfigMap", "copy", {
      data: { a: "accounts-db", b: "x hunter-2026", c: "hunter-db-1" },
    });
    const program = [named, copy, { ...login, secretPaths: ["stringData"] }];
    const repeated = judge(program, { today }).findings.filter(({ policy }) => policy === "secrets-repeated-in-plain");
    assert.deepEqual(
      repeated.map(({ resourceName, path }) => `${resourceName} ${path}`),
      ["copy data.b"],
    );
  });

  it("is found in a packed file of a ConfigMap", () => {
    const binaryData = { settings: gzipSync("db_password=hunter2\n").toString("base64") };
    assert.equal(findings("kubernetes:core/v1:ConfigMap", { metadata: { name: "it" }, binaryData }).length, 1);
  });

  it("is found in a parameter that AWS keeps in the clear", () => {
    const parameter = (type: string) => ({ name: "/shop/db/password", type, value: "hunter2" });
    assert.equal(findings("aws:ssm/parameter:Parameter", parameter("String")).length, 1);
    assert.equal(findings("aws:ssm/parameter:Parameter", parameter("SecureString")).length, 0);
  });
});
