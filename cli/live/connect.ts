import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { databaseNames } from "../../components/core/names";
import { type ClientAccess, readAccess, readPassword, userFor } from "./access";
import { clusterHelp, clusterOf, clusterOptions, readCommandLine } from "./commandLine";
import { findDatabase, type FoundDatabase } from "./databaseState";
import type { PortForward } from "./kubectl";
import { answering, LiveExit, processSurroundings, type Surroundings, UsageError } from "./surroundings";

/** What `tidesql connect --help` prints. */
export const connectHelp = `Usage: tidesql connect [options] [-- ARGUMENTS OF THE CLIENT]

Forwards a local port to the database, and starts mariadb (or mysql) on it: over TLS, with the server's certificate verified and the password from its Secret. Where there
is no client it keeps the port open and says how to use it.

  --replica            read from a replica (default: the primary)
  --user NAME          the user (default: the first one declared)
  --port PORT          the local port (default: any that is free)
  --print              start no client: say how to connect, and keep the port open
${clusterHelp}

Exit code: the client's; 1 refused, 2 the command line is wrong or the cluster cannot be asked.
`;

/** The client that is installed. */
interface Client {
  program: string;
  /** Options that verify the server's certificate: MariaDB's client and MySQL's differ in that. */
  verification: string[];
}

/**
 * `tidesql connect`.
 * @param argv what follows `connect` on the command line
 * @returns the client's exit code, or one of `LiveExit`
 */
export function runConnect(argv: readonly string[], surroundings: Surroundings = processSurroundings()) {
  return answering(surroundings, () => connect(argv, surroundings));
}

async function connect(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  const { out } = surroundings;
  const end = argv.indexOf("--");
  const [own, ofClient] = end < 0 ? [argv, []] : [argv.slice(0, end), argv.slice(end + 1)];
  const flag = { type: "boolean", default: false } as const;
  const text = { type: "string" } as const;
  const options = { ...clusterOptions, replica: flag, print: flag, user: text, port: text } as const;
  const { values } = readCommandLine(own, options, connectHelp);
  if (values.help) {
    out.write(connectHelp);
    return LiveExit.good;
  }
  const localPort = portOf(values.port);
  const kubectl = surroundings.kubectl(clusterOf(values));
  const database = await findDatabase(kubectl, values);
  const access = await readAccess(kubectl, database);
  const user = userFor(access, values.user).name;
  const client = values.print ? undefined : await installedClient();
  const password = client && (await readPassword(kubectl, database, access, user));
  const names = databaseNames(database.name, database.namespace, 1);
  const service = values.replica ? names.replicaService : names.primaryService;
  const forward = await kubectl.forward(database.namespace, `service/${service}`, "mysql", localPort);
  const folder = mkdtempSync(join(tmpdir(), "tidesql-connect-"));
  try {
    const authority = join(folder, "ca.crt");
    writeFileSync(authority, access.authority);
    const login = { database, access, user, service, authority, port: forward.localPort };
    if (client && password !== undefined) {
      return await runClient(client, login, { password, folder, forward, args: ofClient });
    }
    out.write(instructions(login, values.print));
    return await heldOpen(forward, surroundings);
  } finally {
    forward.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Login {
  database: FoundDatabase;
  access: ClientAccess;
  user: string;
  service: string;
  /** File with the authority's certificate. */
  authority: string;
  port: number;
}

/** The password goes through a file that only this user can read, and that is gone afterwards: a command line is everybody's. */
async function runClient(
  { program, verification }: Client,
  login: Login,
  {
    password,
    folder,
    forward,
    args,
  }: { password: string; folder: string; forward: PortForward; args: readonly string[] },
): Promise<number> {
  const options = join(folder, "client.cnf");
  const lines = [
    "[client]",
    "protocol=tcp",
    // The certificate holds for this name.
    "host=localhost",
    `port=${login.port}`,
    `user=${login.user}`,
    `password="${password.replaceAll("\\", "\\\\")}"`,
    `ssl-ca=${login.authority}`,
    ...verification,
  ];
  writeFileSync(options, `${lines.join("\n")}\n`, { mode: 0o600 });
  const child = spawn(program, [`--defaults-extra-file=${options}`, ...args], { stdio: "inherit" });
  // Ctrl-C is for the client, which ends a query with it. What ends this process ends the client first.
  const ignore = () => undefined;
  const pass = (signal: NodeJS.Signals) => void child.kill(signal);
  process.on("SIGINT", ignore).on("SIGTERM", pass).on("SIGHUP", pass);
  try {
    void forward.ended.then(
      () =>
        child.exitCode === null &&
        child.signalCode === null &&
        process.stderr.write("The forwarded port was closed.\n"),
    );
    const [code] = (await once(child, "exit")) as [number | null];
    return code ?? LiveExit.bad;
  } finally {
    process.off("SIGINT", ignore).off("SIGTERM", pass).off("SIGHUP", pass);
  }
}

/** What a person, or another program, needs to connect. Never the password. */
function instructions({ database, access, user, service, authority, port }: Login, wasAsked: boolean): string {
  const { namespace } = database;
  const [first] = access.configuration.databases;
  const { secret: name, key } = access.passwordsElsewhere[user] ?? { secret: access.usersSecret, key: user };
  const path = `{.data.${key.replaceAll(".", "\\.")}}`;
  const secret = `kubectl get secret ${name} -n ${namespace} -o jsonpath='${path}' | base64 -d`;
  const lines = [
    ...(wasAsked ? [] : ["There is no mariadb or mysql client on the PATH."]),
    `${service} is reachable at this address while this command runs (Ctrl-C ends it):`,
    "  host      localhost",
    `  port      ${port}`,
    `  user      ${user}`,
    `  password  ${secret}`,
    `  CA        ${authority}`,
    ...(first === undefined ? [] : [`  database  ${first}`]),
    `mariadb --protocol=tcp --host=localhost --port=${port} --user=${user} --ssl-ca=${authority} --ssl-verify-server-cert -p`,
  ];
  return `${lines.join("\n")}\n`;
}

async function heldOpen(forward: PortForward, { error, signal }: Surroundings): Promise<LiveExit> {
  const interrupted = signal === undefined ? interruption() : once(signal, "abort");
  const said = await Promise.race([forward.ended, interrupted.then(() => undefined)]);
  if (said === undefined) return LiveExit.good;
  error.write(`The forwarded port was closed: ${said || "kubectl ended"}\n`);
  return LiveExit.bad;
}

function interruption(): Promise<unknown> {
  return Promise.race([once(process, "SIGINT"), once(process, "SIGTERM"), once(process, "SIGHUP")]);
}

/** MariaDB's client, or MySQL's; undefined when there is neither. */
async function installedClient(): Promise<Client | undefined> {
  for (const program of ["mariadb", "mysql"]) {
    const said = await versionOf(program);
    if (said === undefined) continue;
    const verification = /mariadb/i.test(said) ? ["ssl-verify-server-cert"] : ["ssl-mode=VERIFY_IDENTITY"];
    return { program, verification };
  }
  return undefined;
}

function versionOf(program: string): Promise<string | undefined> {
  return new Promise(resolve => {
    const child = spawn(program, ["--version"], { stdio: ["ignore", "pipe", "ignore"] });
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
    child.once("error", () => resolve(undefined));
    child.once("close", code => resolve(code === 0 ? said : undefined));
  });
}

function portOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  throw new UsageError(`--port takes a number from 1 to 65535, not "${text}".`);
}
