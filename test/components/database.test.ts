import assert from "node:assert/strict";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { Database, DatabaseArgs, DatabaseOptions, Durability } from "../../components/database";
import { ManagerConfigurationBody } from "../../components/core/managerConfigurationText";
import { configurationHashAnnotation } from "../../components/core/manifests/statefulSet";
import { passwordProblem } from "../../components/core/passwords";
import { unknown } from "../../cli/planner/values";
import { makeCertificate } from "../engine/testCertificate";
import { databaseArgs, managerBundle, secretValues } from "./databaseFixtures";
import { at, isSecret, items, record, Recording, Registered, valueOf } from "./mocks";

const kinds = {
  statefulSet: "kubernetes:apps/v1:StatefulSet",
  service: "kubernetes:core/v1:Service",
  secret: "kubernetes:core/v1:Secret",
  configMap: "kubernetes:core/v1:ConfigMap",
  namespace: "kubernetes:core/v1:Namespace",
  password: "random:index/randomPassword:RandomPassword",
};

function recordDatabase(changes: Partial<DatabaseArgs> = {}, opts: DatabaseOptions = {}): Promise<Recording<Database>> {
  return record(() => new Database("orders", databaseArgs(changes), { managerBundle, ...opts }));
}

function texts(recording: Recording<Database>) {
  const { data } = recording.one(kinds.configMap, "orders-config").inputs as { data: Record<string, string> };
  const lines = (data["engine.cnf"] ?? "").split("\n").filter(line => line.includes("="));
  return {
    engine: new Map(lines.map(line => line.split(/=(.*)/s).slice(0, 2) as [string, string])),
    manager: JSON.parse(data["manager.json"] ?? "") as ManagerConfigurationBody,
    databaseId: data.databaseId,
    nodes: data.nodes,
  };
}

/** The StatefulSet as it was sent, as far as these tests look into it. */
interface SentStatefulSet {
  metadata: { namespace: string };
  spec: {
    replicas: number;
    template: {
      metadata: { annotations: Record<string, string> };
      spec: {
        terminationGracePeriodSeconds: number;
        containers: { resources: { limits: Record<string, string> } }[];
        volumes: { name: string; secret?: { secretName: string } }[];
      };
    };
  };
}

function statefulSetOf(recording: Recording<Database>): SentStatefulSet {
  return recording.one(kinds.statefulSet).inputs as unknown as SentStatefulSet;
}

/** What is sent of an authority, a request and a certificate, together. */
interface SentCertificate {
  isCaCertificate: boolean;
  dnsNames: string[];
  allowedUses: string[];
  validityPeriodHours: number;
  earlyRenewalHours: number;
  subject: { commonName: string };
}

function secretOf(recording: Recording<Database>, name: string): Record<string, string> {
  return recording.one(kinds.secret, name).inputs.stringData as Record<string, string>;
}

function hashOf(recording: Recording<Database>): string {
  return statefulSetOf(recording).spec.template.metadata.annotations[configurationHashAnnotation]!;
}

/** PEM of an authority that is not the database's own. */
const authority = makeCertificate("authority.example").certificate;

describe("Database", () => {
  let made: Recording<Database>;
  before(async () => {
    made = await recordDatabase();
  });

  it("makes everything in the cluster, each object below the component and named by it", () => {
    const component = made.one("tidesql:index:Database");
    const children = made.resources.filter(({ type }) => type !== component.type && !type.startsWith("pulumi:"));
    assert.deepEqual(children.map(({ type, name }) => `${type.replace(/^.*[:/]/, "")} ${name}`).sort(), [
      "CertRequest orders-server-request",
      "ConfigMap orders-config",
      "ConfigMap orders-manager",
      "LocallySignedCert orders-server",
      "Namespace orders-namespace",
      "NetworkPolicy orders-network-policy",
      "PersistentVolumeClaimPatch orders-data-0",
      "PersistentVolumeClaimPatch orders-data-1",
      "PersistentVolumeClaimPatch orders-data-2",
      "PodDisruptionBudget orders-disruption-budget",
      "PriorityClass orders-priority",
      "PrivateKey orders-ca-key",
      "PrivateKey orders-server-key",
      "RandomBytes orders-fingerprint-key",
      "RandomPassword orders-password-reports",
      "RandomUuid orders-id",
      "Role orders-role",
      "RoleBinding orders-role-binding",
      "Secret orders-connection-reports",
      "Secret orders-connection-shop",
      "Secret orders-object-store",
      "Secret orders-tls",
      "Secret orders-users",
      "SelfSignedCert orders-ca",
      "Service orders-headless",
      "Service orders-primary",
      "Service orders-replica",
      "ServiceAccount orders-account",
      "StatefulSet orders-stateful-set",
    ]);
    for (const child of children) assert.equal(child.parent, component.urn, child.name);
  });

  it("looks nothing up", () => assert.deepEqual(made.invokes, []));

  it("gives every Kubernetes object its name and namespace, so that what refers to it finds it", () => {
    for (const { type, inputs } of made.resources.filter(({ type }) => type.startsWith("kubernetes:"))) {
      const { metadata } = inputs as { metadata: { name?: string; namespace?: string } };
      assert.ok(metadata.name, type);
      const clusterWide = type === kinds.namespace || type.endsWith(":PriorityClass");
      assert.equal(metadata.namespace, clusterWide ? undefined : "orders", type);
    }
  });

  it("sends whole objects: kubectl can apply what Pulumi is told", () => {
    for (const { type, inputs } of made.resources.filter(({ type }) => type.startsWith("kubernetes:"))) {
      const { apiVersion, kind } = inputs as { apiVersion: string; kind: string };
      const [, groupVersion, typeKind] = /^kubernetes:(.*):(\w+)$/.exec(type)!;
      assert.equal(kind, typeKind?.replace(/Patch$/, ""));
      assert.equal(apiVersion, groupVersion?.replace(/^core\//, ""));
      assert.ok(!JSON.stringify(inputs).includes(":null"), type);
    }
  });

  it("starts pods after everything that they read, and after nothing that waits for them", () => {
    const statefulSet = made.one(kinds.statefulSet);
    for (const [type, name] of [
      [kinds.namespace, "orders-namespace"],
      [kinds.secret, "orders-object-store"],
      [kinds.secret, "orders-users"],
      [kinds.secret, "orders-tls"],
      [kinds.configMap, "orders-config"],
      [kinds.configMap, "orders-manager"],
      [kinds.service, "orders-headless"],
      ["kubernetes:rbac.authorization.k8s.io/v1:RoleBinding", "orders-role-binding"],
      ["kubernetes:rbac.authorization.k8s.io/v1:Role", "orders-role"],
      ["kubernetes:networking.k8s.io/v1:NetworkPolicy", "orders-network-policy"],
      ["kubernetes:policy/v1:PodDisruptionBudget", "orders-disruption-budget"],
      ["kubernetes:scheduling.k8s.io/v1:PriorityClass", "orders-priority"],
    ] as const) {
      assert.ok(made.waitsFor(statefulSet, type, name), name);
    }
    // Pulumi waits for the endpoints of these, which are the pods.
    for (const name of ["orders-primary", "orders-replica"])
      assert.ok(!made.waitsFor(statefulSet, kinds.service, name));
  });

  it("puts all in its namespace after it, and makes none where it exists", async () => {
    for (const resource of made.resources.filter(({ type }) => type.startsWith("kubernetes:"))) {
      if (resource.type === kinds.namespace || resource.type.endsWith(":PriorityClass")) continue;
      assert.ok(made.waitsFor(resource, kinds.namespace), resource.name);
    }
    const inExisting = await recordDatabase({ createNamespace: false, namespace: "shop" });
    assert.deepEqual(inExisting.all(kinds.namespace), []);
    assert.equal(statefulSetOf(inExisting).metadata.namespace, "shop");
    assert.equal(texts(inExisting).manager.namespace, "shop");
  });

  describe("secrets", () => {
    /** Every text in what was sent, with its path. */
    function leaves(value: unknown, path = ""): [path: string, text: string][] {
      if (typeof value === "string") return [[path, value]];
      if (typeof value !== "object" || value === null) return [];
      return Object.entries(value).flatMap(([key, inner]) =>
        leaves(inner, Array.isArray(value) ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`),
      );
    }
    const covers = (secret: string, path: string) =>
      path === secret || path.startsWith(`${secret}.`) || path.startsWith(`${secret}[`);
    const values = [
      ...Object.values(secretValues),
      "Aa1-random-password-of-24",
      "private key orders-ca-key",
      "private key orders-server-key",
      "cmFuZG9tIGJ5dGVz",
    ];

    function leaks(resources: Registered[]): string[] {
      return resources.flatMap(({ name, inputs, secrets }) =>
        leaves(inputs)
          .filter(([, text]) => values.some(value => text.includes(value)))
          .filter(([path]) => !secrets.some(secret => covers(secret, path)))
          .map(([path]) => `${name}: ${path}`),
      );
    }

    it("are sent as secrets wherever they are sent, the component's own arguments included", () => {
      assert.deepEqual(leaks(made.resources), []);
      const component = made.one("tidesql:index:Database");
      assert.ok(JSON.stringify(component.inputs).includes(secretValues.password), "the walk sees the arguments");
    });

    it("are in no Kubernetes object but Secrets", () => {
      for (const { type, name, inputs, secrets } of made.resources.filter(r => r.type.startsWith("kubernetes:"))) {
        if (type === kinds.secret) continue;
        assert.deepEqual(secrets, [], name);
        for (const value of values) assert.ok(!JSON.stringify(inputs).includes(value), name);
      }
    });

    it("are found by the walk when they leak: the test of this test", async () => {
      const leaking = await recordDatabase(
        {},
        {
          transform: {
            statefulSet: args => ({ args: { ...args, metadata: { labels: { p: secretValues.password } } } }),
          },
        },
      );
      assert.deepEqual(leaks(leaking.resources), ["orders-stateful-set: metadata.labels.p"]);
    });

    it("are in Secrets under the names that the manager reads", () => {
      assert.deepEqual(secretOf(made, "orders-object-store"), {
        accessKeyId: secretValues.accessKeyId,
        secretAccessKey: secretValues.secretAccessKey,
      });
      assert.deepEqual(secretOf(made, "orders-users"), {
        shop: secretValues.password,
        reports: "Aa1-random-password-of-24",
      });
      assert.deepEqual(secretOf(made, "orders-tls"), {
        "tls.crt": "certificate orders-server",
        "tls.key": "private key orders-server-key in PKCS 8",
        "ca.crt": "certificate orders-ca",
      });
    });

    it("are made where they are left out, so that the server takes them, and shown in an output that is a secret", async () => {
      const { inputs } = made.one(kinds.password, "orders-password-reports");
      for (const least of ["minLower", "minUpper", "minNumeric", "minSpecial"]) assert.ok(Number(inputs[least]) >= 1);
      for (const character of inputs.overrideSpecial as string) {
        assert.equal(passwordProblem("reports", `Aa1bcdef${character}x`), undefined);
      }
      assert.equal(made.all(kinds.password).length, 1);
      assert.ok(await isSecret(made.result.passwords));
      assert.deepEqual(await valueOf(made.result.passwords), {
        shop: secretValues.password,
        reports: "Aa1-random-password-of-24",
      });
    });

    it("may come as outputs, marked or not", async () => {
      const later = <V>(value: V) => pulumi.output(Promise.resolve(value));
      const recording = await recordDatabase({
        objectStore: {
          ...databaseArgs().objectStore,
          accessKeyId: later(secretValues.accessKeyId),
          secretAccessKey: later(secretValues.secretAccessKey),
        },
        users: [{ name: "shop", password: later(secretValues.password), grants: [] }],
      });
      assert.deepEqual(leaks(recording.resources), []);
      assert.deepEqual(secretOf(recording, "orders-users"), { shop: secretValues.password });
    });
  });

  describe("volumes", () => {
    const claims = (recording: Recording<Database>) => recording.all("kubernetes:core/v1:PersistentVolumeClaimPatch");

    it("are claimed for each pod before the pods, under the names that the StatefulSet looks for", () => {
      const found = claims(made);
      assert.deepEqual(
        found.map(({ inputs }) => at(inputs, "metadata.name")),
        ["data-orders-0", "data-orders-1", "data-orders-2"],
      );
      const [template] = items(made.one(kinds.statefulSet).inputs, "spec.volumeClaimTemplates");
      for (const claim of found) {
        assert.deepEqual(at(claim.inputs, "spec"), at(template, "spec"));
        assert.ok(made.waitsFor(made.one(kinds.statefulSet), claim.type, claim.name), claim.name);
        assert.ok(made.waitsFor(claim, kinds.namespace));
      }
    });

    it("grow by their claims, whoever set the size before, and leave the StatefulSet as it is", async () => {
      const grown = await recordDatabase({ storage: { sizeGiB: 200 } });
      for (const { inputs } of claims(grown)) {
        assert.equal(at(inputs, "spec.resources.requests.storage"), "200Gi");
        assert.deepEqual(at(inputs, "metadata.annotations"), {
          "pulumi.com/patchForce": "true",
          "pulumi.com/skipAwait": "true",
        });
      }
      assert.deepEqual(grown.one(kinds.statefulSet).ignoreChanges, ["spec.volumeClaimTemplates[0].spec"]);
      assert.equal(hashOf(grown), hashOf(made));
      assert.deepEqual(statefulSetOf(grown).spec.template, statefulSetOf(made).spec.template);
    });

    it("are never deleted, and keep their class", () => {
      for (const { retainOnDelete, ignoreChanges } of claims(made)) {
        assert.equal(retainOnDelete, true);
        assert.deepEqual(ignoreChanges, ["spec.storageClassName"]);
      }
    });

    it("are none where the data is on the nodes' drives", async () => {
      const sizing = { instanceType: "i4i.xlarge" };
      const onDrives = await recordDatabase({ storage: { kind: "nvme" }, sizing });
      assert.deepEqual(claims(onDrives), []);
      assert.deepEqual(onDrives.one(kinds.statefulSet).ignoreChanges, []);
    });
  });

  it("protects the identity and the authority's key, unless that is switched off", async () => {
    const protectedOf = (recording: Recording<Database>) =>
      recording.resources.filter(({ protect }) => protect).map(({ name }) => name);
    assert.deepEqual(protectedOf(made).sort(), ["orders-ca-key", "orders-id"]);
    assert.deepEqual(protectedOf(await recordDatabase({ deletionProtection: false })), []);
  });

  describe("a change rolls out", () => {
    it("and nothing else does", async () => {
      assert.match(hashOf(made), /^[0-9a-f]{64}$/);
      assert.equal(hashOf(await recordDatabase()), hashOf(made));
      const surroundings = {
        clients: [],
        monitoring: { allowFrom: [{ podLabels: {} }] },
        services: { annotations: { a: "b" } },
      };
      assert.equal(hashOf(await recordDatabase(surroundings)), hashOf(made));
    });

    it("adds or removes pods with the number of replicas, and replaces none", async () => {
      for (const replicas of [0, 1, 4]) {
        const { spec } = statefulSetOf(await recordDatabase({ replicas }));
        assert.equal(spec.replicas, replicas + 1);
        assert.deepEqual(spec.template, statefulSetOf(made).spec.template);
      }
    });

    const [shop, reports] = databaseArgs().users!;
    const changes: [what: string, changes: Partial<DatabaseArgs>, opts?: DatabaseOptions][] = [
      ["a password", { users: [{ ...shop!, password: "Close-Sesame-2" }, reports!] }],
      ["the store's key", { objectStore: { ...databaseArgs().objectStore, secretAccessKey: "another" } }],
      ["the store's place", { objectStore: { ...databaseArgs().objectStore, bucket: "orders-copy" } }],
      ["the identity", { databaseId: "6f9619ff-8b86-4d01-b42d-00cf4fc964ff" }],
      ["a grant", { users: [{ ...shop!, grants: [] }, reports!] }],
      ["an option of the engine", { engineSettings: { long_query_time: "1" } }],
      ["the durability", { durability: Durability.Commit }],
      ["the lease", { leaseDurationSeconds: 6 }],
      ["the manager", {}, { managerBundle: { ...managerBundle, manager: "// a newer one" } }],
      ["its watchdog", {}, { managerBundle: { ...managerBundle, watchdog: "// a newer one" } }],
    ];
    for (const [what, changed, opts] of changes) {
      it(`of ${what}`, async () => assert.notEqual(hashOf(await recordDatabase(changed, opts)), hashOf(made)));
    }

    it("of the certificate", async () => {
      const renewed = await record(() => new Database("orders", databaseArgs(), { managerBundle }), {
        computed: ({ type }) => (type.endsWith(":LocallySignedCert") ? { certPem: "a newer one" } : undefined),
      });
      assert.notEqual(hashOf(renewed), hashOf(made));
    });
  });

  describe("configuration", () => {
    it("tells the manager all that it has to know, and nothing else", () => {
      assert.deepEqual(texts(made).manager, {
        name: "orders",
        namespace: "orders",
        headlessService: "orders",
        terminationGracePeriodSeconds: 120,
        leaseDurationSeconds: 4,
        leaseMarginSeconds: 0.5,
        durability: "interval",
        history: { everyPositionHours: 24, dailyCheckpointDays: 7 },
        failoverPreference: "availability",
        resumeWithinSeconds: 60,
        maxDataLossSeconds: 5,
        onObjectStoreOutage: "stopWrites",
        objectStore: {
          endpoint: "10.0.0.5:9000",
          bucket: "orders-data",
          region: "us-east-1",
          prefix: "orders/",
          useTls: false,
          pathStyle: true,
        },
        mariadbPrefix: "/usr/local/mariadb",
        databases: ["shop"],
        users: [
          { name: "shop", host: "%", grants: [{ database: "shop", privileges: ["ALL PRIVILEGES"] }] },
          { name: "reports", host: "%", grants: [{ database: "shop", privileges: ["SELECT"] }] },
        ],
        requireTls: true,
      } satisfies ManagerConfigurationBody);
      const { databaseId, nodes } = texts(made);
      assert.deepEqual({ databaseId, nodes }, { databaseId: "00000000-0000-4000-8000-000000000000", nodes: "3" });
    });

    it("is known in a preview, all but the identity that is yet to be made", async () => {
      const recording = await record(() => new Database("orders", databaseArgs(), { managerBundle }), {
        preview: true,
      });
      const before = texts(recording);
      assert.deepEqual(before.manager, texts(made).manager);
      assert.deepEqual(before.engine, texts(made).engine);
      assert.equal(before.databaseId, unknown);
    });

    it("says what to restore, and for how long the past is kept", async () => {
      const { manager } = texts(
        await recordDatabase({
          history: { everyPositionHours: 48 },
          restore: { prefix: "old/", at: "2026-11-29T14:03:00Z" },
        }),
      );
      assert.deepEqual(manager.history, { everyPositionHours: 48, dailyCheckpointDays: 7 });
      assert.deepEqual(manager.restore, { bucket: "orders-data", prefix: "old/", at: "2026-11-29T14:03:00Z" });
      const other = texts(await recordDatabase({ restore: { prefix: "orders/", bucket: "old-data" } }));
      assert.deepEqual(other.manager.restore, { bucket: "old-data", prefix: "orders/", at: "latest" });
    });

    it("follows the arguments", async () => {
      const recording = await recordDatabase({
        replicas: 4,
        durability: Durability.Commit,
        databaseId: "6f9619ff-8b86-4d01-b42d-00cf4fc964ff",
        tls: { required: false },
        engineSettings: { max_allowed_packet: "128M" },
        sizing: { memoryBytes: 2 ** 30, cpuCores: 0.5 },
      });
      const { engine, manager, databaseId, nodes } = texts(recording);
      assert.equal(nodes, "5");
      assert.equal(manager.durability, "commit");
      assert.equal(databaseId, "6f9619ff-8b86-4d01-b42d-00cf4fc964ff");
      assert.equal(manager.requireTls, false);
      assert.equal(engine.get("tidesdb_objstore_wal_sync_on_commit"), "ON");
      assert.equal(engine.get("require_secure_transport"), "OFF");
      assert.equal(engine.get("max_allowed_packet"), "128M");
      assert.equal(engine.get("tidesdb_block_cache_size"), "256M");
      assert.deepEqual(recording.all("random:index/randomUuid:RandomUuid"), []);
      const { spec } = statefulSetOf(recording);
      assert.equal(spec.replicas, 5);
      assert.equal(spec.template.spec.containers[0]?.resources.limits.memory, "1Gi");
    });

    it("gives the manager the store's own authority where there is one, given now or later", async () => {
      const { objectStore } = databaseArgs();
      for (const caCertificate of [authority, pulumi.output(authority)]) {
        const recording = await recordDatabase({ objectStore: { ...objectStore, caCertificate } });
        assert.equal(secretOf(recording, "orders-object-store")["ca.crt"], authority);
      }
      const none = await recordDatabase({ objectStore: { ...objectStore, caCertificate: pulumi.output(undefined) } });
      assert.equal("ca.crt" in secretOf(none, "orders-object-store"), false);
    });

    it("opens the store's port, whether it is written or the scheme's own", async () => {
      const { objectStore } = databaseArgs();
      const egress = (recording: Recording<Database>) =>
        JSON.stringify(recording.one("kubernetes:networking.k8s.io/v1:NetworkPolicy").inputs.spec);
      assert.match(egress(made), /"port":9000/);
      const aws = { ...objectStore, endpoint: "s3.us-east-1.amazonaws.com", useTls: true, pathStyle: false };
      assert.doesNotMatch(egress(await recordDatabase({ objectStore: aws })), /9000/);
    });
  });

  describe("TLS", () => {
    it("is a certificate of an own authority for Services, pods and peers, renewed in time", () => {
      const sent = (type: string) => made.one(`tls:index/${type}`).inputs as unknown as SentCertificate;
      const authority = sent("selfSignedCert:SelfSignedCert");
      const request = sent("certRequest:CertRequest");
      const certificate = sent("locallySignedCert:LocallySignedCert");
      assert.equal(authority.isCaCertificate, true);
      for (const name of [
        "orders-primary.orders.svc",
        "orders-replica.orders.svc.cluster.local",
        "*.orders.orders.svc",
      ]) {
        assert.ok(request.dnsNames.includes(name), name);
      }
      for (const use of ["server_auth", "client_auth", "digital_signature"]) {
        assert.ok(certificate.allowedUses.includes(use), use);
      }
      assert.ok(certificate.earlyRenewalHours < certificate.validityPeriodHours);
      const leastLifeOfAuthority = authority.earlyRenewalHours;
      assert.ok(leastLifeOfAuthority > certificate.validityPeriodHours, "no certificate outlives its authority");
      for (const key of made.all("tls:index/privateKey:PrivateKey")) {
        assert.deepEqual(key.inputs, { algorithm: "ECDSA", ecdsaCurve: "P256" });
      }
    });

    it("can come from an existing Secret: then nothing is made", async () => {
      const recording = await recordDatabase({ tls: { existingSecretName: "orders-cert", caCertificate: authority } });
      assert.deepEqual(
        recording.resources.filter(({ type }) => type.startsWith("tls:")),
        [],
      );
      assert.deepEqual(
        recording
          .all(kinds.secret)
          .map(({ name }) => name)
          .sort(),
        ["orders-connection-reports", "orders-connection-shop", "orders-object-store", "orders-users"],
      );
      const { volumes } = statefulSetOf(recording).spec.template.spec;
      assert.equal(volumes.find(({ name }) => name === "tls")?.secret?.secretName, "orders-cert");
      assert.equal(await valueOf(recording.result.caCertificate), authority);
      assert.equal(await valueOf(recording.result.tlsSecretName), "orders-cert");
    });
  });

  describe("outputs", () => {
    it("say how to connect, without a password", async () => {
      const { result } = made;
      assert.equal(await valueOf(result.primaryEndpoint), "orders-primary.orders.svc.cluster.local");
      assert.equal(await valueOf(result.replicaEndpoint), "orders-replica.orders.svc.cluster.local");
      assert.equal(await valueOf(result.port), 3306);
      assert.equal(await valueOf(result.caCertificate), "certificate orders-ca");
    });

    it("have a connection for each user, as a secret, and a Secret with the same", async () => {
      const { result } = made;
      assert.equal(await isSecret(result.connections), true);
      const connections = (await valueOf(result.connections))!;
      assert.deepEqual(Object.keys(connections), ["shop", "reports"]);
      assert.equal(connections.shop?.password, secretValues.password);
      assert.equal(connections.shop?.database, "shop");
      assert.match(connections.reports?.jdbc ?? "", /serverSslCert=\/etc\/tidesql\/orders\/ca.crt$/);
      assert.deepEqual(await valueOf(result.connectionSecretNames), {
        shop: "orders-shop-connection",
        reports: "orders-reports-connection",
      });
      const { inputs } = made.one(kinds.secret, "orders-connection-shop");
      assert.deepEqual(inputs.metadata, {
        ...(inputs.metadata as object),
        name: "orders-shop-connection",
        namespace: "orders",
      });
      assert.equal(secretOf(made, "orders-connection-shop").mysql2, connections.shop?.mysql2);
      assert.equal(secretOf(made, "orders-connection-shop")["ca.crt"], "certificate orders-ca");
    });

    it("are for the first database of a user's own, and without an authority where none is known", async () => {
      const recording = await recordDatabase({
        users: [{ name: "dump", grants: [{ database: "*", privileges: ["SELECT"] }] }],
        tls: { existingSecretName: "orders-cert" },
      });
      const { dump } = (await valueOf(recording.result.connections))!;
      assert.equal(dump?.database, undefined);
      assert.equal(dump?.caCertificate, undefined);
      assert.ok(!("ca.crt" in secretOf(recording, "orders-connection-dump")));
    });

    it("go to the namespaces of the applications", async () => {
      const [user] = databaseArgs().users ?? [];
      const users = [
        { ...user!, secretNamespaces: ["web", "jobs"] },
        { ...user!, name: "nobody", secretNamespaces: [] },
      ];
      const recording = await recordDatabase({ users });
      const secrets = recording.resources
        .filter(({ type, name }) => type === kinds.secret && name.includes("-connection-"))
        .map(({ name, inputs }) => [name, (inputs.metadata as { namespace: string }).namespace]);
      assert.deepEqual(secrets, [
        ["orders-connection-shop-web", "web"],
        ["orders-connection-shop-jobs", "jobs"],
      ]);
    });

    it("are all registered", () => {
      const outputs = made.componentOutputs.get(made.one("tidesql:index:Database").urn) ?? {};
      const fields = Object.entries(made.result)
        .filter(([key, value]) => !key.startsWith("__") && pulumi.Output.isInstance(value) && key !== "urn")
        .map(([key]) => key);
      assert.deepEqual(Object.keys(outputs).sort(), fields.sort());
    });

    it("are there without users too", async () => {
      const recording = await recordDatabase({ users: undefined, databases: undefined });
      assert.deepEqual(await valueOf(recording.result.connections), {});
      assert.deepEqual(secretOf(recording, "orders-users"), {});
    });
  });

  it("uses the provider that it is given", async () => {
    const recording = await record(() => {
      const provider = new k8s.Provider("mine", { kubeconfig: "{}" });
      return new Database("orders", databaseArgs(), { managerBundle, provider });
    });
    const provider = recording.one("pulumi:providers:kubernetes");
    for (const resource of recording.resources.filter(({ type }) => type.startsWith("kubernetes:"))) {
      assert.ok(resource.provider.startsWith(provider.urn), resource.name);
    }
  });

  it("can be planned while the store, the key and the image are still unknown", async () => {
    const recording = await record(
      () => {
        const unknown = new random.RandomUuid("later").result;
        const objectStore = {
          ...databaseArgs().objectStore,
          bucket: unknown,
          accessKeyId: unknown,
          secretAccessKey: unknown,
        };
        return new Database("orders", databaseArgs({ image: unknown, objectStore }), { managerBundle });
      },
      { preview: true },
    );
    const { spec } = statefulSetOf(recording);
    assert.equal(spec.replicas, 3, "what is known is shown");
    assert.equal(spec.template.spec.terminationGracePeriodSeconds, 120);
  });

  describe("monitoring", () => {
    const kindsOf = (recording: Recording<Database>) =>
      recording.resources.map(({ type }) => type).filter(type => type.includes("monitoring.coreos.com"));

    it("makes nothing unless it is asked to: the operator's kinds may not be there", () => {
      assert.deepEqual(kindsOf(made), []);
      assert.equal(made.resources.filter(({ name }) => name.includes("dashboard")).length, 0);
    });

    it("makes what it is asked for, and lets Prometheus in", async () => {
      const monitoring = {
        allowFrom: [{ namespaceLabels: { team: "watch" } }],
        podMonitor: true,
        prometheusRules: true,
        grafanaDashboard: true,
        labels: { release: "stack" },
      };
      const recording = await recordDatabase({ monitoring });
      assert.deepEqual(kindsOf(recording).sort(), [
        "kubernetes:monitoring.coreos.com/v1:PodMonitor",
        "kubernetes:monitoring.coreos.com/v1:PrometheusRule",
      ]);
      const { spec } = recording.one("kubernetes:monitoring.coreos.com/v1:PodMonitor").inputs as {
        spec: { podMetricsEndpoints: { port: string }[] };
      };
      const { containers } = statefulSetOf(recording).spec.template.spec as unknown as {
        containers: { ports: { name: string }[] }[];
      };
      const [port] = spec.podMetricsEndpoints;
      assert.ok(containers.some(({ ports }) => ports.some(({ name }) => name === port?.port)));
      assert.ok(recording.one(kinds.configMap, "orders-grafana-dashboard"));
      assert.match(
        JSON.stringify(recording.one("kubernetes:networking.k8s.io/v1:NetworkPolicy").inputs),
        /"team":"watch"/,
      );
    });
  });

  describe("transforms", () => {
    const byChild: [keyof NonNullable<DatabaseOptions["transform"]>, string][] = [
      ["namespace", "orders-namespace"],
      ["priorityClass", "orders-priority"],
      ["configuration", "orders-config"],
      ["manager", "orders-manager"],
      ["objectStoreSecret", "orders-object-store"],
      ["usersSecret", "orders-users"],
      ["connectionSecret", "orders-connection-shop"],
      ["connectionSecret", "orders-connection-reports"],
      ["tlsSecret", "orders-tls"],
      ["serviceAccount", "orders-account"],
      ["role", "orders-role"],
      ["roleBinding", "orders-role-binding"],
      ["primaryService", "orders-primary"],
      ["replicaService", "orders-replica"],
      ["headlessService", "orders-headless"],
      ["networkPolicy", "orders-network-policy"],
      ["disruptionBudget", "orders-disruption-budget"],
      ["dataClaim", "orders-data-0"],
      ["dataClaim", "orders-data-1"],
      ["dataClaim", "orders-data-2"],
      ["statefulSet", "orders-stateful-set"],
    ];
    it("reach each child in the cluster, and no other", async () => {
      const marking = (key: string) => (args: object) => ({ args: { ...args, metadata: { labels: { by: key } } } });
      const transform = Object.fromEntries(byChild.map(([key]) => [key, marking(key)]));
      const recording = await recordDatabase({}, { transform });
      const marks = recording.resources
        .filter(({ type }) => type.startsWith("kubernetes:"))
        .map(({ name, inputs }) => [(inputs.metadata as { labels: { by?: string } }).labels.by, name]);
      assert.deepEqual(marks.sort(), [...byChild].sort());
    });

    it("reach what is made outside the cluster", async () => {
      const keepers = { changed: "yes" };
      const recording = await recordDatabase(
        {},
        {
          transform: {
            databaseId: args => ({ args: { ...args, keepers } }),
            password: args => ({ args: { ...args, keepers } }),
            fingerprintKey: args => ({ args: { ...args, keepers } }),
            certificateAuthorityKey: () => ({ args: { algorithm: "ED25519" } }),
            certificateKey: () => ({ args: { algorithm: "RSA" } }),
          },
        },
      );
      for (const resource of recording.resources.filter(({ type }) => type.startsWith("random:"))) {
        assert.deepEqual(resource.inputs.keepers, keepers, resource.name);
      }
      const keys = recording.all("tls:index/privateKey:PrivateKey");
      assert.deepEqual(keys.map(({ name, inputs }) => [name, inputs.algorithm]).sort(), [
        ["orders-ca-key", "ED25519"],
        ["orders-server-key", "RSA"],
      ]);
    });

    it("reach the certificates", async () => {
      const recording = await recordDatabase(
        {},
        {
          transform: {
            certificateAuthority: args => ({ args: { ...args, subject: { commonName: "a" } } }),
            certificateRequest: args => ({ args: { ...args, subject: { commonName: "b" } } }),
            certificate: args => ({ args: { ...args, validityPeriodHours: 48 } }),
          },
        },
      );
      const subjectOf = (of: Recording<Database>, type: string) =>
        (of.one(`tls:index/${type}`).inputs as unknown as SentCertificate).subject.commonName;
      assert.equal(subjectOf(recording, "selfSignedCert:SelfSignedCert"), "a");
      assert.equal(subjectOf(recording, "certRequest:CertRequest"), "b");
      assert.equal(recording.one("tls:index/locallySignedCert:LocallySignedCert").inputs.validityPeriodHours, 48);
    });
  });
});
