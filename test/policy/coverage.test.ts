import { notYetKnown, type RawResource } from "../../policy/model/resource";
import { describePolicy } from "./describePolicy";
import { goodBucket, goodDatabase, option } from "./goodProgram";
import { changed, manifests, plus, resource, set, without } from "./program";

/** One resource, right and wrong, with what is said of the wrong one, what a preview cannot know of it, and the same fault in other words. */
function ofResource(
  id: string,
  right: readonly RawResource[],
  wrong: RawResource,
  says: RegExp,
  unknown: RawResource,
  otherWords: RawResource,
): void {
  describePolicy(id, {
    passes: right.map(one => [one]),
    fails: { program: [wrong], resource: wrong.name, says },
    unknown: [unknown],
    handWritten: { program: [otherWords], resource: otherWords.name, says },
  });
}

const aws =
  (kind: string) =>
  (inputs: Record<string, unknown>, name = "it") =>
    resource(`aws:${kind}`, name, inputs);
const document = (...statements: unknown[]) => JSON.stringify({ Version: "2012-10-17", Statement: statements });
const toEveryone = { Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: "arn:aws:s3:::site/*" };

describe("buckets that anybody may read", () => {
  const policy = aws("s3/bucketPolicy:BucketPolicy");
  const acl = aws("s3/bucketAcl:BucketAcl");
  describePolicy("bucket-not-public", {
    passes: [
      goodBucket,
      [policy({ policy: document({ ...toEveryone, Principal: { AWS: "arn:aws:iam::123456789012:root" } }) })],
      [policy({ policy: document({ ...toEveryone, Principal: { Service: "cloudfront.amazonaws.com" } }) })],
      [policy({ policy: document({ ...toEveryone, Condition: { StringEquals: { "aws:PrincipalOrgID": "o-1" } } }) })],
      [policy({ policy: document({ ...toEveryone, Condition: { IpAddress: { "aws:SourceIp": "203.0.113.0/24" } } }) })],
      [policy({ policy: document(toEveryone, { ...toEveryone, Effect: "Deny" }) })],
      [acl({ acl: "private" })],
    ],
    fails: { program: [policy({ policy: document(toEveryone) })], resource: "it", says: /s3:GetObject to strangers/ },
    unknown: [policy({ policy: notYetKnown })],
    handWritten: {
      program: [resource("aws-native:s3:Bucket", "site", { accessControl: "PublicRead" })],
      resource: "site",
      says: /lets strangers in \(PublicRead\)/,
    },
  });
  ofResource(
    "bucket-not-public",
    [policy({ policy: document({ ...toEveryone, Condition: { Bool: { "aws:SecureTransport": "false" } } }) })],
    acl({ accessControlPolicy: { grants: [{ grantee: { uri: "http://acs.amazonaws.com/groups/global/AllUsers" } }] } }),
    /lets strangers in/,
    acl({ acl: notYetKnown }),
    aws("s3/bucket:Bucket")({ acl: "public-read-write" }),
  );
  describePolicy("bucket-access-logs", {
    passes: [goodBucket],
    fails: { program: changed(goodBucket, without("BucketLogging")), resource: "data", says: /not logged/ },
    unknown: changed(
      goodBucket,
      plus(resource("aws:s3/bucket:Bucket", "other", {})),
      set("BucketLogging", "bucket", notYetKnown),
    ).map(one => (one.name === "BucketLogging" ? { ...one, dependencies: [] } : one)),
    handWritten: {
      program: changed(goodBucket, set("BucketLogging", "bucket", "other")),
      resource: "data",
      says: /not logged/,
    },
  });
});

describe("identities and what is theirs", () => {
  const role = aws("iam/role:Role");
  const trust = (Principal: unknown, more: object = {}) =>
    role({ assumeRolePolicy: document({ Effect: "Allow", Principal, Action: "sts:AssumeRole", ...more }) });
  const github = { Federated: "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com" };
  const audience = { "token.actions.githubusercontent.com:aud": "sts.amazonaws.com" };
  ofResource(
    "cluster-role-trust",
    [
      trust({ Service: "ec2.amazonaws.com" }),
      trust({ AWS: "123456789012" }),
      trust({ AWS: "*" }, { Condition: { StringEquals: { "aws:PrincipalOrgID": "o-1" } } }),
      trust(github, {
        Condition: { StringEquals: audience, StringLike: { "token.actions.githubusercontent.com:sub": "repo:shop/*" } },
      }),
    ],
    trust({ AWS: "*" }),
    /may take this role/,
    role({ assumeRolePolicy: notYetKnown }),
    trust(github, { Condition: { StringEquals: audience } }),
  );
  const may = (...statements: unknown[]) => aws("iam/policy:Policy")({ policy: document(...statements) });
  ofResource(
    "cluster-privilege-escalation",
    [
      may({ Effect: "Allow", Action: "iam:PassRole", Resource: "arn:aws:iam::123456789012:role/nodes" }),
      may({
        Effect: "Allow",
        Action: "iam:PassRole",
        Resource: "*",
        Condition: { StringEquals: { "iam:PassedToService": "ec2.amazonaws.com" } },
      }),
      may({ Effect: "Allow", Action: ["iam:Get*", "iam:List*"], Resource: "*" }),
      may({ Effect: "Deny", Action: "iam:PassRole", Resource: "*" }),
    ],
    may({ Effect: "Allow", Action: ["ec2:RunInstances", "iam:PassRole"], Resource: "*" }),
    /iam:PassRole is allowed|iam:AttachRolePolicy is allowed/,
    aws("iam/policy:Policy")({ policy: notYetKnown }),
    role({
      inlinePolicies: [
        { policy: document({ Effect: "Allow", Action: "iam:*RolePol?cy", Resource: "arn:aws:iam::*:role/*" }) },
      ],
    }),
  );
  const key = aws("kms/key:Key");
  const owner = {
    Effect: "Allow",
    Principal: { AWS: "arn:aws:iam::123456789012:root" },
    Action: "kms:*",
    Resource: "*",
  };
  ofResource(
    "cluster-key-policy",
    [
      key({ enableKeyRotation: true }),
      key({ policy: document(owner) }),
      key({
        policy: document({ ...owner, Principal: "*", Condition: { StringEquals: { "kms:CallerAccount": "1" } } }),
      }),
    ],
    key({ policy: document(owner, { ...owner, Principal: "*", Action: "kms:Decrypt" }) }),
    /to strangers/,
    key({ policy: notYetKnown }),
    aws("kms/keyPolicy:KeyPolicy")({ policy: document({ ...owner, Principal: { AWS: "*" } }) }),
  );
  ofResource(
    "cluster-key-deletion",
    [key({}), key({ deletionWindowInDays: 30 })],
    key({ deletionWindowInDays: 7 }),
    /after 7 days/,
    key({ deletionWindowInDays: notYetKnown }),
    key({ deletionWindowInDays: "7" }),
  );
  const repository = aws("ecr/repositoryPolicy:RepositoryPolicy");
  const pull = { Effect: "Allow", Principal: "*", Action: ["ecr:BatchGetImage"] };
  ofResource(
    "cluster-image-repository-policy",
    [repository({ policy: document({ ...pull, Principal: { AWS: "123456789012" } }) })],
    repository({ policy: document(pull) }),
    /to strangers/,
    repository({ policy: notYetKnown }),
    repository({
      policy: document({ Effect: "Allow", NotPrincipal: { AWS: "arn:aws:iam::1:user/a" }, Action: "ecr:*" }),
    }),
  );
  const logs = aws("cloudwatch/logGroup:LogGroup");
  ofResource(
    "cluster-log-retention",
    [logs({ retentionInDays: 30 })],
    logs({}),
    /never expire/,
    logs({ retentionInDays: notYetKnown }),
    logs({ retentionInDays: 0 }),
  );
});

describe("machines and networks", () => {
  const template = aws("ec2/launchTemplate:LaunchTemplate");
  ofResource(
    "cluster-imds-hop-limit",
    [
      template({}),
      template({ metadataOptions: { httpPutResponseHopLimit: 1 } }),
      template({ metadataOptions: { httpEndpoint: "disabled", httpPutResponseHopLimit: 2 } }),
    ],
    template({ metadataOptions: { httpPutResponseHopLimit: 2 } }),
    /over 2 hops/,
    template({ metadataOptions: notYetKnown }),
    aws("ec2/launchConfiguration:LaunchConfiguration")({ metadataOptions: { httpPutResponseHopLimit: "2" } }),
  );
  const nodes = aws("eks/nodeGroup:NodeGroup");
  ofResource(
    "cluster-node-ssh",
    [nodes({}), nodes({ remoteAccess: { ec2SshKey: "k", sourceSecurityGroupIds: ["sg-1"] } })],
    nodes({ remoteAccess: { ec2SshKey: "k" } }),
    /port 22/,
    nodes({ remoteAccess: notYetKnown }),
    resource("eks:index:ManagedNodeGroup", "workers", { remoteAccess: { ec2SshKey: "k", sourceSecurityGroupIds: [] } }),
  );
  const defaults = aws("ec2/defaultSecurityGroup:DefaultSecurityGroup");
  ofResource(
    "cluster-default-security-group",
    [defaults({}), defaults({ ingress: [], egress: [] })],
    defaults({ ingress: [{ self: true, protocol: "-1" }] }),
    /rules for/,
    defaults({ ingress: notYetKnown }),
    defaults({ egress: [{ cidrBlocks: ["0.0.0.0/0"], protocol: "-1" }] }),
  );
  const group = aws("ec2/securityGroup:SecurityGroup");
  const out = (more: object) =>
    group({ egress: [{ protocol: "-1", fromPort: 0, toPort: 0, cidrBlocks: ["0.0.0.0/0"], ...more }] });
  ofResource(
    "cluster-egress",
    [group({}), out({ cidrBlocks: ["10.0.0.0/8"] }), out({ protocol: "tcp", fromPort: 443, toPort: 443 })],
    out({}),
    /to everywhere/,
    group({ egress: notYetKnown }),
    aws("vpc/securityGroupEgressRule:SecurityGroupEgressRule")({ ipProtocol: "-1", cidrIpv6: "::/0" }),
  );
  const balancer = aws("lb/loadBalancer:LoadBalancer");
  ofResource(
    "cluster-load-balancer-deletion",
    [balancer({ enableDeletionProtection: true })],
    balancer({}),
    /by one call/,
    balancer({ enableDeletionProtection: notYetKnown }),
    aws("alb/loadBalancer:LoadBalancer")({ enableDeletionProtection: "false" }),
  );
  ofResource(
    "cluster-load-balancer-logs",
    [
      balancer({ accessLogs: { bucket: "logs", enabled: true } }),
      aws("elb/loadBalancer:LoadBalancer")({ accessLogs: { bucket: "logs" } }),
    ],
    balancer({}),
    /not logged/,
    balancer({ accessLogs: notYetKnown }),
    balancer({ accessLogs: { bucket: "logs" } }),
  );
});

describe("objects of the cluster", () => {
  const binding = (roleRef: object) =>
    resource("kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding", "it", {
      roleRef: { kind: "ClusterRole", ...roleRef },
    });
  const role = (rule: unknown) =>
    resource("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", "all", { rules: [rule] });
  ofResource(
    "workloads-cluster-admin",
    [binding({ name: "view" }), role({ apiGroups: [""], resources: ["pods"], verbs: ["*"] })],
    binding({ name: "cluster-admin" }),
    /cluster-admin|Every verb/,
    binding({ name: notYetKnown }),
    role({ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }),
  );
  const [pod] = manifests(
    "apiVersion: v1\nkind: Pod\nmetadata: { name: it, namespace: shop }\nspec: { containers: [] }",
  );
  const inNamespace = (namespace: unknown) => ({
    ...pod!,
    inputs: { ...(pod!.inputs as object), metadata: { name: "it", namespace } },
  });
  const provider = (namespace: unknown) => resource("pulumi:providers:kubernetes", "cluster", { namespace });
  describePolicy("workloads-default-namespace", {
    passes: [[pod!], [provider("shop"), inNamespace(undefined)]],
    fails: { program: [inNamespace(undefined)], resource: "it", says: /No namespace is named.*default/ },
    unknown: [
      inNamespace(notYetKnown),
      { ...inNamespace(undefined), name: "other", urn: "other" },
      provider(notYetKnown),
    ],
    handWritten: {
      program: [provider("shop"), inNamespace("default")],
      resource: "it",
      says: /in the namespace default/,
    },
  });

  describePolicy("workloads-dangling-service", {
    passes: [
      goodDatabase,
      goodDatabase.filter(({ type }) => !type.endsWith(":Namespace")),
      changed(
        goodDatabase,
        set("orders-primary", "spec.selector", { app: "other" }),
        plus(resource("kubernetes:helm.sh/v3:Release", "chart", {})),
      ),
      changed(goodDatabase, set("orders-primary", "spec.selector", { "storage.example/engine": "writer" })),
    ],
    fails: {
      program: changed(goodDatabase, set("orders-primary", "spec.selector", { app: "other" })),
      resource: "orders-primary",
      says: /selects no pods/,
    },
    unknown: changed(goodDatabase, set("orders-primary", "spec.selector", notYetKnown)),
    handWritten: {
      program: changed(
        goodDatabase,
        set("orders-primary", "metadata.namespace", "shop"),
        set("orders", "metadata.namespace", "other"),
      ),
      resource: "orders-primary",
      says: /selects no pods/,
    },
  });
  describePolicy("workloads-dangling-account", {
    passes: [goodDatabase, changed(goodDatabase, set("orders", "spec.template.spec.serviceAccountName", "default"))],
    fails: {
      program: changed(goodDatabase, set("orders", "spec.template.spec.serviceAccountName", "orderz")),
      resource: "orders",
      says: /No ServiceAccount orderz/,
    },
    unknown: changed(goodDatabase, set("orders", "spec.template.spec.serviceAccountName", notYetKnown)),
    handWritten: {
      program: changed(goodDatabase, set("orders-account", "metadata.namespace", "other")),
      resource: "orders",
      says: /No ServiceAccount/,
    },
  });
});

describe("what a database lets its clients do", () => {
  const unseen = changed(goodDatabase, set("orders-config", "data", notYetKnown));
  const besideUnseenSecret = changed(goodDatabase, set("orders-tls", "stringData", notYetKnown));
  const ofOption = (
    id: string,
    right: [string, string],
    wrong: [string, string],
    says: RegExp,
    other: [string, string],
  ) =>
    describePolicy(id, {
      passes: [goodDatabase, changed(goodDatabase, option(...right)), besideUnseenSecret],
      fails: { program: changed(goodDatabase, option(...wrong)), resource: "orders", says },
      unknown: unseen,
      handWritten: { program: changed(goodDatabase, option(...other)), resource: "orders", says },
    });
  ofOption("correctness-grant-tables", ["skip_grant_tables", "OFF"], ["skip_grant_tables", "ON"], /lets everybody in/, [
    "skip-grant-tables",
    "1",
  ]);
  ofOption("correctness-file-access", ["local_infile", "OFF"], ["local_infile", "ON"], /files|every file/, [
    "secure_file_priv",
    "",
  ]);
  ofOption(
    "correctness-tls-versions",
    ["tls_version", "TLSv1.2,TLSv1.3"],
    ["tls_version", "TLSv1.1,TLSv1.2"],
    /speaks/,
    ["tls-version", "TLSv1.0"],
  );
  ofOption("correctness-password-hashes", ["old_passwords", "OFF"], ["old_passwords", "ON"], /MySQL 3.23/, [
    "secure_auth",
    "0",
  ]);
  const retention = (value: unknown) =>
    changed(goodDatabase, set("orders", "spec.persistentVolumeClaimRetentionPolicy", value));
  describePolicy("correctness-volume-retention", {
    passes: [goodDatabase, retention({ whenDeleted: "Retain", whenScaled: "Retain" })],
    fails: { program: retention({ whenDeleted: "Delete" }), resource: "orders", says: /deleted with the StatefulSet/ },
    unknown: retention(notYetKnown),
    handWritten: {
      program: retention({ whenDeleted: "Retain", whenScaled: "Delete" }),
      resource: "orders",
      says: /deleted when there are fewer pods/,
    },
  });
});
