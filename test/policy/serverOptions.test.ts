import assert from "node:assert/strict";
import { databaseOf } from "../../policy/model/database";
import { linesOfOptionFile } from "../../policy/model/optionFile";
import { NotYetKnown } from "../../policy/model/field";
import { isLongRunning } from "../../policy/model/kubernetes";
import { notYetKnown, plainResource } from "../../policy/model/resource";
import { isOn, serverOption } from "../../policy/model/serverOptions";
import { shellCommands } from "../../policy/model/shell";
import { settingsInSql } from "../../policy/model/sqlSettings";
import { Stack } from "../../policy/model/stack";
import { resource } from "./program";

/** What the server makes of `--name=value`, as `mariadbd --verbose --help` shows it. */
const arguments_: [written: string, isOn: boolean][] = [
  ["require_secure_transport", true],
  ["require_secure_transport=ON", true],
  ["require_secure_transport=on", true],
  ["require-secure-transport=TRUE", true],
  ["require_secure_transport=1", true],
  ["REQUIRE_SECURE_TRANSPORT=ON", true],
  ["require_secure_transport=yes", false],
  ["require_secure_transport=2", false],
  ["require_secure_transport=01", false],
  ["require_secure_transport=", false],
  ["require_secure_transport=ON ; always", false],
  ["enable-require_secure_transport", true],
  ["enable-require_secure_transport=OFF", true],
  ["enable-require_secure_transport=0", false],
  ["skip_require_secure_transport", false],
  ["skip_require_secure_transport=0", true],
  ["skip_require_secure_transport=1", false],
  ["skip-require-secure-transport=OFF", false],
  ["disable-require-secure-transport", false],
  ["loose_require_secure_transport", true],
  ["loose-skip-require_secure_transport=0", true],
  ["skip-skip-require_secure_transport=1", false],
  ["require_secure", true],
  ["require_s=ON", true],
  ["skip-require-s", false],
];

describe("an option of the server", () => {
  for (const [written, expected] of arguments_) {
    it(`--${written} is ${expected ? "on" : "off"}`, () => {
      const [name, ...value] = written.split("=");
      const option = serverOption(name!, value.length === 0 ? undefined : value.join("="));
      assert.equal(option.name, "require_secure_transport");
      assert.equal(isOn(option.value), expected);
    });
  }
});

describe("an option file", () => {
  const optionsIn = (text: string) =>
    linesOfOptionFile(text).flatMap(line =>
      line.kind === "option" ? [`${line.option.name}=${line.option.value}`] : [`${line.kind} ${line.path}`],
    );
  const cases: [what: string, text: string, ...options: string[]][] = [
    ["with lines that end in CR and LF", "[mysqld]\r\nx=1\r\ny = 2   \r\n", "x=1", "y=2"],
    ["with a blank at the end of a group", "[mariadbd ]\nx=1\n[ mariadbd]\ny=2\n", "x=1"],
    ["with a comment right behind a value", "[mysqld]\nx=/a#b\n", "x=/a"],
    ["with a # in quotes", '[mysqld]\nx="a # b" # c\n', "x=a # b"],
    ["with a ; in a value", "[mysqld]\nx=a ; b\n", "x=a ; b"],
    ["with escapes", '[mysqld]\nx="a\\tb\\sc"\n', "x=a\tb c"],
    [
      "with groups of other releases",
      "[mysqld-5.5]\nx=1\n[mariadb-11]\nx=2\n[mysqld-11.8.6]\nx=3\n[mariadb-11.8]\nx=4",
      "x=4",
    ],
    ["with groups of all programs", "[client-server]\nx=1\n[galera]\ny=2\n[client]\nz=3\n", "x=1", "y=2"],
    ["with a group in upper case", "[MYSQLD]\nx=1\n", "x=1"],
    ["with blanks in a group", "[ mysqld ]\nx=1\n"],
    ["with text behind a group", "[server]junk\nx=1\n", "x=1"],
    ["with other files", "[client]\n!include /a.cnf\n!includedir /d/\n", "include /a.cnf", "includeFolder /d/"],
  ];
  for (const [what, text, ...options] of cases) it(what, () => assert.deepEqual(optionsIn(text), options));
});

describe("a shell script", () => {
  const read = (script: string, variables: Record<string, string> = {}) =>
    shellCommands(script, new Map(Object.entries(variables))).map(command => command.map(({ text }) => text));
  const cases: [script: string, variables: Record<string, string>, ...commands: string[][]][] = [
    ["a 'b c' \"d e\" f\\ g", {}, ["a", "b c", "d e", "f g"]],
    ["a; b && c | d &\ne", {}, ["a"], ["b"], ["c"], ["d"], ["e"]],
    ["# no\na # b\nc#d", {}, ["a"], ["c#d"]],
    ["exec s $X", { X: "--a --b" }, ["exec", "s", "--a", "--b"]],
    ['s "$X" ${Y:-z} $Z', { X: "a b" }, ["s", "a b", "z", "$Z"]],
    ['V=x; m -e "SET $V=ON"', {}, ["V=x"], ["m", "-e", "SET x=ON"]],
    ["export A=1 B=2; s $A$B", {}, ["export", "A=1", "B=2"], ["s", "12"]],
    ["s '$X'", { X: "y" }, ["s", "$X"]],
    ["s $ $5", {}, ["s", "$", "$5"]],
    ['"a', {}, ["a"]],
  ];
  for (const [script, variables, ...commands] of cases) {
    it(JSON.stringify(script), () => assert.deepEqual(read(script, variables), commands));
  }

  it("has the line of each word", () => {
    const lines = shellCommands("a\n\nb 'x\ny' c").map(command => command.map(({ text, line }) => `${text}:${line}`));
    assert.deepEqual(lines, [["a:1"], ["b:3", "x\ny:3", "c:4"]]);
  });
});

describe("a statement that changes the running server", () => {
  const cases: [sql: string, ...settings: string[]][] = [
    ["SET GLOBAL a_b = 'ON'", "a_b=ON"],
    ["SET @@global.a_b:=1;", "a_b=1"],
    ["set global `a_b`=1, c_d = OFF", "a_b=1", "c_d=OFF"],
    ["SELECT 1; SET GLOBAL a_b=2; SET SESSION c_d=3", "a_b=2"],
    ["SET SESSION a_b=1"],
  ];
  for (const [sql, ...settings] of cases) {
    it(sql, () =>
      assert.deepEqual(
        settingsInSql(sql).map(({ name, value }) => `${name}=${value}`),
        settings,
      ),
    );
  }
});

describe("the options that a server starts with", () => {
  const start = (container: object, files: Record<string, unknown> = {}) => {
    const program = [
      resource("kubernetes:core/v1:Pod", "pod", {
        metadata: { name: "pod" },
        spec: {
          containers: [
            { name: "a", image: "tidesql:4.5.7", volumeMounts: [{ name: "o", mountPath: "/etc/t" }], ...container },
          ],
          volumes: [{ name: "o", configMap: { name: "options" } }],
        },
      }),
      resource("kubernetes:core/v1:ConfigMap", "options", { metadata: { name: "options" }, data: files }),
    ];
    const stack = new Stack(program.map(one => plainResource(one)));
    return databaseOf(stack.where(isLongRunning)[0]!, stack)!.settings;
  };
  const own = "[mariadbd]\nread_only=ON\n";

  it("are the last ones, an included file at its place", () => {
    const files = { "a.cnf": "[mariadbd]\nread_only=OFF\n", "b.cnf": `${own}!include /etc/t/a.cnf\n` };
    assert.equal(start({}, files).text("read_only"), "OFF");
    const first = { "a.cnf": "[mariadbd]\nread_only=OFF\n", "b.cnf": `!include /etc/t/a.cnf\n${own}` };
    assert.equal(start({}, first).text("read_only"), "ON");
  });
  it("stop at a file that includes itself", () => {
    assert.equal(start({}, { "a.cnf": `${own}!include /etc/t/a.cnf\n` }).text("read_only"), "ON");
  });
  it("are not yet known before a file that is not seen, and known after it", () => {
    const before = start({}, { "a.cnf": `${own}!include /opt/x.cnf\n` });
    assert.throws(() => before.get("read_only"), /MariaDB reads \/opt\/x\.cnf too/);
    assert.equal(before.seen("read_only")?.value, "ON");
    assert.equal(start({}, { "a.cnf": `!includedir /opt/x\n${own}` }).text("read_only"), "ON");
    const extra = start({ args: ["--defaults-extra-file=/opt/x.cnf", "--ssl=0"] }, { "a.cnf": own });
    assert.throws(() => extra.get("read_only"), /MariaDB reads \/opt\/x\.cnf too/);
    assert.equal(extra.text("ssl"), "0");
  });
  it("are known beside a value that is not known yet, unless the server may read that one too", () => {
    assert.equal(start({}, { "a.cnf": own, databaseId: notYetKnown }).get("ssl"), undefined);
    for (const name of ["b.cnf", "manager.json", "my.ini"])
      assert.throws(() => start({}, { "a.cnf": own, [name]: notYetKnown }).get("ssl"), NotYetKnown, name);
    const named = start({ args: ["--defaults-file=/etc/t/options"] }, { "a.cnf": own, options: notYetKnown });
    assert.throws(() => named.get("ssl"), NotYetKnown);
  });
  it("are those of the one file that --defaults-file names", () => {
    const files = { "a.cnf": own, "b.cnf": "[mariadbd]\nread_only=OFF\n" };
    assert.equal(start({ args: ["--defaults-file=/etc/t/a.cnf"] }, files).text("read_only"), "ON");
    assert.equal(start({ args: ["--no-defaults"] }, files).text("read_only"), undefined);
  });
  it("stand in groups with the suffix that an argument or a variable names", () => {
    const files = { "a.cnf": `${own}[mariadbd-eu]\nread_only=OFF\n[client-eu]\nread_only=ON\n` };
    const env = (name: string) => ({ env: [{ name, value: "-eu" }] });
    assert.equal(start({}, files).text("read_only"), "ON");
    for (const container of [
      { args: ["--defaults-group-suffix=-eu"] },
      env("MARIADB_GROUP_SUFFIX"),
      env("MYSQL_GROUP_SUFFIX"),
    ])
      assert.equal(start(container, files).text("read_only"), "OFF", JSON.stringify(container));
  });
  it("stand in arguments of one part and of two, in scripts, and in variables", () => {
    const containers = [
      { args: ["--datadir=/x"] },
      { args: ["--datadir", "/x"] },
      { command: ["sh", "-c", 'sleep 1; exec mariadbd "--datadir=/x"'] },
      { command: ["mariadbd", "$(EXTRA)"], env: [{ name: "EXTRA", value: "--datadir=/x" }] },
      { env: [{ name: "MARIADB_EXTRA_FLAGS", value: "--ssl --datadir=/x" }] },
      { command: ["sh", "-c", 'set -- --ssl --datadir=/x; exec mariadbd "$@"'] },
      { command: ["sh", "-c", "echo '[mysqld]\ndatadir=/x' > /etc/my.cnf && exec mariadbd"] },
      { command: ["sh", "-c", "if test -n x; then F=--datadir=/x; fi; exec mariadbd $F"] },
      { command: ["sh", "-c", "cat > /etc/my.cnf <<EOF\n[mariadbd]\ndatadir=/x\nEOF\nexec mariadbd"] },
      { command: ["sh", "-c", "printf '[mariadbd]\\ndatadir=/x\\n' > /etc/my.cnf; exec mariadbd"] },
    ];
    for (const container of containers) assert.equal(start(container).text("datadir"), "/x", JSON.stringify(container));
  });
  it("stand in variables that a ConfigMap gives", () => {
    const files = { "a.cnf": own, flags: "--datadir=/x", MARIADB_EXTRA_FLAGS: "--datadir=/y" };
    const reference = { configMapKeyRef: { name: "options", key: "flags" } };
    const one = { env: [{ name: "MARIADB_EXTRA_FLAGS", valueFrom: reference }] };
    assert.equal(start(one, files).text("datadir"), "/x");
    const whole = { envFrom: [{ configMapRef: { name: "options" } }] };
    assert.equal(start(whole, files).text("datadir"), "/y");
    assert.equal(start({ ...one, ...whole }, files).text("datadir"), "/x");
  });
  it("are not those of a client in the same script", () => {
    const command = ["sh", "-c", "mariadb --skip-ssl -e 'SELECT 1'; exec mariadbd"];
    assert.equal(start({ command }).text("ssl"), undefined);
  });
  it("change by an init file and by a hook", () => {
    const sql = "SET GLOBAL read_only=OFF";
    const files = { "a.cnf": `${own}init_file=/etc/t/i.sql\n`, "i.sql": `${sql};\n` };
    assert.equal(start({}, files).text("read_only"), "OFF");
    const lifecycle = { postStart: { exec: { command: ["sh", "-c", `mariadb -e '${sql}'`] } } };
    assert.equal(start({ lifecycle }, { "a.cnf": own }).text("read_only"), "OFF");
  });
});
