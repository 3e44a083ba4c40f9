import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { describe, it } from "mocha";
import { Database, DatabaseArgs, validateDatabaseArgs } from "../../components/database";
import { ObjectStore, ObjectStoreArgs, StoreCredentials, validateObjectStoreArgs } from "../../components/objectStore";
import { TideSql, TideSqlArgs, validateTideSqlArgs } from "../../components/tideSql";
import { databaseArgs, managerBundle } from "./databaseFixtures";
import { at, record, Recording, valueOf } from "./mocks";

const region = "us-east-1";
const oidcProviderArn = "arn:aws:iam::123456789012:oidc-provider/oidc.eks.us-east-1.amazonaws.com/id/0123ABCD";
const roleArn = "arn:aws:iam::123456789012:role/orders";
const statefulSet = "kubernetes:apps/v1:StatefulSet";
const association = "aws:eks/podIdentityAssociation:PodIdentityAssociation";

/** What a role is told from a key by. */
const ofKey = ["aws:iam/user:User", "aws:iam/userPolicy:UserPolicy", "aws:iam/accessKey:AccessKey"];

interface Container {
  env: { name: string; value?: string }[];
  volumeMounts: { name: string; mountPath: string }[];
}

function podOf(made: Recording<unknown>) {
  const spec = at(made.one(statefulSet).inputs, "spec.template.spec") as {
    containers: Container[];
    initContainers: Container[];
    volumes: ({ name: string } & Record<string, unknown>)[];
  };
  return {
    env: Object.fromEntries(
      spec.containers[0]!.env.filter(({ name }) => name.startsWith("AWS_")).map(({ name, value }) => [name, value]),
    ),
    mounts: Object.fromEntries(spec.containers[0]!.volumeMounts.map(({ name, mountPath }) => [name, mountPath])),
    volumes: Object.fromEntries(spec.volumes.map(({ name, ...source }) => [name, source])),
    initMounts: spec.initContainers.flatMap(({ volumeMounts }) => volumeMounts.map(({ name }) => name)),
  };
}

describe("an object store that a role opens", () => {
  const pods = { database: "orders", clusterName: "platform" };
  const recordStore = (args: ObjectStoreArgs) => record(() => new ObjectStore("orders", args));

  it("has a role for one service account by Pod Identity, and neither user nor key", async () => {
    const made = await recordStore({
      region,
      bucketName: "data",
      vpcEndpointId: "vpce-0a1b",
      credentials: StoreCredentials.PodIdentity,
      pods: { ...pods, namespace: "shop", prefix: "o/" },
    });
    for (const type of ofKey) assert.deepEqual(made.all(type), [], type);
    const { inputs } = made.one(association);
    const role = made.one("aws:iam/role:Role");
    assert.deepEqual(
      [inputs.clusterName, inputs.namespace, inputs.serviceAccount, inputs.region],
      ["platform", "shop", "orders", region],
    );
    const trust = JSON.parse(role.inputs.assumeRolePolicy as string) as { Statement: { Principal: unknown }[] };
    assert.deepEqual(trust.Statement[0]?.Principal, { Service: "pods.eks.amazonaws.com" });
    assert.match(made.one("aws:iam/rolePolicy:RolePolicy").inputs.policy as string, /"arn:aws:s3:::data\/o\/\*"/);
    assert.match(made.one("aws:iam/rolePolicy:RolePolicy").inputs.policy as string, /vpce-0a1b/);
    // Nobody has the role before it may do what it is for.
    assert.ok(made.waitsFor(made.one(association), "aws:iam/rolePolicy:RolePolicy"));
    assert.deepEqual(
      await Promise.all([made.result.accessKeyId, made.result.secretAccessKey].map(output => valueOf(output))),
      [undefined, undefined],
    );
    assert.ok(await valueOf(made.result.roleArn));
  });

  it("has a role by the cluster's OIDC provider, and no association", async () => {
    const made = await recordStore({
      region,
      credentials: StoreCredentials.Irsa,
      pods: { database: "orders", oidcProviderArn: pulumi.output(oidcProviderArn) },
    });
    for (const type of [...ofKey, association]) assert.deepEqual(made.all(type), [], type);
    const trust = made.one("aws:iam/role:Role").inputs.assumeRolePolicy as string;
    assert.match(trust, /"system:serviceaccount:orders:orders"/);
    assert.ok(trust.includes(oidcProviderArn));
  });

  it("may be there already: then the role alone is made", async () => {
    const made = await recordStore({
      credentials: StoreCredentials.PodIdentity,
      pods,
      existing: { endpoint: "s3.eu-west-1.amazonaws.com", bucket: "data", region: "eu-west-1" },
    });
    assert.deepEqual(made.all("aws:s3/bucket:Bucket"), []);
    assert.equal(made.one(association).inputs.region, "eu-west-1");
    assert.match(made.one("aws:iam/rolePolicy:RolePolicy").inputs.policy as string, /"arn:aws:s3:::data\/orders\/\*"/);
  });

  it("does not have its bucket wait for the cluster", async () => {
    const later = new pulumi.ComponentResource("tests:index:Cluster", "cluster");
    const made = await record(() => {
      const clusterName = pulumi.output(later.urn).apply(() => "platform");
      return new ObjectStore("orders", { region, credentials: "podIdentity", pods: { ...pods, clusterName } });
    });
    const [component] = [...made.resources].filter(({ type }) => type === "tidesql:index:ObjectStore");
    assert.equal(at(component!.inputs, "pods.clusterName"), undefined);
  });

  const existing = { endpoint: "10.0.0.5:9000", bucket: "data", region, accessKeyId: "key", secretAccessKey: "secret" };
  const cases: [what: string, args: ObjectStoreArgs, propertyPath: string, reason: RegExp][] = [
    ["a role of nobody", { region, credentials: "podIdentity" }, "pods", /is missing.*clusterName/],
    ["nobody's role", { region, pods }, "pods", /set credentials to/],
    [
      "Pod Identity without a cluster",
      { region, credentials: "podIdentity", pods: { database: "orders" } },
      "pods.clusterName",
      /is missing/,
    ],
    [
      "IRSA without a provider",
      { region, credentials: "irsa", pods: { database: "orders" } },
      "pods.oidcProviderArn",
      /is missing/,
    ],
    [
      "IRSA with a cluster",
      { region, credentials: "irsa", pods: { ...pods, oidcProviderArn } },
      "pods.clusterName",
      /is for credentials "podIdentity"/,
    ],
    [
      "a provider that is none",
      { region, credentials: "irsa", pods: { database: "orders", oidcProviderArn: "oidc" } },
      "pods.oidcProviderArn",
      /write one like/,
    ],
    [
      "a folder without its /",
      { region, credentials: "podIdentity", pods: { ...pods, prefix: "orders" } },
      "pods.prefix",
      /append/,
    ],
    [
      "a database that cannot be",
      { region, credentials: "podIdentity", pods: { ...pods, database: "Orders" } },
      "pods.database",
      /lower-case/,
    ],
    ["keys beside a role", { region, credentials: "podIdentity", pods, accessKeys: ["a"] }, "accessKeys", /has no key/],
    [
      "a role for another store",
      {
        credentials: "podIdentity",
        pods,
        existing: { ...existing, accessKeyId: undefined, secretAccessKey: undefined },
      },
      "credentials",
      /opens no other store/,
    ],
    [
      "a key beside a role",
      {
        credentials: "podIdentity",
        pods,
        existing: { ...existing, endpoint: "s3.us-east-1.amazonaws.com", secretAccessKey: undefined },
      },
      "existing.accessKeyId",
      /credentials is a role/,
    ],
    [
      "neither key nor role",
      { existing: { ...existing, secretAccessKey: undefined } },
      "existing.secretAccessKey",
      /is missing[^]*podIdentity/,
    ],
  ];
  for (const [what, args, propertyPath, reason] of cases) {
    it(`refuses ${what}`, () => {
      const problems = validateObjectStoreArgs("orders", args);
      assert.deepEqual(
        problems.map(problem => problem.propertyPath),
        [propertyPath],
        JSON.stringify(problems),
      );
      assert.match(problems[0]!.reason, reason);
    });
  }
});

describe("a Database whose pods have a role", () => {
  const { accessKeyId: _, secretAccessKey: __, ...store } = databaseArgs().objectStore;
  const location = { ...store, endpoint: "s3.us-east-1.amazonaws.com", useTls: true, pathStyle: false };
  const args = (objectStore: Partial<DatabaseArgs["objectStore"]>, changes: Partial<DatabaseArgs> = {}) =>
    databaseArgs({ objectStore: { ...location, ...objectStore }, ...changes });
  const recordDatabase = (given: DatabaseArgs) => record(() => new Database("orders", given, { managerBundle }));

  it("by Pod Identity: its own container is told of the agent, reaches it, and there is no Secret with a key", async () => {
    const made = await recordDatabase(args({ credentials: "podIdentity", roleArn }));
    const { env, mounts, volumes, initMounts } = podOf(made);
    assert.deepEqual(env, {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: "http://169.254.170.23/v1/credentials",
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE:
        "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount/eks-pod-identity-token",
    });
    assert.equal(mounts["eks-pod-identity-token"], "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount");
    assert.deepEqual(volumes["eks-pod-identity-token"], {
      projected: {
        sources: [
          {
            serviceAccountToken: {
              audience: "pods.eks.amazonaws.com",
              expirationSeconds: 86_400,
              path: "eks-pod-identity-token",
            },
          },
        ],
      },
    });
    assert.deepEqual(initMounts, ["node"]);
    assert.ok(!("object-store" in volumes) && !("object-store" in mounts));
    assert.ok(!made.all("kubernetes:core/v1:Secret").some(({ name }) => name === "orders-object-store"));
    assert.equal(await valueOf(made.result.objectStoreSecretName), undefined);
    const egress = at(made.one("kubernetes:networking.k8s.io/v1:NetworkPolicy").inputs, "spec.egress") as object[];
    assert.deepEqual(
      egress.filter(rule => JSON.stringify(rule).includes("169.254")),
      [{ to: [{ ipBlock: { cidr: "169.254.170.23/32" } }], ports: [{ port: 80, protocol: "TCP" }] }],
    );
    const { data } = made.one("kubernetes:core/v1:ConfigMap", "orders-config").inputs as {
      data: Record<string, string>;
    };
    assert.equal((JSON.parse(data["manager.json"]!) as { credentials: string }).credentials, "podIdentity");
  });

  it("by IRSA: it is told of role and token, its account says the role, and the agent is no part of it", async () => {
    const made = await recordDatabase(args({ credentials: "irsa", roleArn: pulumi.output(roleArn) }));
    const { env, volumes } = podOf(made);
    assert.deepEqual(env, {
      AWS_ROLE_ARN: roleArn,
      AWS_WEB_IDENTITY_TOKEN_FILE: "/var/run/secrets/eks.amazonaws.com/serviceaccount/token",
    });
    assert.equal(
      at(volumes["aws-iam-token"], "projected.sources[0].serviceAccountToken.audience") ??
        (at(volumes["aws-iam-token"], "projected.sources") as { serviceAccountToken: { audience: string } }[])[0]!
          .serviceAccountToken.audience,
      "sts.amazonaws.com",
    );
    const { annotations } = made.one("kubernetes:core/v1:ServiceAccount").inputs.metadata as {
      annotations: Record<string, string>;
    };
    assert.equal(annotations["eks.amazonaws.com/role-arn"], roleArn);
    assert.ok(!JSON.stringify(made.one("kubernetes:networking.k8s.io/v1:NetworkPolicy").inputs).includes("169.254"));
  });

  it("rolls its pods when the role is another one", async () => {
    const hash = async (arn: string) =>
      at(
        (await recordDatabase(args({ credentials: "podIdentity", roleArn: arn }))).one(statefulSet).inputs,
        "spec.template.metadata.annotations",
      );
    assert.deepEqual(await hash(roleArn), await hash(roleArn));
    assert.notDeepEqual(await hash(roleArn), await hash(`${roleArn}-2`));
  });

  it("is as it was with a key", async () => {
    const { env, mounts, volumes } = podOf(await recordDatabase(databaseArgs()));
    assert.deepEqual(env, {});
    assert.ok("object-store" in mounts && "object-store" in volumes);
  });

  const cases: [what: string, args: DatabaseArgs, propertyPath: string, reason: RegExp][] = [
    ["IRSA without a role", args({ credentials: "irsa" }), "objectStore.roleArn", /is missing.*ObjectStore/],
    ["a role that is none", args({ credentials: "irsa", roleArn: "orders" }), "objectStore.roleArn", /is not a role/],
    [
      "a key beside a role",
      args({ credentials: "podIdentity", accessKeyId: "AKIA" }),
      "objectStore.accessKeyId",
      /leave it out/,
    ],
    [
      "a role beside a key",
      databaseArgs({ objectStore: { ...databaseArgs().objectStore, roleArn } }),
      "objectStore.roleArn",
      /credentials is "key"/,
    ],
    [
      "an authority beside a role",
      args({ credentials: "podIdentity", caCertificate: "PEM" }),
      "objectStore.caCertificate",
      /outside AWS/,
    ],
    ["a way that there is not", args({ credentials: "oidc" as "irsa" }), "objectStore.credentials", /podIdentity/],
  ];
  for (const [what, given, propertyPath, reason] of cases) {
    it(`refuses ${what}`, () => {
      const problems = validateDatabaseArgs("orders", given);
      assert.deepEqual(
        problems.map(problem => problem.propertyPath),
        [propertyPath],
        JSON.stringify(problems),
      );
      assert.match(problems[0]!.reason, reason);
    });
  }
});

describe("TideSql", () => {
  const image = { existing: `registry.example/tidesql@sha256:${"0".repeat(64)}` };
  const least: TideSqlArgs = { region, image, cluster: { publicAccessCidrs: [] } };
  const onExisting = (existing: object): TideSqlArgs => ({ region, image, cluster: { existing } });
  const recordTideSql = (args: TideSqlArgs) => record(() => new TideSql("orders", args, { managerBundle }));

  it("takes Pod Identity where it makes the cluster, bound to the VPC's endpoint and the database's folder", async () => {
    const made = await recordTideSql({ ...least, namespace: "shop", objectStorePrefix: "o/" });
    for (const type of ofKey) assert.deepEqual(made.all(type), [], type);
    const { inputs } = made.one(association);
    assert.deepEqual([inputs.clusterName, inputs.namespace, inputs.serviceAccount], ["orders", "shop", "orders"]);
    const policy = made.one("aws:iam/rolePolicy:RolePolicy", "orders-store-pods-policy").inputs.policy as string;
    assert.match(policy, /:::[^"]*\/o\/\*"/);
    assert.match(policy, /aws:SourceVpce/);
    // Pods are made once the role may be used.
    assert.ok(made.waitsFor(made.one(statefulSet), association));
    assert.ok(!made.waitsFor(made.one("aws:s3/bucket:Bucket"), "aws:eks/cluster:Cluster"));
  });

  it("takes on an existing cluster what that has, and a key where it has nothing", async () => {
    assert.equal(
      (await recordTideSql(onExisting({ clusterName: "platform" }))).one(association).inputs.clusterName,
      "platform",
    );
    const irsa = await recordTideSql(onExisting({ oidcProviderArn }));
    assert.equal(irsa.all(association).length + irsa.all("aws:iam/user:User").length, 0);
    assert.match(podOf(irsa).env.AWS_ROLE_ARN ?? "", /:role\/orders-store-pods/);
    assert.equal((await recordTideSql(onExisting({}))).all("aws:iam/accessKey:AccessKey").length, 1);
  });

  it("has a key where one is asked for, and where one is given", async () => {
    const made = await recordTideSql({ ...least, objectStore: { credentials: StoreCredentials.Key } });
    assert.equal(made.all("aws:iam/accessKey:AccessKey").length, 1);
    assert.equal(made.all(association).length, 0);
  });

  const cases: [what: string, args: TideSqlArgs, reason: RegExp][] = [
    ["IRSA on a cluster that is made", { ...least, objectStore: { credentials: "irsa" } }, /write "podIdentity"/],
    [
      "IRSA without a provider",
      { ...onExisting({}), objectStore: { credentials: "irsa" } },
      /cluster\.existing\.oidcProviderArn/,
    ],
    [
      "Pod Identity on an unknown cluster",
      { ...onExisting({}), objectStore: { credentials: "podIdentity" } },
      /cluster\.existing\.clusterName/,
    ],
    [
      "a role for a store outside AWS",
      {
        ...least,
        objectStore: { credentials: "podIdentity", existing: { endpoint: "10.0.0.5:9000", bucket: "data", region } },
      },
      /opens no other store/,
    ],
  ];
  for (const [what, args, reason] of cases) {
    it(`refuses ${what}`, () => {
      const problems = validateTideSqlArgs("orders", args);
      assert.deepEqual(
        problems.map(({ propertyPath }) => propertyPath),
        ["objectStore.credentials"],
        JSON.stringify(problems),
      );
      assert.match(problems[0]!.reason, reason);
    });
  }
});
