import * as assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { PlannedRecord, recordFromWire, revealed, secretPaths } from "../../cli/planner/values";

/** A resource as a component registered it. */
export interface Registered {
  urn: string;
  /** Like `aws:s3/bucket:Bucket`, `tidesql:index:Network`. */
  type: string;
  name: string;
  /** URN of the parent. */
  parent: string;
  /** False for components. */
  custom: boolean;
  /** What was sent, with secrets in clear. What is unknown in a preview is `unknown` of cli/planner/values. */
  inputs: Record<string, unknown>;
  /** Paths of what was sent as a secret: `data`, `rules[0].password`. */
  secrets: string[];
  /** URNs of what it waits for, by `dependsOn` or through an input. */
  dependencies: string[];
  /** Reference of the explicit provider; empty for the default one. */
  provider: string;
  protect: boolean;
  retainOnDelete: boolean;
  /** URN of the resource whose deletion takes this one along; empty where there is none. */
  deletedWith: string;
  ignoreChanges: string[];
  deleteBeforeReplace: boolean;
  /** Such as `90m`; empty where the provider's own holds. */
  createTimeout: string;
}

/** A call of a function of a provider: a look-up. */
export interface Invoked {
  /** Like `aws:index/getRegion:getRegion`. */
  token: string;
  inputs: unknown;
}

export interface RecordingOptions {
  /** A preview: ids and everything that a provider computes are unknown. Default false. */
  preview?: boolean;
  /** What a provider answers beside the inputs: in addition to `computedOf`; in a preview, as of a resource that is there already. */
  computed?: (resource: pulumi.runtime.MockResourceArgs) => Record<string, unknown> | undefined;
  /** What a look-up answers. Default: `{}`. */
  answer?: (call: pulumi.runtime.MockCallArgs) => Record<string, unknown>;
  /** The stack's configuration: `{ "tidesql:region": "us-east-1" }`. */
  config?: Record<string, string>;
}

/** What a program did under Pulumi's mocks. */
export class Recording<T> {
  constructor(
    readonly result: T,
    /** In the order of registration. */
    readonly resources: Registered[],
    readonly invokes: Invoked[],
    /** What components gave to `registerOutputs`, by URN. */
    readonly componentOutputs: Map<string, PlannedRecord>,
  ) {}

  /** All resources of a type. */
  all(type: string): Registered[] {
    return this.resources.filter(resource => resource.type === type);
  }

  /** The one resource of a type; of a name, where a type has several. Fails unless there is exactly one. */
  one(type: string, name?: string): Registered {
    const found = this.all(type).filter(resource => name === undefined || resource.name === name);
    assert.equal(
      found.length,
      1,
      `${type} ${name ?? ""}: ${
        this.all(type)
          .map(resource => resource.name)
          .join(", ") || "none"
      }`,
    );
    return found[0]!;
  }

  byUrn(urn: string): Registered | undefined {
    return this.resources.find(resource => resource.urn === urn);
  }

  /**
   * What a resource waits for directly: its dependencies, its provider, and what its parents wait for, since a component is registered once its arguments are known, and its children after
   * it.
   */
  waitedForBy(resource: Registered): Registered[] {
    const parent = this.byUrn(resource.parent);
    const urns = [...resource.dependencies, resource.provider.replace(/::[^:]*$/, "")];
    const own = urns.map(urn => this.byUrn(urn)).filter(other => other !== undefined);
    return parent === undefined ? own : [...own, ...this.waitedForBy(parent)];
  }

  /** Everything that a resource waits for, directly or through others. */
  upstreamOf(resource: Registered): Set<Registered> {
    const seen = new Set<Registered>();
    const visit = (waiting: Registered): void => {
      for (const other of this.waitedForBy(waiting)) {
        if (seen.has(other)) continue;
        seen.add(other);
        visit(other);
      }
    };
    visit(resource);
    return seen;
  }

  /** Whether a resource waits for a resource of a type. */
  waitsFor(resource: Registered, type: string, name?: string): boolean {
    return [...this.upstreamOf(resource)].some(
      other => other.type === type && (name === undefined || other.name === name),
    );
  }
}

/** Runs a program under Pulumi's mocks until nothing is left to register. */
export async function record<T>(program: () => T, options: RecordingOptions = {}): Promise<Recording<T>> {
  const resources: Registered[] = [];
  const invokes: Invoked[] = [];
  const componentOutputs = new Map<string, PlannedRecord>();
  pulumi.runtime.setAllConfig(options.config ?? {});
  await pulumi.runtime.setMocks(
    {
      newResource: resource => {
        const inputs = resource.inputs as Record<string, unknown>;
        const computed = { ...(!options.preview && computedOf(resource)), ...options.computed?.(resource) };
        if (options.preview) return { id: undefined as unknown as string, state: { ...inputs, ...computed } };
        const id = typeof computed.id === "string" ? computed.id : `${resource.name}-id`;
        return { id, state: { ...inputs, ...computed } };
      },
      call: call => {
        invokes.push({ token: call.token, inputs: call.inputs as unknown });
        return options.answer?.(call) ?? {};
      },
    },
    "project",
    "stack",
    options.preview ?? false,
  );
  watchMonitor(resources, componentOutputs);
  try {
    const result = program();
    await pulumi.runtime.disconnect();
    return new Recording(result, resources, invokes, componentOutputs);
  } finally {
    pulumi.runtime.setAllConfig({});
  }
}

/** A part of a value: `at(bucket.inputs, "rules[0].filter")`. Undefined where there is none. */
export function at(value: unknown, path: string): unknown {
  return path
    .split(/[.[\]]+/)
    .filter(key => key !== "")
    .reduce((inner: unknown, key) => (inner as Record<string, unknown> | undefined)?.[key], value);
}

/** A list within a value. Fails where there is none. */
export function items(value: unknown, path: string): unknown[] {
  const list = at(value, path);
  assert.ok(Array.isArray(list), `${path} is not a list`);
  return list;
}

/** A text within a value. Fails where there is none. */
export function text(value: unknown, path: string): string {
  const found = at(value, path);
  assert.equal(typeof found, "string", path);
  return found as string;
}

/** The value of an output, or undefined where it is unknown. */
export function valueOf<V>(output: pulumi.Input<V>): Promise<V | undefined> {
  return new Promise(resolve => {
    const known = pulumi.output(output) as pulumi.Output<V> & { isKnown: Promise<boolean>; promise(): Promise<V> };
    void known.isKnown.then(async isKnown => resolve(isKnown ? await known.promise() : undefined));
  });
}

/** Whether an output is a secret. */
export function isSecret(output: pulumi.Output<unknown>): Promise<boolean> {
  return pulumi.isSecret(output);
}

/** The properties that a constructor refuses, and what it says of them. Fails when it refuses nothing, or registers anything. */
export async function refusals(program: () => unknown): Promise<{ propertyPath: string; reason: string }[]> {
  let refused: pulumi.InputPropertiesError | undefined;
  const { resources } = await record(() => {
    try {
      program();
    } catch (error) {
      if (!pulumi.InputPropertiesError.isInstance(error)) throw error;
      refused = error;
    }
  });
  assert.ok(refused, "nothing was refused");
  assert.deepEqual(
    resources.map(resource => resource.urn),
    [],
    "refused, but registered",
  );
  return refused.errors ?? [];
}

/** The mocks see types and inputs only: parents, dependencies and options are in the requests to the monitor. */
function watchMonitor(resources: Registered[], componentOutputs: Map<string, PlannedRecord>): void {
  const monitor = pulumi.runtime.getMonitor() as unknown as Monitor;
  const registerResource = monitor.registerResource.bind(monitor);
  const registerResourceOutputs = monitor.registerResourceOutputs.bind(monitor);
  monitor.registerResource = (request, callback) =>
    registerResource(request, (error, response) => {
      if (!error && response) resources.push(registered(request, response.getUrn()));
      callback(error, response);
    });
  monitor.registerResourceOutputs = (request, callback) => {
    componentOutputs.set(request.getUrn(), recordFromWire(request.getOutputs()?.toJavaScript() ?? {}));
    registerResourceOutputs(request, callback);
  };
}

function registered(request: RegisterRequest, urn: string): Registered {
  const inputs = recordFromWire(request.getObject()?.toJavaScript() ?? {});
  return {
    urn,
    type: request.getType(),
    name: request.getName(),
    parent: request.getParent(),
    custom: request.getCustom(),
    inputs: revealed(inputs) as Record<string, unknown>,
    secrets: secretPaths(inputs),
    dependencies: request.getDependenciesList(),
    provider: request.getProvider(),
    protect: request.getProtect() ?? false,
    retainOnDelete: request.getRetainondelete() ?? false,
    deletedWith: request.getDeletedwith(),
    ignoreChanges: request.getIgnorechangesList(),
    deleteBeforeReplace: request.getDeletebeforereplace(),
    createTimeout: request.getCustomtimeouts()?.getCreate() ?? "",
  };
}

const account = "123456789012";
const region = "us-east-1";

/** What providers compute, as far as components read it. */
function computedOf({ type, name, inputs: sent }: pulumi.runtime.MockResourceArgs): Record<string, unknown> {
  const inputs = sent as Record<string, unknown>;
  const given = (key: string): string | undefined => (typeof inputs[key] === "string" ? inputs[key] : undefined);
  const [, service = "", kind = ""] = /^aws:(\w+)\/\w+:(\w+)$/.exec(type) ?? [];
  const arn = `arn:aws:${service}:${region}:${account}:${kind.toLowerCase()}/${given("name") ?? name}`;
  switch (type) {
    case "aws:s3/bucket:Bucket": {
      const bucket = given("bucket") ?? `${name}-0123abc`;
      return { id: bucket, bucket, arn: `arn:aws:s3:::${bucket}` };
    }
    case "aws:iam/user:User":
    case "aws:iam/role:Role":
      return { id: given("name") ?? `${name}-0123abc`, name: given("name") ?? `${name}-0123abc`, arn };
    case "aws:iam/accessKey:AccessKey":
      return { id: `AKIA${name.toUpperCase()}`, secret: pulumi.secret(`secret-of-${name}`) };
    case "aws:eks/cluster:Cluster":
      return {
        arn,
        endpoint: `https://${name}.eks.amazonaws.com`,
        certificateAuthority: { data: "Y2VydGlmaWNhdGU=" },
        vpcConfig: { ...(inputs.vpcConfig as object), clusterSecurityGroupId: `sg-${name}` },
      };
    case "aws:ecr/repository:Repository":
      return {
        arn,
        registryId: account,
        repositoryUrl: `${account}.dkr.ecr.${region}.amazonaws.com/${given("name") ?? name}`,
      };
    case "aws:ec2/launchTemplate:LaunchTemplate":
      return { arn, latestVersion: 1 };
    case "aws:ec2/vpc:Vpc":
      return { arn, defaultSecurityGroupId: `sg-default-${name}` };
    case "docker:index/registryImage:RegistryImage":
      return { sha256Digest: `sha256:${"a".repeat(64)}` };
    case "random:index/randomUuid:RandomUuid":
      return { result: "00000000-0000-4000-8000-000000000000" };
    case "random:index/randomPassword:RandomPassword":
      return { result: pulumi.secret("Aa1-random-password-of-24") };
    case "random:index/randomBytes:RandomBytes":
      return { base64: pulumi.secret("cmFuZG9tIGJ5dGVz"), hex: pulumi.secret("72616e646f6d206279746573") };
    case "tls:index/privateKey:PrivateKey":
      return {
        privateKeyPem: pulumi.secret(`private key ${name}`),
        privateKeyPemPkcs8: pulumi.secret(`private key ${name} in PKCS 8`),
        publicKeyPem: `public key ${name}`,
      };
    case "tls:index/certRequest:CertRequest":
      return { certRequestPem: `request ${name}` };
    case "tls:index/selfSignedCert:SelfSignedCert":
    case "tls:index/locallySignedCert:LocallySignedCert":
      return { certPem: `certificate ${name}` };
    default:
      return service === "" ? {} : { arn };
  }
}

type Callback<R> = (error: unknown, response: R) => void;
interface WireStruct {
  toJavaScript(): Record<string, unknown>;
}
interface RegisterRequest {
  getType(): string;
  getName(): string;
  getParent(): string;
  getCustom(): boolean;
  getObject(): WireStruct | undefined;
  getDependenciesList(): string[];
  getProvider(): string;
  getProtect(): boolean | undefined;
  getRetainondelete(): boolean | undefined;
  getDeletedwith(): string;
  getIgnorechangesList(): string[];
  getDeletebeforereplace(): boolean;
  getCustomtimeouts(): { getCreate(): string } | undefined;
}
interface OutputsRequest {
  getUrn(): string;
  getOutputs(): WireStruct | undefined;
}
interface Monitor {
  registerResource(request: RegisterRequest, callback: Callback<{ getUrn(): string }>): Promise<void>;
  registerResourceOutputs(request: OutputsRequest, callback: Callback<unknown>): void;
}
