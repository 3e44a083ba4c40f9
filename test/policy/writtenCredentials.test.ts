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
