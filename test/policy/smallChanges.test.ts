import assert from "node:assert/strict";
import { judge } from "../../policy/judge";
import { type RawResource } from "../../policy/model/resource";
import { today } from "./describePolicy";
import { goodBucket, goodDatabase, goodProgram } from "./goodProgram";
import { type Change, changed, manifests, plus, resource, set } from "./program";

const container = "spec.template.spec.containers[0]";

/** What a program breaks that it did not break before the change: `policy resource`. */
function broken(program: readonly RawResource[], change: Change): string[] {
  const violations = (judged: readonly RawResource[]) =>
    judge(judged, { today })
      .findings.filter(({ status }) => status === "violation")
      .map(({ policy, resourceName }) => `${policy} ${resourceName}`);
  const before = violations(program);
  return violations(changed(program, change)).filter(finding => !before.includes(finding));
}

const role = (name: string, rules: string) =>
  plus(
    ...manifests(
      `{ apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: { name: ${name} }, rules: [${rules}] }`,
    ),
  );

/** A role that GitHub's workflows take, under a condition on the subject. */
const trusting = (subject: string) =>
  plus(
    resource("aws:iam/role:Role", "deployer", {
      assumeRolePolicy: JSON.stringify({
        Statement: [
          {
            Effect: "Allow",
            Principal: { Federated: "arn:aws:iam::1:oidc-provider/token.actions.githubusercontent.com" },
            Action: "sts:AssumeRoleWithWebIdentity",
            Condition: { StringLike: { "token.actions.githubusercontent.com:sub": subject } },
          },
        ],
      }),
    }),
  );

/** A role that pods of a cluster take. */
const trustingPods = (subject: string) =>
  plus(
    resource("aws:iam/role:Role", "pods", {
      assumeRolePolicy: JSON.stringify({
        Statement: [
          {
            Effect: "Allow",
            Principal: { Federated: "arn:aws:iam::1:oidc-provider/oidc.eks.us-east-1.amazonaws.com/id/A" },
            Action: "sts:AssumeRoleWithWebIdentity",
            Condition: { StringLike: { "oidc.eks.us-east-1.amazonaws.com/id/A:sub": subject } },
          },
        ],
      }),
    }),
  );

const rights = (statement: object) =>
  resource("aws:iam/policy:Policy", "rights", { policy: JSON.stringify({ Statement: [statement] }) });

/** A bucket's policy that lets everybody read under a condition. */
const publicWhen = (Condition: object) =>
  plus(
    resource("aws:s3/bucketPolicy:BucketPolicy", "page", {
      bucket: "site",
      policy: JSON.stringify({
        Statement: [
          { Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: "arn:aws:s3:::site/*", Condition },
        ],
      }),
    }),
  );

const binding = (group: string) =>
  plus(
    ...manifests(
      `{ apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: { name: all }, roleRef: { kind: ClusterRole, name: edit }, subjects: [{ kind: Group, name: "${group}" }] }`,
    ),
  );

/** Namespaces that may connect to the database. */
const peers = (operator: string, ...values: string[]) =>
  set("orders-peers", "spec.ingress[0].from", [
    {
      namespaceSelector: {
        matchExpressions: [{ key: "kubernetes.io/metadata.name", operator, ...(values.length > 0 && { values }) }],
      },
    },
  ]);

const script = (name: string, text: string) =>
  plus(resource("kubernetes:core/v1:ConfigMap", "notes", { metadata: { name: "notes" }, data: { [name]: text } }));

const promotion = "SET GLOBAL tidesdb_promote_primary = ON";

const withRules = (filter: Record<string, unknown>) =>
  set("BucketLifecycleConfiguration", "rules[5]", { status: "Enabled", filter, expiration: { days: 1 } });

type Small = [what: string, program: readonly RawResource[], change: Change, ...breaks: string[]];

/** Changes of one line to a correct program, with what they break; those that break nothing stay silent. */
const changes: Small[] = [
  [
    "/proc in full",
    goodDatabase,
    set("orders", `${container}.securityContext.procMount`, "Unmasked"),
    "workloads-pod-security orders",
  ],
  ["/proc as usual", goodDatabase, set("orders", `${container}.securityContext.procMount`, "Default")],
  [
    "an SELinux type that confines nothing",
    goodDatabase,
    set("orders", "spec.template.spec.securityContext.seLinuxOptions", { type: "spc_t" }),
    "workloads-pod-security orders",
  ],
  [
    "a level of SELinux",
    goodDatabase,
    set("orders", "spec.template.spec.securityContext.seLinuxOptions", { level: "s0:c1,c2" }),
  ],
  [
    "an account that binds any role",
    goodDatabase,
    role("binder", "{ apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles], verbs: [bind] }"),
    "workloads-cluster-admin binder",
  ],
  [
    "an account that impersonates anybody",
    goodDatabase,
    role("somebody", '{ apiGroups: [""], resources: [users, groups], verbs: [impersonate] }'),
    "workloads-cluster-admin somebody",
  ],
  [
    "an account that binds one role",
    goodDatabase,
    role(
      "binder",
      "{ apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles], resourceNames: [view], verbs: [bind] }",
    ),
  ],
  [
    "a Pod that is bound to a node",
    goodDatabase,
    role("scheduler", '{ apiGroups: [""], resources: [pods/binding], verbs: [create] }'),
  ],
  [
    "a right of everybody",
    goodDatabase,
    plus(
      ...manifests(
        "{ apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: { name: all }, roleRef: { kind: ClusterRole, name: view }, subjects: [{ kind: Group, name: 'system:unauthenticated' }] }",
      ),
    ),
    "workloads-cluster-admin all",
  ],
  ["any subject of an identity provider", goodProgram, trusting("*"), "cluster-role-trust deployer"],
  ["one repository of an identity provider", goodProgram, trusting("repo:shop/infrastructure:*")],
  [
    "a plain database of RDS",
    goodProgram,
    plus(resource("aws:rds/instance:Instance", "ledger", { manageMasterUserPassword: true })),
    "cluster-encrypted-volumes ledger",
  ],
  [
    "an encrypted database of RDS",
    goodProgram,
    plus(resource("aws:rds/instance:Instance", "ledger", { storageEncrypted: true })),
  ],
  [
    "a replica of RDS",
    goodProgram,
    plus(resource("aws:rds/instance:Instance", "ledger", { replicateSourceDb: "first" })),
  ],
  [
    "a plain file system",
    goodProgram,
    plus(resource("aws:efs/fileSystem:FileSystem", "files", {})),
    "cluster-encrypted-volumes files",
  ],
  ["a script that promotes", goodDatabase, script("failover.py", promotion), "correctness-failover-script notes"],
  ["a text about promotions", goodDatabase, script("README.md", `Never run ${promotion} by hand.`)],
  ["objects of a database that expire", goodProgram, withRules({ prefix: "" }), "bucket-no-expiry data"],
  ["objects that expire beside the database's", goodProgram, withRules({ prefix: "reports/" })],
  [
    "the engine reads every secret",
    goodBucket,
    set(
      "engine-policy",
      "policy",
      JSON.stringify({
        Statement: [
          { Effect: "Allow", Action: ["s3:GetObject"], Resource: "arn:aws:s3:::shop-tidesql/orders/*" },
          { Effect: "Allow", Action: ["s3:ListBucket"], Resource: "arn:aws:s3:::shop-tidesql" },
          { Effect: "Allow", Action: "secretsmanager:GetSecretValue", Resource: "*" },
          {
            Effect: "Deny",
            Action: "s3:*",
            Resource: "*",
            Condition: { StringNotEquals: { "aws:SourceVpce": ["vpce-1"] } },
          },
        ],
      }),
    ),
    "bucket-least-privilege engine-policy",
  ],
  [
    "AppArmor switched off by an annotation",
    goodDatabase,
    set(
      "orders",
      'spec.template.metadata.annotations["container.apparmor.security.beta.kubernetes.io/tidesql"]',
      "unconfined",
    ),
    "workloads-pod-security orders",
  ],
  [
    "processes of the host",
    goodDatabase,
    set("orders", `${container}.securityContext.windowsOptions`, { hostProcess: true }),
    "workloads-pod-security orders",
  ],
  ["a role for every account", goodDatabase, binding("system:serviceaccounts"), "workloads-cluster-admin all"],
  ["a role for the accounts of one namespace", goodDatabase, binding("system:serviceaccounts:shop")],
  [
    "a workload on one node",
    goodDatabase,
    set("orders", "spec.template.spec.nodeName", "node-1"),
    "replicas-spread-over-zones orders",
  ],
  [
    "pods that stay beside each other",
    goodDatabase,
    set("orders", "spec.template.spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution", [
      { topologyKey: "topology.kubernetes.io/zone", labelSelector: { matchLabels: { app: "orders" } } },
    ]),
    "replicas-spread-over-zones orders",
  ],
  [
    "pods beside those of another workload",
    goodDatabase,
    set("orders", "spec.template.spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution", [
      { topologyKey: "topology.kubernetes.io/zone", labelSelector: { matchLabels: { app: "cache" } } },
    ]),
  ],
  ["every namespace by its name", goodDatabase, peers("Exists"), "workloads-network-policy orders"],
  ["every namespace but one", goodDatabase, peers("NotIn", "kube-system"), "workloads-network-policy orders"],
  ["one namespace by its name", goodDatabase, peers("In", "api")],
  ["any repository of an identity provider", goodProgram, trusting("repo:*"), "cluster-role-trust deployer"],
  ["every account of a cluster", goodProgram, trustingPods("system:serviceaccount:*:*"), "cluster-role-trust pods"],
  ["one account of a cluster", goodProgram, trustingPods("system:serviceaccount:shop:api")],
  [
    "an object that anybody may read",
    goodBucket,
    plus(resource("aws:s3/bucketObjectv2:BucketObjectv2", "page", { bucket: "site", acl: "public-read" })),
    "bucket-not-public page",
  ],
  [
    "an object of the owner's",
    goodBucket,
    plus(resource("aws:s3/bucketObjectv2:BucketObjectv2", "page", { key: "x" })),
  ],
  [
    "everything but one service",
    goodProgram,
    plus(rights({ Effect: "Allow", NotAction: "ec2:*", Resource: "*" })),
    "bucket-least-privilege rights",
  ],
  ["one denial of everything else", goodProgram, plus(rights({ Effect: "Deny", NotAction: "ec2:*", Resource: "*" }))],
  [
    "an object that anybody reads from one page",
    goodBucket,
    publicWhen({ StringLike: { "aws:Referer": "https://shop.example/*" } }),
    "bucket-not-public page",
  ],
  [
    "an object that anybody reads for a while",
    goodBucket,
    publicWhen({ DateLessThan: { "aws:CurrentTime": "2030-01-01T00:00:00Z" } }),
    "bucket-not-public page",
  ],
  [
    "an object that one organisation reads",
    goodBucket,
    publicWhen({ StringEquals: { "aws:PrincipalOrgID": "o-1" }, StringLike: { "aws:Referer": "*" } }),
  ],
  [
    "an administrator of one namespace",
    goodDatabase,
    plus(
      ...manifests(
        "{ apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: { name: all }, roleRef: { kind: ClusterRole, name: cluster-admin }, subjects: [{ kind: ServiceAccount, name: a }] }",
      ),
    ),
    "workloads-broad-rights all",
  ],
  [
    "a shell before the manager",
    goodDatabase,
    set("orders", `${container}.command`, [
      "sh",
      "-c",
      "/opt/tidesql/node/node /opt/tidesql/manager/manager.js & wait",
    ]),
    "correctness-orderly-stop orders",
  ],
  [
    "a shell that gives the manager its place",
    goodDatabase,
    set("orders", `${container}.command`, ["sh", "-c", "exec /opt/tidesql/node/node /opt/tidesql/manager/manager.js"]),
  ],
  [
    "disks that are plain unless they say otherwise",
    goodProgram,
    plus(resource("aws:ebs/encryptionByDefault:EncryptionByDefault", "disks", { enabled: false })),
    "cluster-encrypted-volumes disks",
  ],
  [
    "a Service without pods beside the program's own patches",
    goodDatabase,
    program => [
      ...program,
      resource("kubernetes:core/v1:ServicePatch", "patch", { metadata: { name: "orders-primary", namespace: "shop" } }),
      ...manifests(
        "{ apiVersion: v1, kind: Service, metadata: { name: lost, namespace: shop }, spec: { selector: { app: nobody }, ports: [{ port: 80 }] } }",
      ),
    ],
    "workloads-dangling-service lost",
  ],
];

describe("small changes to a correct program", () => {
  for (const [what, program, change, ...breaks] of changes) {
    it(`${breaks.length === 0 ? "leaves alone" : "reports"} ${what}`, () =>
      assert.deepEqual([...new Set(broken(program, change))], breaks));
  }
});
