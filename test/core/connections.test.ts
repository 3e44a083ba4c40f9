import assert from "node:assert/strict";
import * as fc from "fast-check";
import {
  connectionCaFile,
  connectionOf,
  connectionSecretData,
  connectionSecretName,
  type ConnectionTarget,
  validateSecretNamespaces,
} from "../../components/core/connections";
import { databaseNames } from "../../components/core/names";
import { generatedPassword, passwordProblem } from "../../components/core/passwords";

const names = databaseNames("orders", "shop", 3);
const target: ConnectionTarget = {
  host: "orders-primary.shop.svc.cluster.local",
  readHost: "orders-replica.shop.svc.cluster.local",
  port: 3306,
  username: "app_user",
  password: "Secret-1",
  database: "orders",
  caCertificate: "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
  caFile: connectionCaFile(names),
};

/** Every password that a user may have. */
const password = fc
  .string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map(code => String.fromCharCode(code)), maxLength: 30 })
  .map(text => `Aa1-${text}`)
  .filter(text => passwordProblem("app_user", text) === undefined);

/** go-sql-driver's rules: the last "/", the last "@" before it, the first ":" before that. */
function readDsn(dsn: string) {
  const slash = dsn.lastIndexOf("/");
  const at = dsn.lastIndexOf("@", slash);
  const colon = dsn.indexOf(":");
  return { username: dsn.slice(0, colon), password: dsn.slice(colon + 1, at), address: dsn.slice(at + 1, slash) };
}

describe("connections", () => {
  it("are what each client takes", () => {
    assert.deepEqual(connectionOf(target), {
      host: target.host,
      readHost: target.readHost,
      port: 3306,
      username: "app_user",
      password: "Secret-1",
      database: "orders",
      caCertificate: target.caCertificate,
      jdbc: "jdbc:mariadb://orders-primary.shop.svc.cluster.local:3306/orders?sslMode=verify-full&serverSslCert=/etc/tidesql/orders/ca.crt",
      mysql2:
        "mysql://app_user:Secret-1@orders-primary.shop.svc.cluster.local:3306/orders?ssl=" +
        encodeURIComponent(JSON.stringify({ ca: target.caCertificate, verifyIdentity: true })),
      mariadb: "mariadb://app_user:Secret-1@orders-primary.shop.svc.cluster.local:3306/orders?ssl=true",
      sqlAlchemy:
        "mysql+pymysql://app_user:Secret-1@orders-primary.shop.svc.cluster.local:3306/orders?charset=utf8mb4&ssl_ca=/etc/tidesql/orders/ca.crt&ssl_check_hostname=true",
      go: "app_user:Secret-1@tcp(orders-primary.shop.svc.cluster.local:3306)/orders?parseTime=true&tls=tidesql",
      php: "mysql:host=orders-primary.shop.svc.cluster.local;port=3306;dbname=orders;charset=utf8mb4",
      dotnet:
        'Server=orders-primary.shop.svc.cluster.local;Port=3306;Database=orders;User ID=app_user;Password="Secret-1";SslMode=VerifyFull;SslCa=/etc/tidesql/orders/ca.crt',
      optionFile: [
        "[client]",
        "host=orders-primary.shop.svc.cluster.local",
        "port=3306",
        "user=app_user",
        'password="Secret-1"',
        "ssl-ca=/etc/tidesql/orders/ca.crt",
        "ssl-verify-server-cert",
        "",
        "[mariadb-client]",
        "database=orders",
        "",
      ].join("\n"),
    });
  });

  it("hold any password that a user may have", () => {
    fc.assert(
      fc.property(password, secret => {
        const { mysql2, mariadb, sqlAlchemy, go, dotnet } = connectionOf({ ...target, password: secret });
        for (const url of [mysql2, mariadb, sqlAlchemy].map(text => new URL(text))) {
          assert.equal(decodeURIComponent(url.password), secret);
          assert.equal(url.host, "orders-primary.shop.svc.cluster.local:3306");
        }
        assert.deepEqual(readDsn(go), {
          username: "app_user",
          password: secret,
          address: "tcp(orders-primary.shop.svc.cluster.local:3306)",
        });
        assert.equal(/Password="([^"]*)"/.exec(dotnet)?.[1], secret);
      }),
    );
  });

  it("hold the passwords that are made", () => {
    assert.doesNotMatch(generatedPassword.overrideSpecial, /[^-_.~]/, "what a URL would escape");
  });

  it("verify against public authorities where the server's is not known", () => {
    const connection = connectionOf({ ...target, caCertificate: undefined });
    assert.match(connection.jdbc, /\?sslMode=verify-full$/);
    assert.equal(new URL(connection.mysql2).searchParams.get("ssl"), '{"verifyIdentity":true}');
    assert.match(connection.sqlAlchemy, /ssl_ca=\/etc\/ssl\/certs\/ca-certificates.crt&ssl_check_hostname=true$/);
    assert.match(connection.go, /&tls=true$/);
    assert.match(connection.dotnet, /;SslMode=VerifyFull$/);
    assert.doesNotMatch(connection.optionFile, /ssl-ca/);
    assert.match(connection.optionFile, /ssl-verify-server-cert/);
    assert.ok(!("ca.crt" in connectionSecretData(connection)));
  });

  it("name no database for a user without one, but where the client demands it", () => {
    const connection = connectionOf({ ...target, database: undefined });
    assert.ok(!("database" in connectionSecretData(connection)));
    assert.equal(new URL(connection.mysql2).pathname, "/");
    assert.equal(new URL(connection.mariadb).pathname, "/information_schema");
    assert.doesNotMatch(connection.php + connection.dotnet + connection.optionFile, /database=|dbname/i);
  });

  it("are in a Secret with the keys that libraries for service bindings look for", () => {
    const data = connectionSecretData(connectionOf(target));
    assert.deepEqual(
      [data.type, data.provider, data.host, data.port, data.username, data.password, data.database],
      ["mysql", "tidesql", target.host, "3306", "app_user", "Secret-1", "orders"],
    );
    assert.equal(data["ca.crt"], target.caCertificate);
    for (const key of Object.keys(data)) assert.match(key, /^[-._a-zA-Z0-9]+$/);
  });

  it("have a Secret for each user, of a name that Kubernetes takes", () => {
    const user = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_]{0,31}$/);
    fc.assert(
      fc.property(user, user, (one, other) => {
        const [first, second] = [one, other].map(name => connectionSecretName(names, name));
        assert.match(first!, /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);
        assert.equal(first === second, one.toLowerCase() === other.toLowerCase());
      }),
    );
  });

  it("go to namespaces that there can be, each once", () => {
    assert.deepEqual(validateSecretNamespaces(["shop", "default"]), []);
    const problems = validateSecretNamespaces(["Shop", "web", "web"]);
    assert.deepEqual(
      problems.map(({ propertyPath }) => propertyPath),
      ["[0]", "[2]"],
    );
    assert.match(problems[1]?.reason ?? "", /\[1\]: keep one/);
  });
});
