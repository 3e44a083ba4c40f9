import { InputProblem } from "./inputProblem";
import { DatabaseNames, validateNamespaceName } from "./names";

/** What a client has to know to log in as one user. */
export interface ConnectionTarget {
  /** Host name for writes. */
  host: string;
  /** Host name for reads. */
  readHost: string;
  port: number;
  username: string;
  /** Printable ASCII without quotes and backslashes, as `passwordProblem` wants it. */
  password: string;
  /** Undefined for a user without a right on a database of its own. */
  database: string | undefined;
  /** PEM of the authority that the server is verified with. Undefined: one that every client trusts already. */
  caCertificate: string | undefined;
  /** Where an application finds the authority, if it mounts the Secret there. */
  caFile: string;
}

/** How to connect as one user: what each client takes, as it reads it. All of them use TLS, and verify the server's certificate and its name. */
export interface DatabaseConnection {
  /** Host name for writes. */
  host: string;
  /** Host name for reads. */
  readHost: string;
  /** TCP port for writes. Reads have another where `services.replica.port` says so. */
  port: number;
  /** The user. */
  username: string;
  /** The user's password. */
  password: string;
  /** The first database that the user has rights on. Unset where it has none of its own. */
  database?: string;
  /** The authority that the server is verified with, PEM. Unset where it is not known here. */
  caCertificate?: string;
  /** MariaDB Connector/J, without credentials: it does not decode them from a URL. Set `user` and `password` beside it. Reads the authority's file. */
  jdbc: string;
  /** Node: mysql2, Sequelize, Drizzle, Knex. Holds the authority itself. */
  mysql2: string;
  /** Node: the mariadb connector. It has no option for an authority in a URL: start Node with `NODE_EXTRA_CA_CERTS` set to the authority's file. */
  mariadb: string;
  /** Python: SQLAlchemy with PyMySQL. Reads the authority's file. */
  sqlAlchemy: string;
  /** Go: go-sql-driver/mysql. Register the authority as the TLS configuration `tidesql` first. */
  go: string;
  /** PHP: the DSN of PDO. User, password and `PDO::MYSQL_ATTR_SSL_CA` are arguments of their own. */
  php: string;
  /** .NET: MySqlConnector. Reads the authority's file. */
  dotnet: string;
  /** An option file of MariaDB's own clients and of what is built on their library: `mariadb --defaults-file=FILE`. Reads the authority's file. */
  optionFile: string;
}

/** The key of the authority's certificate in a user's Secret. */
const authorityKey = "ca.crt";

/** The folder at which the connection strings expect an application to mount a user's Secret. Each database has one of its own, so that an application can use several. */
export function connectionMountPath({ database }: Pick<DatabaseNames, "database">): string {
  return `/etc/tidesql/${database}`;
}

/** The authority's file in an application that mounts the Secret there. */
export function connectionCaFile(names: Pick<DatabaseNames, "database">): string {
  return `${connectionMountPath(names)}/${authorityKey}`;
}

/** Name of the Secret with a user's connection. A user's name has no "-", and other users' names differ in more than case: it is no other user's. */
export function connectionSecretName({ database }: Pick<DatabaseNames, "database">, username: string): string {
  return `${database}-${username.toLowerCase().replaceAll("_", "-")}-connection`;
}

/** What is wrong with the namespaces that are to get a user's Secret. */
export function validateSecretNamespaces(namespaces: string[]): InputProblem[] {
  return namespaces.flatMap((namespace, index) => {
    const [problem] = validateNamespaceName(namespace, false);
    const first = namespaces.indexOf(namespace);
    const reason = problem?.reason ?? (first < index ? `is there already, at [${first}]: keep one of them` : undefined);
    return reason === undefined ? [] : [{ propertyPath: `[${index}]`, reason }];
  });
}

/** What each client takes. */
export function connectionOf(target: ConnectionTarget): DatabaseConnection {
  const { caFile: _, ...known } = target;
  return {
    ...known,
    jdbc: jdbcUrl(target),
    mysql2: mysql2Url(target),
    mariadb: `mariadb://${credentials(target)}@${address(target)}/${target.database ?? "information_schema"}?ssl=true`,
    sqlAlchemy: sqlAlchemyUrl(target),
    go: goDsn(target),
    php: phpDsn(target),
    dotnet: dotnetString(target),
    optionFile: optionFile(target),
  };
}

/** Keys and values of the Secret; the first ones are those of the Service Binding specification. */
export function connectionSecretData(connection: DatabaseConnection): Record<string, string> {
  const { host, readHost, port, username, password, database, caCertificate } = connection;
  return {
    type: "mysql",
    provider: "tidesql",
    host,
    port: String(port),
    username,
    password,
    ...(database !== undefined && { database }),
    ...(caCertificate !== undefined && { [authorityKey]: caCertificate }),
    "read-host": readHost,
    jdbc: connection.jdbc,
    mysql2: connection.mysql2,
    mariadb: connection.mariadb,
    sqlalchemy: connection.sqlAlchemy,
    go: connection.go,
    php: connection.php,
    dotnet: connection.dotnet,
    "my.cnf": connection.optionFile,
  };
}

const address = ({ host, port }: ConnectionTarget) => `${host}:${port}`;

/** For URLs. `encodeURIComponent` leaves `!'()*` as they are, which all of these clients read as themselves. */
const credentials = ({ username, password }: ConnectionTarget) => `${username}:${encodeURIComponent(password)}`;

/** `verify-full` without a certificate file trusts the JVM's own authorities. */
function jdbcUrl({ caCertificate, caFile, database = "", ...target }: ConnectionTarget): string {
  const authority = caCertificate === undefined ? "" : `&serverSslCert=${caFile}`;
  return `jdbc:mariadb://${target.host}:${target.port}/${database}?sslMode=verify-full${authority}`;
}

/** A value that is JSON is read as an object. The name is verified when `verifyIdentity` says so. */
function mysql2Url(target: ConnectionTarget): string {
  const ssl = { ca: target.caCertificate, verifyIdentity: true };
  const query = `ssl=${encodeURIComponent(JSON.stringify(ssl))}`;
  return `mysql://${credentials(target)}@${address(target)}/${target.database ?? ""}?${query}`;
}

/** SQLAlchemy turns `ssl_*` into PyMySQL's `ssl`; without an authority in it PyMySQL would verify nothing. */
function sqlAlchemyUrl(target: ConnectionTarget): string {
  const authority = target.caCertificate === undefined ? systemAuthorities : target.caFile;
  const query = `charset=utf8mb4&ssl_ca=${authority}&ssl_check_hostname=true`;
  return `mysql+pymysql://${credentials(target)}@${address(target)}/${target.database ?? ""}?${query}`;
}

/** Nothing is escaped in it: what counts is the last "/", the last "@" before it, and the first ":". */
function goDsn(target: ConnectionTarget): string {
  const tls = target.caCertificate === undefined ? "true" : "tidesql";
  const { username, password, database = "" } = target;
  return `${username}:${password}@tcp(${address(target)})/${database}?parseTime=true&tls=${tls}`;
}

function phpDsn({ host, port, database }: ConnectionTarget): string {
  return `mysql:host=${host};port=${port};${database === undefined ? "" : `dbname=${database};`}charset=utf8mb4`;
}

/** A value in double quotes may hold everything but those, which no password does. */
function dotnetString({ host, port, username, password, database, caCertificate, caFile }: ConnectionTarget): string {
  return [
    `Server=${host}`,
    `Port=${port}`,
    ...(database === undefined ? [] : [`Database=${database}`]),
    `User ID=${username}`,
    `Password="${password}"`,
    "SslMode=VerifyFull",
    ...(caCertificate === undefined ? [] : [`SslCa=${caFile}`]),
  ].join(";");
}

function optionFile(target: ConnectionTarget): string {
  const { host, port, username, password, database, caCertificate, caFile } = target;
  return [
    "[client]",
    `host=${host}`,
    `port=${port}`,
    `user=${username}`,
    `password="${password}"`,
    ...(caCertificate === undefined ? [] : [`ssl-ca=${caFile}`]),
    "ssl-verify-server-cert",
    ...(database === undefined ? [] : ["", "[mariadb-client]", `database=${database}`]),
    "",
  ].join("\n");
}

/** Where Debian and Alpine keep the public authorities. */
const systemAuthorities = "/etc/ssl/certs/ca-certificates.crt";
