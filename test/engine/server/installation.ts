import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parseArguments } from "./configuration/optionFiles";
import { Account, Accounts, allPrivileges, grantOption, passwordPlugin, socketPlugin } from "./storage/accounts";
import { systemDatabases } from "./storage/localTables";

/** Options of mariadb-install-db itself. Everything else is for mariadbd. */
const installerOptions = [
  "no_defaults",
  "defaults_file",
  "defaults_extra_file",
  "basedir",
  "datadir",
  "ldata",
  "builddir",
  "srcdir",
  "user",
  "force",
  "rpm",
  "verbose",
  "cross_bootstrap",
  "skip_name_resolve",
  "skip_test_db",
  "auth_root_authentication_method",
  "auth_root_socket_user",
];

/** What mariadb-install-db was told. */
export interface Installation {
  dataDirectory: string;
  /** Root may log in without a password from everywhere on the host, instead of over the socket as the same user. */
  rootWithoutPassword: boolean;
  testDatabase: boolean;
  /** Options for the server that the installer starts, as they were given. It opens the bucket when they load the engine's plugin. */
  serverParameters: string[];
}

/** Reads the installer's command line. */
export function parseInstallation(parameters: string[]): Installation {
  const options = new Map<string, string>();
  const serverParameters: string[] = [];
  for (const { name, value } of parseArguments(parameters)) {
    const key = name.replaceAll("-", "_");
    if (installerOptions.includes(key)) options.set(key, value ?? "");
    if (key.startsWith("defaults_") || key === "datadir" || !installerOptions.includes(key)) {
      serverParameters.push(value === undefined ? `--${name}` : `--${name}=${value}`);
    }
  }
  return {
    dataDirectory: options.get("datadir") ?? options.get("ldata") ?? "/var/lib/mysql",
    rootWithoutPassword: options.get("auth_root_authentication_method") === "normal",
    testDatabase: !options.has("skip_test_db"),
    serverParameters,
  };
}

/** Makes a data directory that a server starts on, with the accounts that the real installer leaves: among them root without a password on four hosts. */
export function install({ dataDirectory, rootWithoutPassword, testDatabase }: Installation): void {
  for (const database of systemDatabases) {
    if (database !== "information_schema") fs.mkdirSync(path.join(dataDirectory, database), { recursive: true });
  }
  fs.writeFileSync(path.join(dataDirectory, "aria_log_control"), "");
  fs.writeFileSync(path.join(dataDirectory, "ibdata1"), "");
  const hostName = os.hostname().toLowerCase();
  const root = (host: string, plugin: string): Account => ({
    ...account("root", host),
    plugin,
    grants: { "*": [allPrivileges, grantOption] },
  });
  const accounts = [{ ...account("mariadb.sys", "localhost"), locked: true }];
  if (rootWithoutPassword) {
    for (const host of ["localhost", hostName, "127.0.0.1", "::1"]) accounts.push(root(host, passwordPlugin));
  } else accounts.push(root("localhost", socketPlugin));
  if (testDatabase) {
    fs.mkdirSync(path.join(dataDirectory, "test"), { recursive: true });
    accounts.push(account("", "localhost"), account("", hostName));
  }
  Accounts.create(dataDirectory, accounts);
}

function account(user: string, host: string): Account {
  return {
    user,
    host,
    plugin: passwordPlugin,
    secret: "",
    requireTls: false,
    locked: false,
    grants: { "*": ["USAGE"] },
  };
}
