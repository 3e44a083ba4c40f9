import assert from "node:assert/strict";
import fc from "fast-check";
import { accountStatements } from "../../components/core/accountStatements";
import { declareUsers, UserRequest, validateDatabases, validateUsers } from "../../components/core/users";

const databases = ["app_prod"];

function user(changes: Partial<UserRequest> = {}): UserRequest {
  return { name: "app_user", grants: [{ database: "app_prod", privileges: ["SELECT"] }], ...changes };
}

function refused(users: UserRequest[]): Record<string, string> {
  return Object.fromEntries(validateUsers(users, databases).map(({ propertyPath, reason }) => [propertyPath, reason]));
}

const injections = [
  "x'; DROP USER root; -- ",
  "x`; DROP DATABASE mysql; -- ",
  'x" OR ""="',
  "x\\",
  "x\nGRANT ALL PRIVILEGES ON *.* TO x",
  "x\0",
  "x y",
  "x-y",
  "x.y",
  "../x",
  "1x",
  "ä",
  "",
];

describe("databases", () => {
  it("takes plain names", () => {
    assert.deepEqual(validateDatabases(["app_prod", "orders2", "X"]), []);
  });

  for (const name of injections) {
    it(`refuses ${JSON.stringify(name)}, which SQL would need escaped`, () => {
      const [problem] = validateDatabases(["ok", name]);
      assert.equal(problem?.propertyPath, "[1]");
      assert.match(problem?.reason ?? "", /needs escaping/);
      assert.ok(!/[\n\0]/.test(problem?.reason ?? ""));
    });
  }

  it("refuses MariaDB's and the manager's own, in any case", () => {
    for (const name of ["mysql", "MySQL", "sys", "information_schema", "tidesql_internal", "TideSQL"]) {
      assert.equal(validateDatabases([name]).length, 1, name);
    }
  });

  it("refuses names that meet in the bucket, where tables are <database>__<table>", () => {
    // a__b.c and a.b__c would share their objects, and a_.b and a._b.
    for (const name of ["a__b", "a_"]) assert.match(validateDatabases([name])[0]?.reason ?? "", /bucket/);
  });

  it("refuses duplicates, also in another case, and names that are too long", () => {
    assert.match(validateDatabases(["app", "App"])[0]?.reason ?? "", /duplicate of \[0\]/);
    assert.equal(validateDatabases(["a".repeat(65)]).length, 1);
    assert.deepEqual(validateDatabases(["a".repeat(64)]), []);
  });
});

describe("users", () => {
  it("takes the guide's application user", () => {
    const privileges = ["SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "ALTER", "INDEX"];
    assert.deepEqual(refused([user({ grants: [{ database: "app_prod", privileges }] })]), {});
  });

  for (const name of injections) {
    it(`refuses ${JSON.stringify(name)}`, () => {
      assert.match(refused([user(), user({ name })])["[1].name"] ?? "", /needs escaping/);
    });
  }

  it("refuses reserved names, and two users of one name", () => {
    for (const name of ["root", "Root", "mysql", "PUBLIC", "tidesql_manager"]) {
      assert.ok(refused([user({ name })])["[0].name"], name);
    }
    assert.match(refused([user(), user({ host: "10.0.%" })])["[1].name"] ?? "", /is a duplicate of \[0\]/);
  });

  it("takes patterns of addresses as hosts, and refuses names, which are not resolved", () => {
    for (const host of ["%", "10.0.%", "10.0.0.0/255.0.0.0", "::1", "fd00::%"]) {
      assert.deepEqual(refused([user({ host })]), {}, host);
    }
    for (const host of [
      "localhost",
      "db.example.com",
      "10.0.0.0/8",
      "10.0.0.0/99",
      "fd00::/8",
      "%' IDENTIFIED BY ''",
      "",
      "a b",
    ]) {
      assert.ok(refused([user({ host })])["[0].host"], host);
    }
  });

  it("refuses grants on a database that is not declared", () => {
    const grants = [{ database: "app_prd", privileges: ["SELECT"] }];
    assert.match(refused([user({ grants })])["[0].grants[0].database"] ?? "", /declared/);
  });

  it("refuses privileges that would undo what the project promises, and the guide's ALL on everything", () => {
    const refusedOn = (database: string, privilege: string) =>
      refused([user({ grants: [{ database, privileges: [privilege] }] })])["[0].grants[0].privileges[0]"];
    for (const privilege of ["SUPER", "READ_ONLY ADMIN", "FILE", "SHUTDOWN", "CREATE USER", "GRANT OPTION", "RELOAD"]) {
      assert.match(refusedOn("*", privilege) ?? "", /refused: /, privilege);
      assert.match(refusedOn("app_prod", privilege) ?? "", /refused: /, privilege);
    }
    for (const privilege of ["ALL PRIVILEGES", "INSERT", "DROP"]) {
      assert.match(refusedOn("*", privilege) ?? "", /name the database/, privilege);
      assert.equal(refusedOn("app_prod", privilege), undefined);
    }
    for (const privilege of ["SELECT ON *.* TO root; --", "SELECT, SUPER", "constructor", ""]) {
      assert.ok(refusedOn("app_prod", privilege), privilege);
    }
    assert.equal(refusedOn("*", "SELECT"), undefined);
    assert.ok(refused([user({ grants: [{ database: "app_prod", privileges: [] }] })])["[0].grants[0].privileges"]);
  });

  it("are declared in the manager's form", () => {
    const grants = [{ database: "app_prod", privileges: ["select", " create   view "] }];
    assert.deepEqual(declareUsers([user({ grants })]), [
      { name: "app_user", host: "%", grants: [{ database: "app_prod", privileges: ["SELECT", "CREATE VIEW"] }] },
    ]);
  });

  it("whatever is taken makes statements in which nothing had to be escaped", () => {
    const text = fc.oneof(
      fc.constantFrom(...injections, "app", "App_2", "root"),
      fc.stringMatching(/^[A-Za-z][A-Za-z0-9_]{0,10}$/),
      fc.string({ maxLength: 10 }),
    );
    const requests = fc.record({
      name: text,
      host: fc.option(fc.oneof(fc.constantFrom("%", "10.%"), text), { nil: undefined }),
      grants: fc.array(
        fc.record({
          database: fc.oneof(fc.constant("*"), text),
          privileges: fc.array(fc.oneof(fc.constantFrom("SELECT", "all"), text), { maxLength: 2 }),
        }),
        { maxLength: 2 },
      ),
    });
    let taken = 0;
    fc.assert(
      fc.property(fc.array(text, { maxLength: 3 }), requests, (names, request) => {
        const given = [...new Set(names)].filter(name => validateDatabases([name]).length === 0);
        if (validateDatabases(given).length > 0 || validateUsers([request], given).length > 0) return;
        taken++;
        const declaration = { databases: given, users: declareUsers([request]), requireTls: true };
        for (const { sql } of accountStatements(declaration, new Map([[request.name, "Aa1-aaaa"]]), "Aa1-bbbb")) {
          // But for _, which GRANT takes for a pattern unless it is escaped.
          assert.ok(!/\\|''|``|;|--|\n/.test(sql.replaceAll("\\_", "_")), sql);
          assert.equal((sql.match(/'/g) ?? []).length % 2, 0, sql);
        }
      }),
      { numRuns: 3000 },
    );
    assert.ok(taken > 100, `only ${taken} were taken: the property says little`);
  });
});
