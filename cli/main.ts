#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { createRequire, enableCompileCache } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";

const load = createRequire(__filename);

/** The oldest Node.js that the Pulumi SDK supports. */
const oldestNode = 22;

/** The commands of `tidesql`. Each is loaded when it is called: one does not pay for the others. */
const commands: Record<string, { summary: string; run: (argv: string[]) => Promise<number> }> = {
  plan: {
    summary: "what a stack would create, how long it takes, what it costs",
    run: argv => (load("./plan") as typeof import("./plan")).runPlan(argv),
  },
  compare: {
    summary: "what differs between two plans: resources, cost, policies",
    run: argv => (load("./compare") as typeof import("./compare")).runCompare(argv),
  },
  policy: {
    summary: "whether a stack keeps the rules of a safe deployment",
    run: argv => (load("./policy") as typeof import("./policy")).runPolicy(argv),
  },
  status: {
    summary: "how a running database is: primary, lag, what the bucket lacks",
    run: argv => (load("./live/status") as typeof import("./live/status")).runStatus(argv),
  },
  verify: {
    summary: "whether a running database does what it should",
    run: argv => (load("./live/verify") as typeof import("./live/verify")).runVerify(argv),
  },
  history: {
    summary: "what a database can be restored to",
    run: argv => (load("./live/history") as typeof import("./live/history")).runHistory(argv),
  },
  check: {
    summary: "whether a database's log and its objects in the bucket are whole",
    run: argv => (load("./live/check") as typeof import("./live/check")).runCheck(argv),
  },
  restore: {
    summary: "makes another database of a moment of one's past",
    run: argv => (load("./live/restore") as typeof import("./live/restore")).runRestore(argv),
  },
  connect: {
    summary: "opens a client on a running database, over TLS",
    run: argv => (load("./live/connect") as typeof import("./live/connect")).runConnect(argv),
  },
  switchover: {
    summary: "moves the primary to another node, in order",
    run: argv => (load("./live/switchover") as typeof import("./live/switchover")).runSwitchover(argv),
  },
};

const longestName = Math.max(...Object.keys(commands).map(({ length }) => length));

const help = `Usage: tidesql COMMAND [options]

${Object.entries(commands)
  .map(([name, { summary }]) => `  ${name.padEnd(longestName)}  ${summary}`)
  .join("\n")}

"tidesql COMMAND --help" explains one. "tidesql --version" prints the version of this package.
`;

async function main([name, ...argv]: string[]): Promise<number> {
  const version = Number(process.versions.node.split(".")[0]);
  if (version < oldestNode) {
    process.stderr.write(`tidesql needs Node.js ${oldestNode} or newer; this is ${process.versions.node}.\n`);
    return 2;
  }
  if (name === "--version" || name === "version") {
    process.stdout.write(`${ownVersion()}\n`);
    return 0;
  }
  cacheCompiledCode();
  if (name === undefined || name === "--help" || name === "help") {
    process.stdout.write(help);
    return name === undefined ? 2 : 0;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) {
    const { suggestion } = load("../components/core/suggestion") as typeof import("../components/core/suggestion");
    const close = suggestion(name, [...Object.keys(commands), "--version", "--help"]);
    process.stderr.write(
      `There is no command "${name}"${close === undefined ? "." : `: did you mean "${close}"?`}\n\n${help}`,
    );
    return 2;
  }
  return command.run(argv);
}

/** Of this package, whether it runs from sources or as npm installed it. */
function ownVersion(): string {
  const { packageRoot } = load("../components/packageRoot") as typeof import("../components/packageRoot");
  return (JSON.parse(readFileSync(join(packageRoot(__dirname), "package.json"), "utf8")) as { version: string })
    .version;
}

/**
 * Loading the SDKs is most of the time of a plan, and compiling them most of that: keep the compiled code. In the user's own folder, since anyone who writes to it
 * decides what runs here.
 */
function cacheCompiledCode(): void {
  try {
    enableCompileCache(join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "tidesql", "compiled"));
  } catch {
    // A user without a home has no cache: plans take a little longer.
  }
}

// Anyone who reads the output may have seen enough: `tidesql plan | head` is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

void main(process.argv.slice(2)).then(code => {
  // Not process.exit: a pipe may still be taking the output.
  process.exitCode = code;
});
