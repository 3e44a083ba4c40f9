import * as assert from "node:assert/strict";
import * as fc from "fast-check";
import { describe, it } from "mocha";
import { accountStatements, initFileText, quoteName, quoteText } from "../../components/core/accountStatements";

const configuration = {
  databases: ["shop"],
  users: [{ name: "app", host: "%", grants: [{ database: "shop", privileges: ["SELECT", "INSERT"] }] }],
  requireTls: true,
};
const passwords = new Map([["app", "Secret'\\1!"]]);

describe("account statements", () => {
  const statements = accountStatements(configuration, passwords, "manager-password");
  const sql = statements.map(statement => statement.sql);

  it("declare each user anew with exactly its grants, over TLS only", () => {
    assert.ok(sql.includes("CREATE OR REPLACE USER 'app'@'%' IDENTIFIED BY 'Secret''\\\\1!' REQUIRE SSL"));
    assert.ok(sql.includes("GRANT SELECT, INSERT ON `shop`.* TO 'app'@'%'"));
  });

  it("leave TLS out only where the user chose plain connections", () => {
    const plain = accountStatements({ ...configuration, requireTls: false }, passwords, "m");
    assert.ok(!plain.some(statement => statement.sql.includes("REQUIRE SSL")));
  });

  it("make databases before the grants on them", () => {
    assert.ok(
      sql.indexOf("CREATE DATABASE IF NOT EXISTS `shop`") < sql.findIndex(text => text.includes("ON `shop`.*")),
    );
  });

  it("leave no root account without a password, at any of the hosts that the installation makes", () => {
    for (const host of ["localhost", "127.0.0.1", "::1"])
      assert.ok(sql.includes(`DROP USER IF EXISTS 'root'@'${host}'`));
  });

  it("say what they make without a secret", () => {
    for (const { makes } of statements) assert.ok(!/Secret|manager-password/.test(makes), makes);
  });

  it("grant on everything where the database is a star", () => {
    const users = [{ name: "reader", host: "%", grants: [{ database: "*", privileges: ["SELECT"] }] }];
    const all = accountStatements({ ...configuration, users }, new Map([["reader", "x"]]), "m");
    assert.ok(all.some(statement => statement.sql === "GRANT SELECT ON *.* TO 'reader'@'%'"));
  });

  it("grant on the database of that very name, not on what its name matches as a pattern", () => {
    const users = [{ name: "app", host: "%", grants: [{ database: "app_prod", privileges: ["SELECT"] }] }];
    const sql = accountStatements({ ...configuration, users }, passwords, "m").map(statement => statement.sql);
    assert.ok(sql.includes("GRANT SELECT ON `app\\_prod`.* TO 'app'@'%'"));
  });

  it("stay one statement a line, whatever a password or a name holds", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (password, database) => {
        const made = accountStatements({ ...configuration, databases: [database] }, new Map([["app", password]]), "m");
        const text = initFileText(made.filter(({ makes }) => makes === "user app"));
        assert.equal(text.split("\n").length, 2);
        assert.deepEqual(unquote(quoteText(password), "'"), password);
        assert.deepEqual(unquoteName(quoteName(database)), database);
      }),
    );
  });
});

/** Reads a quoted text as MariaDB does, to the end: an early closing quote would be an injection. */
function unquote(quoted: string, mark: string): string {
  assert.ok(quoted.startsWith(mark) && quoted.endsWith(mark));
  const inner = quoted.slice(1, -1);
  const escapes: Record<string, string> = { n: "\n", r: "\r", "0": "\0", "\\": "\\" };
  let text = "";
  for (let i = 0; i < inner.length; i++) {
    const character = inner[i] ?? "";
    if (character === "\\") text += escapes[inner[++i] ?? ""] ?? assert.fail("an unknown escape");
    else if (character === mark) {
      assert.equal(inner[++i], mark, "a quote ended the text early");
      text += mark;
    } else text += character;
  }
  return text;
}

function unquoteName(quoted: string): string {
  return quoted.slice(1, -1).replaceAll("``", "`");
}
