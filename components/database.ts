import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { namespaceManifest } from "./core/manifests/namespace";
import { DatabaseConnection } from "./core/connections";
import { makeAccess } from "./database/access";
import { accountsOf } from "./database/accounts";
import { DatabaseArgs, DatabaseOptions } from "./database/arguments";
import { configurationTexts, hashOf, makeConfigMaps } from "./database/configuration";
import { makeConnections, serviceHost } from "./database/connections";
import { DatabaseContext } from "./database/context";
import { makeMonitoring } from "./database/monitoring";
import { objectStoreLocation, objectStorePort, storeRole } from "./database/objectStoreInputs";
import { makeScheduling, makeStatefulSet } from "./database/pods";
import { makeSecrets } from "./database/secrets";
import { DatabaseSettings, settleDatabase } from "./database/settings";
import { makeTraffic } from "./database/traffic";
import { makeVolumes } from "./database/volumes";
import { validateDatabaseArgs } from "./database/validation";
import { readManagerBundle } from "./managerBundle";
import { checkedOptions } from "./options";
import { refuseInvalid } from "./refuse";
import { transformed } from "./transform";

export * from "./database/arguments";
export { DatabaseConnection } from "./core/connections";
export { validateDatabaseArgs } from "./database/validation";

/**
 * A TideSQL database on any Kubernetes with any S3-compatible store: one primary, and replicas that read the same bucket and take over when it is lost. Everything inside the cluster is
 * made here: namespace, Secrets, configuration, StatefulSet, Services, rights, network policy, budget, priority.
 *
 * It costs what its pods' nodes and volumes cost, and requests to the store: each replica looks for new data ten times a second by default.
 *
 * @example
 * const database = new Database("orders", {
 *   image: "registry.example/tidesql@sha256:...",
 *   objectStore: { endpoint: "s3.us-east-1.amazonaws.com", bucket: "orders", region: "us-east-1", accessKeyId, secretAccessKey },
 *   databases: ["shop"],
 *   users: [{ name: "shop", grants: [{ database: "shop", privileges: ["ALL PRIVILEGES"] }] }],
 * });
 */
export class Database extends pulumi.ComponentResource {
  /** Host name for writes: the primary, whichever pod that is. */
  public readonly primaryEndpoint: pulumi.Output<string>;
  /** Host name for reads: the replicas, about 0.1 s behind. */
  public readonly replicaEndpoint: pulumi.Output<string>;
  /** TCP port for writes. */
  public readonly port: pulumi.Output<number>;
  /** TCP port for reads. */
  public readonly replicaPort: pulumi.Output<number>;
  /** Authority that the server's certificate can be verified with, PEM. Unset where the certificate is in an existing Secret and its authority was not given. */
  public readonly caCertificate: pulumi.Output<string | undefined>;
  /** By user: host, port, password, authority, and connection strings for JDBC, Node, Python, Go, PHP and .NET. A secret. */
  public readonly connections: pulumi.Output<Record<string, DatabaseConnection>>;
  /** By user: name of the Secret with the same, for applications to mount. */
  public readonly connectionSecretNames: pulumi.Output<Record<string, string>>;
  /** By user, given and made ones; without those that are in Secrets of others. A secret. */
  public readonly passwords: pulumi.Output<Record<string, string>>;
  /** Identity of the data in the bucket. Give it to a database that is to take the data over. */
  public readonly databaseId: pulumi.Output<string>;
  /** Namespace of everything in the cluster. */
  public readonly namespace: pulumi.Output<string>;
  /** Name of the StatefulSet: its pods are `<name>-0` and so on. */
  public readonly statefulSetName: pulumi.Output<string>;
  /** Secret with one key a user: the password. */
  public readonly usersSecretName: pulumi.Output<string>;
  /** Secret with `tls.crt`, `tls.key`, `ca.crt`. */
  public readonly tlsSecretName: pulumi.Output<string>;
  /** Secret with `accessKeyId`, `secretAccessKey`. None where the pods have a role. */
  public readonly objectStoreSecretName: pulumi.Output<string | undefined>;

  /**
   * @param name names the Kubernetes objects too: lower-case letters, digits and "-", at most 52
   * @throws pulumi.InputPropertiesError before anything is registered, naming every argument that is wrong
   */
  constructor(name: string, args: DatabaseArgs, opts: DatabaseOptions = {}) {
    refuseInvalid(`Database "${name}"`, validateDatabaseArgs(name, args));
    const { transform = {}, managerBundle, ...componentOptions } = checkedOptions(`Database "${name}"`, opts);
    const bundle = managerBundle ?? readManagerBundle();
    const guarded = withSecrets(args);
    super("tidesql:index:Database", name, guarded, componentOptions);

    const settings = settleDatabase(name, guarded);
    const { names } = settings;
    const context = makeNamespace(name, settings, transform, this);
    const store = objectStoreLocation(name, guarded.objectStore);
    const databaseId = identity(context, guarded.databaseId);
    const role = storeRole(name, guarded.objectStore);
    const secrets = makeSecrets(context, guarded, role);
    const accounts = accountsOf(name, guarded);
    const texts = configurationTexts(context, guarded, store, databaseId, accounts);
    const before = [
      ...secrets.resources,
      ...makeConfigMaps(context, texts, bundle),
      ...makeAccess(context, role),
      ...makeTraffic(context, objectStorePort(store)),
      ...makeScheduling(context),
      ...makeVolumes(context),
    ];
    makeStatefulSet(context, {
      image: guarded.image,
      configurationHash: hashOf(texts, bundle, secrets.fingerprint),
      role,
      before,
    });

    makeMonitoring(context);
    const { connections, secretNames } = makeConnections(context, accounts, secrets.passwords, secrets.caCertificate);
    this.primaryEndpoint = serviceHost(settings, names.primaryService);
    this.replicaEndpoint = serviceHost(settings, names.replicaService);
    this.port = pulumi.output(settings.services.primary.port);
    this.replicaPort = pulumi.output(settings.services.replica.port);
    this.caCertificate = secrets.caCertificate;
    this.connections = connections;
    this.connectionSecretNames = pulumi.output(secretNames);
    this.passwords = secrets.passwords;
    this.databaseId = databaseId;
    this.namespace = pulumi.output(names.namespace);
    this.statefulSetName = pulumi.output(names.database);
    this.usersSecretName = pulumi.output(names.usersSecret);
    this.tlsSecretName = pulumi.output(names.tlsSecret);
    this.objectStoreSecretName = pulumi.output(settings.credentials.isRole ? undefined : names.objectStoreSecret);
    this.registerOutputs({
      primaryEndpoint: this.primaryEndpoint,
      replicaEndpoint: this.replicaEndpoint,
      port: this.port,
      replicaPort: this.replicaPort,
      caCertificate: this.caCertificate,
      connections: this.connections,
      connectionSecretNames: this.connectionSecretNames,
      passwords: this.passwords,
      databaseId: this.databaseId,
      namespace: this.namespace,
      statefulSetName: this.statefulSetName,
      usersSecretName: this.usersSecretName,
      tlsSecretName: this.tlsSecretName,
      objectStoreSecretName: this.objectStoreSecretName,
    });
  }
}

/** The arguments go into the state: what is secret in them goes there encrypted, whether or not the caller said so. */
function withSecrets(args: DatabaseArgs): DatabaseArgs {
  const { objectStore, users } = args;
  return {
    ...args,
    objectStore: {
      ...objectStore,
      ...(objectStore.accessKeyId !== undefined && { accessKeyId: pulumi.secret(objectStore.accessKeyId) }),
      ...(objectStore.secretAccessKey !== undefined && {
        secretAccessKey: pulumi.secret(objectStore.secretAccessKey),
      }),
    },
    ...(users && {
      users: users.map(user =>
        user.password === undefined ? user : { ...user, password: pulumi.secret(user.password) },
      ),
    }),
  };
}

/** Makes the namespace, and says what comes before everything in it. */
function makeNamespace(
  name: string,
  settings: DatabaseSettings,
  transform: NonNullable<DatabaseOptions["transform"]>,
  parent: pulumi.Resource,
): DatabaseContext {
  const { names, createNamespace } = settings;
  const context = { name, settings, transform, outside: { parent }, inside: { parent } };
  if (!createNamespace) return context;
  const manifest = namespaceManifest(names.namespace, names.database);
  const namespace = new k8s.core.v1.Namespace(
    ...transformed(transform.namespace, `${name}-namespace`, manifest, { parent }),
  );
  return { ...context, inside: { parent, dependsOn: [namespace] } };
}

/** Made once and kept in the state: the managers refuse data of another identity. */
function identity(
  { name, settings, transform, outside }: DatabaseContext,
  given: string | undefined,
): pulumi.Output<string> {
  if (given !== undefined) return pulumi.output(given);
  const args: random.RandomUuidArgs = {};
  return new random.RandomUuid(
    ...transformed(transform.databaseId, `${name}-id`, args, { ...outside, protect: settings.deletionProtection }),
  ).result;
}
