import { notYetKnown } from "../../policy/model/resource";
import { describePolicy } from "./describePolicy";
import { goodDatabase } from "./goodProgram";
import { changed, dataPath, edit, manifests, plus, resource, set, withSecrets } from "./program";

/** The example key of the AWS documentation. */
const accessKeyId = "AKIAIOSFODNN7EXAMPLE";
const random = "wJalrXUtnFEMI7K7MDENGbPxRfiCYzx8Vq";

const entry = (text: string, file = "settings.conf") => [
  resource("kubernetes:core/v1:ConfigMap", "settings", { metadata: { name: "settings" }, data: { [file]: text } }),
];
const variable = (name: string, value: unknown) =>
  changed(goodDatabase, set("orders", "spec.template.spec.containers[0].env[0]", { name, value }));
const argument = (text: unknown) =>
  changed(goodDatabase, set("orders", "spec.template.spec.containers[0].args", [text]));
const annotation = (name: string, value: unknown) =>
  changed(goodDatabase, set("orders", "spec.template.metadata.annotations", { [name]: value }));
const machine = (userData: unknown) => [resource("aws:ec2/launchTemplate:LaunchTemplate", "nodes", { userData })];
const secret = (stringData: unknown, ...paths: string[]) =>
  withSecrets(resource("kubernetes:core/v1:Secret", "users", { metadata: { name: "users" }, stringData }), ...paths);

describe("secrets", () => {
  describePolicy("secrets-in-config-map", {
    passes: [
      goodDatabase,
      entry(
        "password_file=/etc/tidesql/users/app\nMYSQL_PASSWORD=${MYSQL_PASSWORD}\nsimple_password_check_digits=1\nsecretName: orders-tls",
      ),
      entry(
        '{ "databaseId": "0b5c9a57-12f5-4c0e-9f4b-7d2a8c1e6f30", "secret": "orders-users", "tokenTtlSeconds": 3600 }',
        "manager.json",
      ),
      entry("const password=await read(path);t.password='x'+y;throw Error('--password=... is missing')", "manager.js"),
    ],
    fails: {
      program: changed(
        goodDatabase,
        edit("orders-config", dataPath("engine.cnf"), text => `${text}tidesdb_s3_secret_key=hunter2hunter2\n`),
      ),
      resource: "orders-config",
      says: /Entry engine.cnf, line 21, holds a credential: a value under the name tidesdb_s3_secret_key/,
    },
    unknown: changed(goodDatabase, set("orders-config", "data.more", notYetKnown)),
    handWritten: {
      program: manifests(`
apiVersion: v1
kind: ConfigMap
metadata: { name: nested }
binaryData:
  values.yaml: ${Buffer.from("db:\n  auth:\n    - rootPassword: 'hunter2'\n").toString("base64")}
`),
      resource: "nested",
      says: /values.yaml, line 3, .*rootPassword/,
    },
  });

  describePolicy("secrets-in-environment", {
    passes: [
      goodDatabase,
      variable("MYSQL_PASSWORD_FILE", "/run/secrets/password"),
      variable("IMAGE_DIGEST", `sha256:${"ab".repeat(32)}`),
    ],
    fails: {
      program: variable("MYSQL_PASSWORD", "hunter2"),
      resource: "orders",
      says: /Variable MYSQL_PASSWORD holds a credential/,
    },
    unknown: variable("MYSQL_PASSWORD", notYetKnown),
    handWritten: {
      program: manifests(`
apiVersion: batch/v1
kind: CronJob
metadata: { name: backup }
spec:
  jobTemplate:
    spec:
      template:
        spec:
          containers: [{ name: backup, image: backup:1.0, env: [{ name: SOURCE, value: "mysql://app:hunter2@orders-primary/shop" }] }]
`),
      resource: "backup",
      says: /a password in a URL/,
    },
  });

  describePolicy("secrets-in-arguments", {
    passes: [goodDatabase, argument('exec mariadb -u app -p"$MYSQL_PASSWORD" --password-file=/run/p shop')],
    fails: {
      program: argument("mariadb -u root -phunter2 shop"),
      resource: "orders",
      says: /a password on a command line/,
    },
    unknown: argument(notYetKnown),
    handWritten: {
      program: [
        resource("command:local:Command", "users", {
          create: `kubectl exec orders-0 -- mariadb -e "CREATE USER app@'%' IDENTIFIED BY 'hunter2'"`,
        }),
      ],
      resource: "users",
      says: /a password in SQL/,
    },
  });

  describePolicy("secrets-in-metadata", {
    passes: [
      goodDatabase,
      annotation("checksum/config", random),
      annotation("eks.amazonaws.com/role-arn", "arn:aws:iam::1:role/a"),
    ],
    fails: {
      program: annotation("shop/key", random),
      resource: "orders",
      says: /Annotation shop\/key holds a credential: a long random value/,
    },
    unknown: annotation("shop/note", notYetKnown),
    handWritten: {
      program: manifests(`
apiVersion: v1
kind: Service
metadata:
  name: orders
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: '{"spec":{"env":[{"name":"A","accessKey":"${accessKeyId}"}]}}'
`),
      resource: "orders",
      says: /an AWS access key id/,
    },
  });

  describePolicy("secrets-in-user-data", {
    passes: [machine(Buffer.from("#!/bin/sh\naws s3 cp s3://scripts/start.sh .\n").toString("base64"))],
    fails: {
      program: machine(Buffer.from("#!/bin/sh\nexport DB_PASSWORD=hunter2\n").toString("base64")),
      resource: "nodes",
      says: /userData, line 2, holds a credential/,
    },
    unknown: machine(notYetKnown),
    handWritten: {
      program: [
        resource("eks:index:NodeGroup", "workers", {
          nodeUserData: `-----BEGIN RSA PRIVATE KEY-----\n${"MIIEowIBAAKCAQEA7bq9".repeat(3)}\n`,
        }),
      ],
      resource: "workers",
      says: /a private key/,
    },
  });

  const release = (values: unknown, ...paths: string[]) => [
    withSecrets(resource("kubernetes:helm.sh/v3:Release", "blog", { chart: "wordpress", values }), ...paths),
  ];
  const task = (environment: unknown) => [
    resource("aws:ecs/taskDefinition:TaskDefinition", "web", {
      containerDefinitions: JSON.stringify([{ name: "web", environment }]),
    }),
  ];
  const custom = (spec: unknown) => resource("kubernetes:k8s.mariadb.com/v1alpha1:MariaDB", "shop", { spec });
  const sealed = resource("kubernetes:bitnami.com/v1alpha1:SealedSecret", "sealed", {
    spec: { encryptedData: { password: `AgB${random}` } },
  });

  describePolicy("secrets-in-inputs", {
    passes: [
      goodDatabase,
      release({ auth: { rootPassword: "hunter2" } }, "values.auth.rootPassword"),
      release({ auth: { existingSecret: "blog-db", secretKey: "password" }, resetPassword: "enabled" }),
      [custom({ secretSelector: { secretName: "users", secretKey: "superUser" } })],
      [custom({ rootPasswordSecretKeyRef: { name: "shop", key: "password" } }), sealed],
      task([{ name: "DB_PASSWORD_FILE", value: "/run/secrets/password" }]),
    ],
    fails: {
      program: [custom({ rootPassword: "hunter2" })],
      resource: "shop",
      says: /spec.rootPassword holds a credential: a value under the name rootPassword/,
    },
    unknown: release({ auth: { rootPassword: notYetKnown } }),
    handWritten: {
      program: [
        ...task([{ name: "DB_PASSWORD", value: "hunter2" }]),
        ...release({ auth: { rootPassword: "hunter2" } }),
      ],
      resource: "web",
      says: /containerDefinitions holds a credential: a value under the name DB_PASSWORD/,
    },
  });

  describePolicy("secrets-example-values", {
    passes: [goodDatabase],
    fails: {
      program: [secret({ monitor: "M0nitor!Pass9" }, "stringData")],
      resource: "users",
      says: /stringData.monitor holds an example value/,
    },
    unknown: [secret({ monitor: notYetKnown }, "stringData")],
    handWritten: {
      program: manifests(`
apiVersion: v1
kind: Secret
metadata: { name: encoded }
data: { app: ${Buffer.from("YourStrongPassword!2026").toString("base64")} }
`),
      resource: "encoded",
      says: /data.app/,
    },
  });

  describePolicy("secrets-encrypted-in-state", {
    passes: [
      [secret({ app: "hunter2" }, "stringData")],
      [secret({ app: notYetKnown }, "stringData.app")],
      [
        withSecrets(
          resource("tidesql:index:Database", "orders", { users: [{ name: "app", password: "hunter2" }] }),
          "users[0].password",
        ),
      ],
    ],
    fails: { program: [secret({ app: "hunter2" })], resource: "users", says: /stringData.app holds a credential/ },
    unknown: [resource("aws:ssm/parameter:Parameter", "password", { type: notYetKnown, value: "hunter2" })],
    handWritten: {
      program: [resource("aws:ssm/parameter:Parameter", "password", { type: "SecureString", value: "hunter2" })],
      resource: "password",
      says: /value holds a credential/,
    },
  });

  describePolicy("secrets-repeated-in-plain", {
    passes: [goodDatabase, [secret({ app: "hunter2hunter2" }, "stringData")]],
    fails: {
      program: changed(
        goodDatabase,
        plus(secret({ app: "hunter2hunter2" }, "stringData")),
        edit("orders-config", dataPath("engine.cnf"), text => `${text}# was hunter2hunter2\n`),
      ),
      resource: "orders-config",
      says: /A secret of users/,
    },
    unknown: changed(
      goodDatabase,
      plus(secret({ app: "hunter2hunter2" }, "stringData")),
      set("orders-config", "data.more", notYetKnown),
    ),
    handWritten: {
      program: [
        resource("random:index/randomPassword:RandomPassword", "made", {}),
        secret({ app: "hunter2hunter2" }, "stringData.app"),
        ...manifests(
          "{ apiVersion: v1, kind: Service, metadata: { name: web, annotations: { a/b: 'pw:hunter2hunter2' } } }",
        ),
      ],
      resource: "web",
      says: /stands here as plain text/,
    },
  });

  describePolicy("secrets-as-files", {
    passes: [goodDatabase],
    fails: {
      program: changed(
        goodDatabase,
        set("orders", "spec.template.spec.containers[0].env[0]", {
          name: "P",
          valueFrom: { secretKeyRef: { name: "s", key: "p" } },
        }),
      ),
      resource: "orders",
      says: /takes a Secret into its environment/,
    },
    unknown: changed(goodDatabase, set("orders", "spec.template.spec.containers[0].env", notYetKnown)),
    handWritten: {
      program: manifests(
        "{ apiVersion: v1, kind: Pod, metadata: { name: shell }, spec: { containers: [{ name: shell, image: a:1.0, envFrom: [{ secretRef: { name: s } }] }] } }",
      ),
      resource: "shell",
      says: /takes a Secret/,
    },
  });

  describePolicy("secrets-account-privileges", {
    passes: [goodDatabase, entry("GRANT SELECT ON shop.* TO app;\nGRANT ALL PRIVILEGES ON shop.* TO app;", "init.sql")],
    fails: {
      program: entry("GRANT ALL PRIVILEGES ON *.* TO 'monitor'@'%' WITH GRANT OPTION;", "init.sql"),
      resource: "settings",
      says: /ALL PRIVILEGES/,
    },
    unknown: [resource("kubernetes:core/v1:ConfigMap", "settings", { data: notYetKnown })],
    handWritten: {
      program: [resource("command:local:Command", "users", { create: "mariadb -e 'grant all  on *.* to app'" })],
      resource: "users",
      says: /ALL PRIVILEGES/,
    },
  });
});
