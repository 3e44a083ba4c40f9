import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { describe, it } from "mocha";
import { Database, DatabaseArgs, LoadBalancerPreset, validateDatabaseArgs } from "../../components/database";
import { accountsOf } from "../../components/database/accounts";
import { settleDatabase } from "../../components/database/settings";
import { databaseArgs, managerBundle } from "./databaseFixtures";
import { record, Recording, refusals } from "./mocks";

const type = {
  service: "kubernetes:core/v1:Service",
  set: "kubernetes:apps/v1:StatefulSet",
  policy: "kubernetes:networking.k8s.io/v1:NetworkPolicy",
  account: "kubernetes:core/v1:ServiceAccount",
  configuration: "kubernetes:core/v1:ConfigMap",
  request: "tls:index/certRequest:CertRequest",
};

function recordDatabase(changes: Partial<DatabaseArgs>): Promise<Recording<Database>> {
  return record(() => new Database("orders", databaseArgs(changes), { managerBundle }));
}

/** A value inside recorded inputs, by its path. */
function at(value: unknown, ...path: (string | number)[]): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<string | number, unknown> | undefined)?.[key], value);
}

interface ServiceInputs {
  metadata: { annotations: Record<string, string> };
  spec: Record<string, unknown> & { ports: Record<string, unknown>[] };
}

function serviceOf(made: Recording<Database>, which: string): ServiceInputs {
  return made.one(type.service, `orders-${which}`).inputs as unknown as ServiceInputs;
}

function podOf(made: Recording<Database>): Record<string, unknown> {
  return at(made.one(type.set).inputs, "spec", "template", "spec") as Record<string, unknown>;
}

describe("the Services of a database", () => {
  it("are configured one by one, what is said of one before what is said of both", async () => {
    const made = await recordDatabase({
      services: {
        type: "LoadBalancer",
        annotations: { team: "orders", cost: "shared" },
        loadBalancerSourceRanges: ["10.0.0.0/8"],
        primary: { annotations: { cost: "writes" }, port: 13_306, nodePort: 30_306, externalTrafficPolicy: "Local" },
        replica: { type: "ClusterIP" },
      },
    });
    const [primary, replica] = [serviceOf(made, "primary"), serviceOf(made, "replica")];
    assert.equal(primary.spec.type, "LoadBalancer");
    assert.deepEqual(primary.spec.loadBalancerSourceRanges, ["10.0.0.0/8"]);
    assert.equal(primary.spec.externalTrafficPolicy, "Local");
    assert.deepEqual(primary.spec.ports, [
      { name: "mysql", port: 13_306, targetPort: "mysql", protocol: "TCP", nodePort: 30_306 },
    ]);
    assert.deepEqual(primary.metadata.annotations, { team: "orders", cost: "writes" });
    assert.equal(replica.spec.type, "ClusterIP");
    for (const key of ["loadBalancerSourceRanges", "externalTrafficPolicy", "loadBalancerClass"]) {
      assert.equal(key in replica.spec, false, key);
    }
    assert.equal(replica.spec.ports[0]?.port, 3306);
    const ports = [made.result.port, made.result.replicaPort].map(port =>
      (port as pulumi.Output<number> & { promise(): Promise<number> }).promise(),
    );
    assert.deepEqual(await Promise.all(ports), [13_306, 3306]);
  });

  it("behind a load balancer of AWS have nodes as targets, which a failover does not change", async () => {
    const made = await recordDatabase({
      services: { primary: { preset: LoadBalancerPreset.NlbInternal, dnsName: "orders.example.com" } },
      clients: [{ cidr: "10.0.0.0/16" }],
    });
    const { spec, metadata } = serviceOf(made, "primary");
    assert.equal(spec.type, "LoadBalancer");
    assert.equal(spec.loadBalancerClass, "service.k8s.aws/nlb");
    const nlb = "service.beta.kubernetes.io/aws-load-balancer";
    assert.equal(metadata.annotations[`${nlb}-nlb-target-type`], "instance");
    assert.equal(metadata.annotations[`${nlb}-scheme`], "internal");
    assert.equal(metadata.annotations["external-dns.alpha.kubernetes.io/hostname"], "orders.example.com");
    assert.equal(serviceOf(made, "replica").spec.type, "ClusterIP");
    const names = at(made.one(type.request).inputs, "dnsNames") as string[];
    assert.ok(names.includes("orders.example.com"), "the certificate holds for the name that clients use");
  });
});

describe("the pods of a database", () => {
  it("carry what is asked for beside what is theirs", async () => {
    const made = await recordDatabase({
      pods: {
        labels: { team: pulumi.output("orders") },
        annotations: { "sidecar.istio.io/inject": "false" },
        serviceAccountAnnotations: { "eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/orders" },
        environment: [
          { name: "TZ", value: "UTC" },
          { name: "TOKEN", secretName: "vault", key: "token" },
        ],
        volumes: [
          { name: "backup", mountPath: "/mnt/backup", claimName: "shared", readOnly: false },
          { name: "more", mountPath: "/mnt/more", configMapName: "more" },
        ],
      },
    });
    const template = at(made.one(type.set).inputs, "spec", "template");
    assert.equal(at(template, "metadata", "labels", "team"), "orders");
    assert.equal(at(template, "metadata", "labels", "app.kubernetes.io/name"), "tidesql");
    assert.equal(at(template, "metadata", "annotations", "sidecar.istio.io/inject"), "false");
    assert.ok(at(template, "metadata", "annotations", "tidesql.io/configuration-hash"));
    const container = at(podOf(made), "containers", 0);
    assert.deepEqual((at(container, "env") as unknown[]).slice(-2), [
      { name: "TZ", value: "UTC" },
      { name: "TOKEN", valueFrom: { secretKeyRef: { name: "vault", key: "token" } } },
    ]);
    assert.deepEqual((at(container, "volumeMounts") as unknown[]).slice(-2), [
      { name: "backup", mountPath: "/mnt/backup", readOnly: false },
      { name: "more", mountPath: "/mnt/more", readOnly: true },
    ]);
    assert.deepEqual((at(podOf(made), "volumes") as unknown[]).slice(-2), [
      { name: "backup", persistentVolumeClaim: { claimName: "shared", readOnly: false } },
      { name: "more", configMap: { name: "more" } },
    ]);
    assert.deepEqual(at(made.one(type.account).inputs, "metadata", "annotations"), {
      "eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/orders",
    });
  });

  it("run as whom it is said, or as whom the cluster says", async () => {
    const given = podOf(await recordDatabase({ pods: { userId: 2000, groupId: 3000 } })).securityContext;
    assert.deepEqual([at(given, "runAsUser"), at(given, "runAsGroup"), at(given, "fsGroup")], [2000, 3000, 3000]);
    const assigned = podOf(await recordDatabase({ pods: { assignedIds: true } })).securityContext as object;
    for (const key of ["runAsUser", "runAsGroup", "fsGroup"]) assert.equal(key in assigned, false, key);
    assert.equal(at(assigned, "runAsNonRoot"), true);
  });

  it("are placed by the user's affinity and spread on top of their own", async () => {
    const pod = podOf(
      await recordDatabase({
        pods: {
          affinity: {
            requiredNodes: [{ matchExpressions: [{ key: "disk", operator: "In", values: ["ssd"] }] }],
            dislikedPods: [{ weight: 10, podLabels: { app: "batch" }, topologyKey: "kubernetes.io/hostname" }],
          },
          topologySpreadConstraints: [
            { topologyKey: "topology.kubernetes.io/zone", maxSkew: 2, whenUnsatisfiable: "DoNotSchedule" },
          ],
        },
      }),
    );
    assert.deepEqual(at(pod, "affinity", "nodeAffinity"), {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchExpressions: [{ key: "disk", operator: "In", values: ["ssd"] }] }],
      },
    });
    const anti = at(pod, "affinity", "podAntiAffinity");
    assert.equal((at(anti, "requiredDuringSchedulingIgnoredDuringExecution") as unknown[]).length, 1);
    assert.equal(at(anti, "preferredDuringSchedulingIgnoredDuringExecution", 0, "weight"), 10);
    const spread = at(pod, "topologySpreadConstraints") as Record<string, unknown>[];
    assert.equal(spread.length, 1, "the user's rule for zones takes the place of the component's");
    assert.equal(spread[0]?.maxSkew, 2);
    assert.equal(spread[0]?.whenUnsatisfiable, "DoNotSchedule");
  });

  it("reach the ports that are named, and no others", async () => {
    const made = await recordDatabase({ egress: { apiServerPorts: [8443], dnsPorts: [53], otherPorts: [15_012] } });
    const rules = at(made.one(type.policy).inputs, "spec", "egress") as { ports: { port: number }[] }[];
    const ports = [...new Set(rules.flatMap(rule => rule.ports.map(({ port }) => port)))];
    assert.deepEqual(ports.sort(), [15_012, 53, 8443, 9000].sort());
  });
});

describe("a password in a Secret that is there already", () => {
  it("is mounted as the user's, is nowhere in the state, and none is made", async () => {
    const [shop] = databaseArgs().users!;
    const made = await recordDatabase({
      users: [{ ...shop!, password: undefined, passwordSecret: { secretName: "vault", key: "shop-password" } }],
    });
    assert.equal(made.all("random:index/randomPassword:RandomPassword").length, 0);
    const volumes = at(podOf(made), "volumes") as { name: string; projected?: object }[];
    const { projected } = volumes.find(({ name }) => name === "users")!;
    assert.deepEqual(at(projected, "sources"), [
      { secret: { name: "orders-users" } },
      { secret: { name: "vault", items: [{ key: "shop-password", path: "shop" }] } },
    ]);
    const configuration = made.one(type.configuration, "orders-config").inputs.data as Record<string, string>;
    assert.match(configuration["manager.json"]!, /"name": "shop"/);
  });
});

/** An output's value, or its failure. */
function settled(output: pulumi.Output<unknown>): Promise<unknown> {
  return (output as pulumi.Output<unknown> & { promise(): Promise<unknown> }).promise();
}

describe("outputs among a database's arguments", () => {
  const later = <T>(value: T) => pulumi.output(Promise.resolve(value));

  it("name its namespace, databases and grants", async () => {
    const made = await recordDatabase({
      namespace: later("shop"),
      databases: later(["shop", "stock"]),
      users: [
        { name: "app", host: later("10.%"), grants: [{ database: later("stock"), privileges: [later("SELECT")] }] },
      ],
    });
    assert.equal(at(made.one(type.set).inputs, "metadata", "namespace"), "shop");
    assert.equal(at(made.one("kubernetes:core/v1:Namespace").inputs, "metadata", "name"), "shop");
    const priority = made.one("kubernetes:scheduling.k8s.io/v1:PriorityClass").inputs;
    assert.equal(at(priority, "metadata", "name"), "tidesql.shop.orders");
    assert.ok((at(made.one(type.request).inputs, "dnsNames") as string[]).includes("orders-primary.shop.svc"));
    const configuration = made.one(type.configuration, "orders-config").inputs.data as Record<string, string>;
    const manager = JSON.parse(configuration["manager.json"]!) as Record<string, unknown>;
    assert.equal(manager.namespace, "shop");
    assert.deepEqual(manager.databases, ["shop", "stock"]);
    assert.deepEqual(manager.users, [
      { name: "app", host: "10.%", grants: [{ database: "stock", privileges: ["SELECT"] }] },
    ]);
  });

  it("are refused by their paths once they are known", async () => {
    const wrong: [changes: Partial<DatabaseArgs>, message: RegExp][] = [
      [{ namespace: later("Shop") }, /namespace: "Shop"/],
      [{ databases: later(["my-shop"]), users: [] }, /databases\[0\]: "my-shop"/],
      [{ databases: later(["shop", undefined as unknown as string]), users: [] }, /databases\[1\]: is undefined/],
      [
        { users: [{ name: "app", grants: [{ database: later("nowhere"), privileges: ["SELECT"] }] }] },
        /users\[0\]\.grants\[0\]\.database: "nowhere"/,
      ],
    ];
    for (const [changes, message] of wrong) {
      const args = databaseArgs(changes);
      assert.deepEqual(validateDatabaseArgs("orders", args), [], "not known yet");
      const { namespace } = settleDatabase("orders", args).names;
      await assert.rejects(settled(pulumi.all([accountsOf("orders", args), namespace])), message);
    }
  });

  it("are refused where they decide what is made, and it is said what may be one", async () => {
    const problems = await refusals(
      () =>
        new Database("orders", databaseArgs({ users: later([]) as never, replicas: later(2) as never }), {
          managerBundle,
        }),
    );
    assert.deepEqual(problems.map(({ propertyPath }) => propertyPath).sort(), ["replicas", "users"]);
    for (const { reason } of problems) assert.match(reason, /is an output.*known while planning/);
  });
});

describe("a database's new arguments are refused", () => {
  const [shop] = databaseArgs().users!;
  const cases: [what: string, changes: Partial<DatabaseArgs>, propertyPath: string, wayOut: RegExp][] = [
    ["a preset without the nodes' addresses", { services: { preset: "nlbInternal" } }, "services.preset", /clients/],
    [
      "a class inside the cluster",
      { services: { primary: { loadBalancerClass: "x" } } },
      "services.primary.loadBalancerClass",
      /LoadBalancer/,
    ],
    [
      "a port of nodes inside the cluster",
      { services: { replica: { nodePort: 30_000 } } },
      "services.replica.nodePort",
      /NodePort/,
    ],
    [
      "a port of nodes that none has",
      { services: { type: "NodePort", primary: { nodePort: 3306 } } },
      "services.primary.nodePort",
      /30000 to 32767/,
    ],
    [
      "a range that is none",
      { services: { type: "LoadBalancer", loadBalancerSourceRanges: ["office"] } },
      "services.loadBalancerSourceRanges[0]",
      /203\.0\.113/,
    ],
    ["a host name that is none", { services: { primary: { dnsName: "a b" } } }, "services.primary.dnsName", /DNS name/],
    [
      "a label of the managers'",
      { pods: { labels: { "tidesql.io/role": "primary" } } },
      "pods.labels.tidesql.io/role",
      /leave it out/,
    ],
    [
      "the manager's variable",
      { pods: { environment: [{ name: "POD_NAME", value: "x" }] } },
      "pods.environment[0].name",
      /choose another/,
    ],
    [
      "a variable of two sources",
      { pods: { environment: [{ name: "A", value: "x", secretName: "y" }] } },
      "pods.environment[0].value",
      /one of them/,
    ],
    [
      "a volume over the database's",
      { pods: { volumes: [{ name: "x", mountPath: "/var/lib/tidesql/x", scratchGiB: 1 }] } },
      "pods.volumes[0].mountPath",
      /choose another/,
    ],
    [
      "a volume of no source",
      { pods: { volumes: [{ name: "x", mountPath: "/x" }] } },
      "pods.volumes[0]",
      /one of secretName/,
    ],
    ["the administrator's id", { pods: { userId: 0 } }, "pods.userId", /never the administrator/],
    ["ids beside assigned ones", { pods: { assignedIds: true, userId: 5 } }, "pods.userId", /leave one/],
    ["no port of the API server", { egress: { apiServerPorts: [] } }, "egress.apiServerPorts", /name a port/],
    ["a port that is none", { egress: { otherPorts: [70_000] } }, "egress.otherPorts[0]", /1 to 65535/],
    [
      "a password in two places",
      { users: [{ ...shop!, passwordSecret: { secretName: "x" } }] },
      "users[0].passwordSecret",
      /leave one/,
    ],
    [
      "a condition without values",
      { pods: { affinity: { requiredNodes: [{ matchExpressions: [{ key: "a", operator: "In" }] }] } } },
      "pods.affinity.requiredNodes[0].matchExpressions[0].values",
      /takes some/,
    ],
  ];
  for (const [what, changes, propertyPath, wayOut] of cases) {
    it(what, async () => {
      const refused = await refusals(() => new Database("orders", databaseArgs(changes), { managerBundle }));
      assert.deepEqual(
        refused.map(problem => problem.propertyPath),
        [propertyPath],
      );
      assert.match(refused[0]?.reason ?? "", wayOut);
    });
  }
});
