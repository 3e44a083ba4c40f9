import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import {
  credentialByName,
  credentialByRandomness,
  credentialsInProgram,
  credentialsInText,
  looksRandom,
} from "../../policy/model/credentials";

const signsIn = (text: string) => credentialsInText(text).map(({ sign, line }) => `${line}: ${sign}`);

describe("credentials", () => {
  describe("by the name of a value", () => {
    for (const name of [
      "password",
      "MYSQL_ROOT_PASSWORD",
      "mysqlRootPassword",
      "db.passwd",
      "tidesdb_s3_secret_key",
      "secretAccessKey",
      "api-key",
      "authToken",
    ]) {
      it(`${name} is one`, () => assert.ok(credentialByName(name, "hunter2")));
    }
    for (const name of [
      "passwordFile",
      "simple_password_check",
      "secretName",
      "tokenTtlSeconds",
      "keyboard",
      "accessKeys",
      "password_reuse_check",
    ]) {
      it(`${name} is none`, () => assert.equal(credentialByName(name, "hunter2"), undefined));
    }
    for (const value of [
      "",
      "$MYSQL_PASSWORD",
      "${MYSQL_PASSWORD:-}",
      "$(cat /run/p)",
      "{{ .Values.p }}",
      "/etc/tidesql/users/app",
      "file:p",
      "arn:aws:secretsmanager:x",
      "true",
      "null",
      "****",
      "<password>".replace("<", "<%"),
    ]) {
      it(`password: ${value} is only a reference`, () => assert.equal(credentialByName("password", value), undefined));
    }
    it("a Secret's name is none, a random token is", () => {
      assert.equal(credentialByName("imagePullSecret", "registry-credentials"), undefined);
      assert.ok(credentialByName("token", "Zx81kLw0qPm4"));
    });
  });

  describe("in a text", () => {
    const cases: [text: string, signs: string[]][] = [
      ["[mysqld]\npassword=hunter2 # of root", ["2: a value under the name password"]],
      ["db:\n  password: 'hunter2'\n  host: db", ["2: a value under the name password"]],
      ['{"a": {"apiKey": "hunter2"}, "b": 1}', ["1: a value under the name apiKey"]],
      ["export DB_PASSWORD=hunter2\necho $DB_PASSWORD", ["1: a value under the name DB_PASSWORD"]],
      ["# password: see the vault\npassword_file=/run/p", []],
      ["mariadb -h db -u app \\\n  -phunter2 shop", ["1: a password on a command line"]],
      ['mariadb -u app -p"$P" -P 3306 -e "SELECT 1"', []],
      ["docker run -p 3306:3306 mariadb", []],
      ["curl https://user:hunter2@registry.example/v2", ["1: a password in a URL"]],
      ["proxy https://registry.example:5000/a@b", []],
      ["CREATE USER a IDENTIFIED BY 'hunter2';", ["1: a password in SQL"]],
      ["CREATE USER a IDENTIFIED BY '${PASSWORD}';", []],
      [`x\ny ${"ghp_"}${"a1B2".repeat(9)}`, ["2: a GitHub token"]],
      [`key = ${"AKIA"}IOSFODNN7EXAMPLE`, ["1: an AWS access key id"]],
      ["id = 0b5c9a57-12f5-4c0e-9f4b-7d2a8c1e6f30", []],
      [`image = tidesql@sha256:${"9f".repeat(32)}`, []],
      ["seed = wJalrXUtnFEMI7K7MDENGbPxRfiCYzx8Vq", ["1: a long random value"]],
      ["path = /usr/local/mariadb/lib/plugin/ha_tidesdb.so", []],
      ["policy = AmazonEKSClusterAdminPolicyForEveryone2", []],
    ];
    for (const [text, signs] of cases) {
      it(JSON.stringify(text), () => assert.deepEqual(signsIn(text), signs));
    }
  });

  it("in a program are those that a service gave out", () => {
    assert.deepEqual(credentialsInProgram('const p={password:"x"};throw Error("mariadb -u a -psecret");'), []);
    assert.equal(credentialsInProgram(`k="${"AKIA"}IOSFODNN7EXAMPLE"`).length, 1);
    assert.deepEqual(credentialsInProgram('pem.startsWith("-----BEGIN PRIVATE KEY-----")'), []);
  });

  it("of random base64 are found, hexadecimal digests and words are not", () => {
    const base64 = (index: number) => createHash("sha512").update(String(index)).digest("base64url");
    const found = (length: number) =>
      Array.from({ length: 5000 }, (_, index) => base64(index).slice(0, length)).filter(looksRandom).length / 5000;
    assert.ok(found(40) > 0.99, `${found(40)} of the texts as long as an AWS secret key`);
    assert.ok(found(24) > 0.85, `${found(24)} of the shortest`);
    const hexadecimal = fc
      .uint8Array({ minLength: 12, maxLength: 64 })
      .map(bytes => Buffer.from(bytes).toString("hex"));
    fc.assert(fc.property(hexadecimal, text => !looksRandom(text)));
    const words = fc.array(fc.constantFrom("tide", "Replica", "primary", "Cluster", "node2", "zone", "shop"), {
      minLength: 4,
      maxLength: 12,
    });
    fc.assert(
      fc.property(words, fc.constantFrom("", "-", "/", "."), (parts, joint) => !looksRandom(parts.join(joint))),
    );
  });

  it("are not expected under names that are public", () => {
    const value = "wJalrXUtnFEMI7K7MDENGbPxRfiCYzx8Vq";
    assert.ok(credentialByRandomness("seed", value));
    for (const name of ["checksum/config", "image", "sshPublicKey", "tls.crt"])
      assert.equal(credentialByRandomness(name, value), undefined);
  });
});
