import assert from "node:assert/strict";
import { databaseOf } from "../../policy/model/database";
import { isLongRunning } from "../../policy/model/kubernetes";
import { mountHolding, mountsOf } from "../../policy/model/mounts";
import { notYetKnown, plainResource, type RawResource } from "../../policy/model/resource";
import { Stack } from "../../policy/model/stack";
import { judge } from "../../policy/judge";
import { today } from "./describePolicy";
import { goodDatabase } from "./goodProgram";
import { changed, manifests, plus, resource, set } from "./program";

const pod = (container: object, volumes: object[] = [], name = "pod") =>
  resource("kubernetes:core/v1:Pod", name, {
    metadata: { name, labels: { app: "a" } },
    spec: { containers: [{ name: "a", ...container }], volumes },
  });
const options = resource("kubernetes:core/v1:ConfigMap", "options", {
  metadata: { name: "options" },
  data: { "my.cnf": "[mysqld]\ntidesdb_log_level=WARN\n" },
});
const withOptions = { volumeMounts: [{ name: "o", mountPath: "/etc/mysql/custom" }] };
const optionVolume = [{ name: "o", configMap: { name: "options" } }];

function databaseIn(...program: RawResource[]) {
  const stack = new Stack(program.map(candidate => plainResource(candidate)));
  const [workload] = stack.where(isLongRunning);
  return databaseOf(workload!, stack);
}

describe("a workload is a TideSQL database", () => {
  const databases: [what: string, program: RawResource[]][] = [
    ["by its image alone", [pod({ image: "registry:5000/team/tidesql:4.5.7" })]],
    ["by its image and options for the entrypoint", [pod({ image: "tidesdb/tidesql", args: ["--port=3307"] })]],
    ["by its entrypoint", [pod({ image: "mine:1.0", command: ["/usr/local/bin/tidesql-entrypoint.sh"] })]],
    [
      "by a shell that ends in its entrypoint",
      [pod({ image: "mine:1.0", command: ["bash", "-c", "cp a b && exec tidesql-entrypoint.sh"] })],
    ],
    [
      "by an option of the engine on the server's command line",
      [pod({ image: "mariadb:11.8", command: ["mariadbd"], args: ["--tidesdb-log-level=WARN"] })],
    ],
    ["by a mounted option file", [pod({ image: "mariadb:11.8", ...withOptions }, optionVolume), options]],
    [
      "by its image behind a starter and a script",
      [pod({ image: "registry.example/tidesql:4.5.7", command: ["/usr/bin/tini", "--", "/start.sh"] })],
    ],
    [
      "by its image behind a shell that runs a script",
      [pod({ image: "registry.example/tidesql:4.5.7", command: ["sh", "-c", "exec /opt/run.sh"] })],
    ],
    [
      "by an option file that a script reads",
      [pod({ image: "mine:1.0", command: ["/run.sh"], ...withOptions }, optionVolume), options],
    ],
    [
      "by an option in a variable",
      [
        pod({
          image: "mariadb:11.8",
          command: ["sh", "-c", 'exec mariadbd "$EXTRA"'],
          env: [{ name: "EXTRA", value: "--tidesdb-log-level=WARN" }],
        }),
      ],
    ],
    ...["argoproj.io/v1alpha1:Rollout", "apps.kruise.io/v1alpha1:CloneSet", "apps.kruise.io/v1beta1:StatefulSet"].map(
      (kind): [string, RawResource[]] => [
        `in an object of the kind ${kind}`,
        [
          resource(`kubernetes:${kind}`, "orders", {
            spec: { template: { spec: { containers: [{ name: "a", image: "tidesql:4.5.7" }] } } },
          }),
        ],
      ],
    ),
    ["although its image is not yet known", [pod({ image: notYetKnown, ...withOptions }, optionVolume), options]],
  ];
  for (const [what, program] of databases) it(what, () => assert.ok(databaseIn(...program)));

  const others: [what: string, program: RawResource[]][] = [
    ["another database", [pod({ image: "mariadb:11.8" })]],
    ["a script in its image", [pod({ image: "tidesql:4.5.7", command: ["bash", "/scripts/backup.sh"] })]],
    [
      "a client with its option file",
      [pod({ image: "mariadb:11.8", command: ["sleep", "infinity"], ...withOptions }, optionVolume), options],
    ],
    ["a web server", [pod({ image: "nginx:1.29.3" })]],
    ["whatever has an image that is not yet known and no other sign", [pod({ image: notYetKnown })]],
    [
      "an exporter that is told where the database is",
      [pod({ image: "prom/mysqld-exporter:v0.17.2", args: ["--mysqld.address=tidesql-primary:3306"] })],
    ],
    ["a dashboard of a similar name", [pod({ image: "ghcr.io/shop/tidesql-dashboard:2.1.0" })]],
    [
      "a container that dumps it",
      [
        pod({
          image: "tidesql:4.5.7",
          command: [
            "sh",
            "-c",
            "while true; do mariadb-dump -h tidesql-primary --all-databases > /d/x; sleep 60; done",
          ],
        }),
      ],
    ],
    [
      "a client in its image with options of the client",
      [pod({ image: "tidesql:4.5.7", command: ["mariadb"], args: ["--host=tidesql-primary"] })],
    ],
    ["a custom object without pods", [resource("kubernetes:k8s.example.com/v1:Database", "tidesql", { spec: {} })]],
  ];
  for (const [what, program] of others) it(`but not ${what}`, () => assert.equal(databaseIn(...program), undefined));

  it("or not yet known, when its image is and it offers MySQL's port", () => {
    const ports = [{ containerPort: 3306 }];
    assert.throws(() => databaseIn(pod({ image: notYetKnown, ports })), /spec.containers\[0\].image/);
  });

  it("or not yet known, when what it mounts is and it may be MariaDB", () => {
    const volumeMounts = [{ name: notYetKnown, mountPath: "/etc/nginx/conf.d" }];
    assert.equal(databaseIn(pod({ image: "nginx:1.27", volumeMounts })), undefined);
    assert.throws(() => databaseIn(pod({ image: "mariadb:11.8", volumeMounts })), /volumeMounts\[0\].name/);
    const options = [{ name: notYetKnown, mountPath: "/etc/mysql/conf.d" }];
    assert.throws(() => databaseIn(pod({ image: "mine:1.0", volumeMounts: options })), /volumeMounts\[0\].name/);
  });
});

describe("the options of a server", () => {
  const optionOf = (name: string, ...lines: string[]) => {
    const file = { ...options, inputs: { metadata: { name: "options" }, data: { "my.cnf": lines.join("\n") } } };
    return databaseIn(pod({ image: "tidesql:4.5.7", ...withOptions }, optionVolume), file)!.settings.text(name);
  };
  const cases: [value: string | undefined, ...lines: string[]][] = [
    ["1", "[mariadb]", "tidesdb-x = 1"],
    ["1", "[mysqld-11.8]", "Loose_TidesDB_X=1 # one"],
    ["a b", "tidesdb_x='a b'"],
    ["2", "[mysqld]", "tidesdb_x=1", "[mariadb]", "tidesdb_x=2"],
    ["ON", "[server]", "tidesdb_x"],
    ["OFF", "skip-tidesdb-x"],
    [undefined, "[client]", "tidesdb_x=1"],
    [undefined, "# tidesdb_x=1", "; tidesdb_x=2"],
    [undefined, "[mysqldump]", "tidesdb_x=1"],
  ];
  for (const [value, ...lines] of cases) {
    it(`${JSON.stringify(lines.join("\n"))} sets it to ${value}`, () =>
      assert.equal(optionOf("tidesdb_x", ...lines), value));
  }

  it("are those of a mounted Secret too, plain or encoded", () => {
    const secret = (data: object) =>
      resource("kubernetes:core/v1:Secret", "options", { metadata: { name: "options" }, ...data });
    const volumes = [{ name: "o", projected: { sources: [{ secret: { name: "options" } }] } }];
    const text = "[mariadbd]\ntidesdb_x=7\n";
    for (const data of [
      { stringData: { "a.cnf": text } },
      { data: { "a.cnf": Buffer.from(text).toString("base64") } },
    ]) {
      const database = databaseIn(pod({ image: "tidesql:4.5.7", ...withOptions }, volumes), secret(data));
      assert.equal(database?.settings.text("tidesdb_x"), "7");
    }
  });
});

describe("the volumes of a container", () => {
  it("hold a path by the longest mount that is part of it", () => {
    const mounts = [
      { name: "root", mountPath: "/data" },
      { name: "deep", mountPath: "/data/mysql/" },
      { name: "beside", mountPath: "/data/my" },
    ];
    const volumes = mounts.map(({ name }) => ({ name, emptyDir: {} }));
    const stack = new Stack([plainResource(pod({ image: "a", volumeMounts: mounts }, volumes))]);
    const [workload] = stack.resources;
    const container = workload!.at("spec", "containers").items[0]!;
    const holding = (path: string) => mountHolding(mountsOf(workload!, container), path)?.field.at("name").text;
    assert.equal(holding("/data/mysql/ibdata1"), "deep");
    assert.equal(holding("/data/other"), "root");
    assert.equal(holding("/data/my"), "beside");
    assert.equal(holding("/databases"), undefined);
  });
});

describe("a load balancer", () => {
  it("in front of two databases needs TLS in both", () => {
    const plain = manifests(`
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: second, namespace: shop }
spec: { template: { metadata: { labels: { app: orders } }, spec: { containers: [{ name: a, image: "tidesql:4.5.7" }] } } }
`);
    const program = changed(goodDatabase, set("orders-primary", "spec.type", "LoadBalancer"), plus(...plain));
    const policies = judge(program, { today }).findings.map(({ policy, resourceName }) => `${policy} ${resourceName}`);
    assert.ok(policies.includes("tls-load-balancer orders-primary"));
  });
});
