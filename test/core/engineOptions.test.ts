import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { engineOptionProblem, knownOptions } from "../../components/core/engineOptions/engineOptions";
import { validateEngineSettings } from "../../components/core/engineSettings";
import { optionsInHelp } from "../../scripts/engineOptions/readHelp";
import { tidesdbVariables } from "../engine/server/configuration/tidesdbVariables";

describe("options of the server", () => {
  it("are known from a real server's help, from the documentation of a later one and from the plugin", () => {
    assert.ok(knownOptions.length > 700);
    for (const name of ["max_allowed_packet", "mhnsw_max_cache_size", ...tidesdbVariables.keys()]) {
      assert.ok(knownOptions.includes(name), name);
    }
  });

  const taken: [name: string, value: string][] = [
    ["long_query_time", "0.5"],
    ["max_allowed_packet", "128M"],
    ["slow_query_log", "ON"],
    ["skip_slow_query_log", "1"],
    ["sql_mode", "STRICT_TRANS_TABLES,ANSI_QUOTES"],
    ["log_output", "file,Table"],
    ["transaction_isolation", "read-committed"],
    ["optimizer_switch", "index_merge=off"],
    ["max_tmp_session_space_usage", "1G"],
    ["tidesdb_log_level", "INFO"],
    ["loose_server_audit_logging", "anything"],
  ];
  for (const [name, value] of taken) {
    it(`${name}=${value} is taken`, () => assert.equal(engineOptionProblem(name, value), undefined));
  }

  const refused: [name: string, value: string, reason: RegExp][] = [
    ["long_query_tme", "1", /did not|Did you mean "long_query_time"\?.*loose_long_query_tme/],
    ["nonsense", "1", /does not start.*written "loose_nonsense"/],
    ["server_audit_logging", "ON", /loose_server_audit_logging/],
    ["max_allowed_packet", "128MB", /K, M, G, T, P or E/],
    ["max_allowed_packet", "1.5M", /whole number/],
    ["long_query_time", "soon", /like 0\.5/],
    ["slow_query_log", "yes", /takes all else for OFF/],
    ["sql_mode", "STRICT_TRANS_TABELS", /STRICT_TRANS_TABLES/],
    ["transaction_isolation", "READ_COMMITTED", /READ-COMMITTED/],
    ["tidesdb_log_level", "LOUD", /DEBUG, INFO/],
    ["skip_max_allowed_packet", "1", /is not an option/],
  ];
  for (const [name, value, reason] of refused) {
    it(`${name}=${value} is refused with a way out`, () => {
      assert.match(engineOptionProblem(name, value) ?? "", reason);
    });
  }

  it("are judged among a database's arguments, as they are written there", () => {
    const [problem] = validateEngineSettings({ "Slow-Query-Log": "yes" });
    assert.equal(problem?.propertyPath, "engineSettings.Slow-Query-Log");
    assert.match(problem.reason, /ON or OFF/);
  });

  it("are read from what a server prints as its help", () => {
    const help = [
      "mariadbd  Ver 10.11.1-MariaDB",
      "  -p, --port-number=# Where to listen.",
      "  --shape=name        Of things. One of: ROUND,",
      "                      SQUARE",
      "  --colours[=name]    Of things. Any combination of: RED, GREEN",
      "  --quick             Whether in haste",
      "  --offset=#          From the middle",
      "  --file-name=name    Where",
      "",
      "Variables (--variable-name=value)",
      "and boolean options {FALSE|TRUE}  Value (after reading options)",
      "--------------------------------- -----------------------------",
      "offset                            -1",
      "port-number                       1",
      "",
    ].join("\n");
    assert.deepEqual(optionsInHelp(help), {
      colours: { any: ["RED", "GREEN"] },
      file_name: "text",
      offset: "signed",
      port_number: "number",
      quick: "boolean",
      shape: { one: ["ROUND", "SQUARE"] },
    });
  });
});
