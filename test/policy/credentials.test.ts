import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { credentialsInProgram, credentialsInText, credentialsUnder } from "../../policy/credentials/find";
import { credentialByName } from "../../policy/credentials/names";
import { credentialByRandomness, looksRandom } from "../../policy/credentials/randomness";

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
      ["password: >-\n  hunter2\n", ["1: a value under the name password"]],
      ["password: |\n  It has twelve letters,\n  and one of them is a digit.\n", []],
      ["define( 'DB_PASSWORD', 'hunter2' );", ["1: a value under the name DB_PASSWORD"]],
      ["$options['password'] = 'hunter2';", ["1: a value under the name password"]],
      ['connection { login = "app" password = "hunter2" }', ["1: a value under the name password"]],
      ['{ username = "app" , password = "hunter2" , active = 1 }', ["1: a value under the name password"]],
      ['connection { user = "app" password = "${var.password}" }', []],
      ['"{\\"password\\":\\"hunter2\\"}"', ["1: a value under the name password"]],
      ["stats auth admin:hunter2", ["1: a password of HAProxy"]],
      ["user admin insecure-password hunter2", ["1: a password of HAProxy"]],
      [`CREATE USER a IDENTIFIED BY PASSWORD '*${"2470C0C06D".repeat(4)}';`, ["1: a password in SQL"]],
      ["alert: DatabaseFailedOverInTheLast15Minutes", []],
      ['redis-cli -h "$HOST" sentinel get-master-addr-by-name "$GROUP"', []],
      ["redis-cli -a hunter2 ping", ["1: a password on a command line"]],
      ["redis-cli -h cache -a hunter2 ping", ["1: a password on a command line"]],
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

  describe("in a value under a name", () => {
    const packed = (text: string) => Buffer.from(text).toString("base64");
    const header = packed('{"alg":"RS256","typ":"JWT"}');
    const holding: [name: string, text: string, sign: RegExp][] = [
      ["DBPASSWORD", "Summer2026", /name DBPASSWORD/],
      ["PGPASSWORD", "Summer2026", /name PGPASSWORD/],
      ["DB_PASS", "Summer2026", /name DB_PASS/],
      ["JWT_SECRET", "correcthorsebattery", /name JWT_SECRET/],
      ["REDIS_AUTH", "Summer2026!", /name REDIS_AUTH/],
      ["PASSWORD", "changeme", /name PASSWORD/],
      ["URL", "mysql://app:Pa$$w0rd@db/x", /URL|secretlint/],
      ["URL", "redis://:Summer2026@cache:6379/0", /URL/],
      ["URL", "mongodb+srv://app:Summer2026@db/x", /URL|secretlint/],
      ["URL", "jdbc:mysql://db/app?user=root&password=Summer2026", /connection string/],
      ["URL", "jdbc:oracle:thin:scott/Summer2026@//db/x", /data source/],
      ["DSN", "root:Summer2026@tcp(db:3306)/app", /data source/],
      ["DSN", "Server=db;Uid=root;Pwd=Summer2026;", /connection string/],
      ["DSN", "host=db user=app password=Summer2026", /connection string/],
      ["HEADERS", "Authorization: Basic cm9vdDpTdW1tZXIyMDI2", /authorization/],
      ["cmd", "sshpass -p Summer2026 ssh db", /command line/],
      ["cmd", "redis-cli -h cache -a Summer2026 ping", /command line/],
      ["cmd", "curl -u app:Summer2026 https://db", /command line/],
      ["cmd", "curl -fsSLu app:Summer2026 https://db", /command line/],
      ["cmd", "PGPASSWORD=Summer2026 psql -h db", /name PGPASSWORD/],
      ["cmd", "backup --s3-secret-key Summer2026", /command line \(--s3-secret-key\)/],
      ["a.yaml", "db: { user: root, password: Summer2026 }", /name password/],
      ["a.yaml", "env:\n  - name: DB_PASSWORD\n    value: Summer2026\n", /name DB_PASSWORD/],
      ["a.xml", "<db><password>Summer2026</password></db>", /name password/],
      ["a.xml", '<Resource username="root" password="Summer2026"/>', /name password/],
      ["web.config", '<add key="DbPassword" value="Summer2026"/>', /name DbPassword/],
      ["core-site.xml", "<name>fs.s3a.secret.key</name>\n<value>Summer2026</value>", /name fs.s3a.secret.key/],
      [".pgpass", "db:5432:app:app:Summer2026", /password file/],
      [".netrc", "machine db login app password Summer2026", /password file/],
      [".npmrc", "//npm.example/:_authToken=Summer2026x", /npm token/],
      ["config.json", `{"auths":{"r.io":{"auth":"${packed("root:Summer2026")}"}}}`, /login in base64/],
      [".htpasswd", "admin:$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/", /password hash/],
      ["i.sql", "SET PASSWORD FOR root = PASSWORD('Summer2026');", /SQL/],
      ["i.sql", 'ALTER USER a IDENTIFIED VIA mysql_native_password USING PASSWORD("Summer2026")', /SQL/],
      ["blob", packed("db:\n  password: Summer2026\n"), /in base64/],
      ["blob", gzipSync("export DB_PASSWORD=Summer2026\n").toString("base64"), /in base64/],
      ["t", `${"glp"}at-AbCdEf0123456789wxyz`, /GitLab/],
    ];
    for (const [name, text, sign] of holding) {
      it(`${name}: ${JSON.stringify(text)} holds one`, () => {
        const found = credentialsUnder(name, text);
        assert.ok(found.length > 0, "none was found");
        assert.match(found.map(one => one.sign).join("; "), sign);
      });
    }

    const none: [name: string, text: string][] = [
      ["texts.json", '{"password": "Passwort", "passwordHint": "Ihr Passwort"}'],
      ["app.json", '{"title": "Anmelden", "password": "Mot de passe", "token": "Please enter your token"}'],
      ["locales/de.json", '{"password": "Geheimwort1"}'],
      ["app.yaml", "features:\n  resetPassword: enabled\n  passwordAuth: required\n"],
      ["app.yaml", "password: <password>\nother_password: your-password-here\napi_key: xxxxxx\ntoken: ${TOKEN}\n"],
      ["README.md", "Use https://user:pass@host/x and password: Summer2026"],
      ["note", "see https://user:password@example.com/x"],
      ["JWT_HEADER", header],
      ["token", header],
      ["MYSQL_RANDOM_ROOT_PASSWORD", "yes"],
      ["MYSQL_ALLOW_EMPTY_PASSWORD", "1"],
      ["password_encryption", "scram-sha-256"],
      ["AUTH", "basic"],
      ["existingSecretPasswordKey", "mariadb-root-password"],
      ["clientSecret", "oauth-client-secret"],
      ["privateKey", "tls.key"],
      ["caBundle", packed("-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUYV1\n-----END CERTIFICATE-----\n")],
      ["URL", "mysql://app:${DB_PASSWORD}@db/x"],
      ["URL", "mysql://app:$DB_PASSWORD@db/x"],
      ["cmd", 'mysqldump -u app -p"$MYSQL_PASSWORD" --password-file /run/p --protocol tcp shop'],
      ["compass", "Summer2026"],
      ["zone", "Z0123456789ABCDEFGHIJ"],
      ["sql", "CREATE USER a IDENTIFIED BY '<password>'; SET PASSWORD = '${P}';"],
    ];
    for (const [name, text] of none) {
      it(`${name}: ${JSON.stringify(text)} holds none`, () => assert.deepEqual(credentialsUnder(name, text), []));
    }

    it("stops at a bomb", () => {
      const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024)).toString("base64");
      assert.deepEqual(credentialsUnder("blob", bomb), []);
    });
  });

  it("are looked for with rules that answer at once, since this pack does not wait for them", () => {
    const { rules } = createRequire(__filename)("@secretlint/secretlint-rule-preset-recommend") as {
      rules: { create(context: object, options: object): { file?(source: object): unknown } }[];
    };
    const context = {
      createTranslator: () => () => ({}),
      report: () => undefined,
      ignore: () => undefined,
      sharedOptions: {},
    };
    assert.ok(rules.length > 20, `only ${rules.length} rules`);
    for (const rule of rules)
      assert.equal(
        rule.create(context, {}).file?.({ content: "x", filePath: "x", ext: "", contentType: "text" }),
        undefined,
      );
  });
});
