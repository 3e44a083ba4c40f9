import { runtime } from "@pulumi/pulumi";
import * as resourceProtocol from "@pulumi/pulumi/proto/resource_pb";
import { Callback } from "@pulumi/pulumi/proto/callback_pb";
import { CallResponse } from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { deploymentFeatures, supportedFeatures } from "./features";
import { createLocally, type MadeValues } from "./localProviders";
import type { Diagnostic, PlannedResource, UnseenPart } from "./plan";
import { PlanError } from "./planError";
import type { KnownSecrets } from "./redaction";
import { plannedResource, qualifiedTypeOf } from "./registration";
import { ComponentObjects } from "./componentObjects";
import { NotRendered } from "./notRendered";
import { isAnswered, isRelease } from "./rendering";
import { TransformRunner } from "./transforms";
import { type PlannedRecord, type PlannedValue, recordFromWire, recordToWire, Secret, unknown } from "./values";

/** What `Struct.fromJavaScript` takes. */
type JavaScriptRecord = Parameters<typeof Struct.fromJavaScript>[0];

/** How an RPC of the engine answers: an error whose `details` the SDK shows, or a response. */
type Answer<Response> = (error: (Error & { code: number; details: string }) | null, response?: Response) => void;

/** The gRPC status that the SDK takes for a refusal; others (UNAVAILABLE, CANCELLED) would make it wait without end. */
const invalidArgument = 3;

/** How the SDK asks for another stack's outputs: it reads a resource of this type, with the stack's name as its id. */
const stackReferenceType = "pulumi:pulumi:StackReference";

/** What the monitor needs to know of the stack, and where it leaves what it learns. */
export interface MonitorSettings {
  project: string;
  stack: string;
  secrets: KnownSecrets;
  /** Values made in an earlier plan, to be used again. */
  made: MadeValues;
  /** Turns configuration values that nobody can read here into unknown ones. */
  withoutLockedValues: (value: PlannedValue) => PlannedValue;
}

/**
 * The engine as a Pulumi program sees it, in the same process: it takes every registration down and answers like a preview of an empty stack. The SDK calls it
 * instead of the gRPC client of the same methods; a hundred resources cost a tenth of a second that way, and half a second over a socket.
 */
export class PlanningMonitor {
  /** By URN, in the order of registration. */
  readonly resources = new Map<string, PlannedResource>();
  readonly diagnostics: Diagnostic[] = [];
  private readonly objects = new ComponentObjects(this.diagnostics);
  /** The first thing that the program asked for and a plan cannot do. */
  refusal: PlanError | undefined;

  private readonly stackTransforms: Callback[] = [];
  /** By URN of every resource whose registration has begun; they apply to its children as well. */
  private readonly transforms = new Map<string, Callback[]>();
  private readonly transformRunner = new TransformRunner();

  constructor(private readonly settings: MonitorSettings) {}

  getDeploymentInfo(_request: Empty, answer: Answer<resourceProtocol.DeploymentInfo>): void {
    const info = new resourceProtocol.DeploymentInfo();
    info.setProject(this.settings.project);
    info.setStack(this.settings.stack);
    info.setDryrun(true);
    info.setSupportedfeaturesList(deploymentFeatures);
    answer(null, info);
  }

  supportsFeature(
    request: resourceProtocol.SupportsFeatureRequest,
    answer: Answer<resourceProtocol.SupportsFeatureResponse>,
  ): void {
    const response = new resourceProtocol.SupportsFeatureResponse();
    response.setHassupport(supportedFeatures.has(request.getId()));
    answer(null, response);
  }

  registerResource(
    request: resourceProtocol.RegisterResourceRequest,
    answer: Answer<resourceProtocol.RegisterResourceResponse>,
  ): void {
    this.register(request).then(
      response => answer(null, response),
      (error: unknown) => this.refuse(answer, error instanceof Error ? error.message : String(error)),
    );
  }

  registerResourceOutputs(request: resourceProtocol.RegisterResourceOutputsRequest, answer: Answer<Empty>): void {
    const resource = this.resources.get(request.getUrn());
    if (!resource)
      return this.refuse(answer, `The program gives outputs of ${request.getUrn()}, which it never registered.`);
    resource.outputs = this.readRecord(request.getOutputs());
    answer(null, new Empty());
  }

  /** Only the one look-up that concerns the program's own resources is answered. */
  invoke(
    request: resourceProtocol.ResourceInvokeRequest,
    answer: Answer<resourceProtocol.ResourceInvokeResponse>,
  ): void {
    const token = request.getTok();
    if (isAnswered(token)) return this.renderObjects(request, answer);
    if (token !== "pulumi:pulumi:getResource") {
      return this.refuse(
        answer,
        `The program calls ${token}, and a plan looks nothing up: it has no credentials. Pass the value as an argument or through the stack's configuration.`,
      );
    }
    const wanted = this.readRecord(request.getArgs()).urn;
    const resource = typeof wanted === "string" ? this.resources.get(wanted) : undefined;
    if (!resource) return this.refuse(answer, "The program refers to a resource that is not part of it");
    const response = new resourceProtocol.ResourceInvokeResponse();
    const { urn, outputs } = resource;
    response.setReturn(Struct.fromJavaScript({ urn, id: "", state: recordToWire(outputs) }));
    answer(null, response);
  }

  /** Ends the plan. @returns what the program makes and this plan cannot tell */
  finish(): UnseenPart[] {
    this.objects.missUnrendered(this.resources.values());
    return this.objects.unseen;
  }

  private renderObjects(
    request: resourceProtocol.ResourceInvokeRequest,
    answer: Answer<resourceProtocol.ResourceInvokeResponse>,
  ): void {
    let result: PlannedRecord[];
    try {
      result = this.objects.answer(request.getTok(), this.readRecord(request.getArgs()));
    } catch (error) {
      if (!(error instanceof NotRendered)) throw error;
      return this.refuse(answer, `The program reads YAML, and ${error.message}.`);
    }
    const response = new resourceProtocol.ResourceInvokeResponse();
    response.setReturn(Struct.fromJavaScript({ result: result.map(recordToWire) as JavaScriptRecord[] }));
    answer(null, response);
  }

  call(request: resourceProtocol.ResourceCallRequest, answer: Answer<CallResponse>): void {
    this.refuse(
      answer,
      `The program calls the method ${request.getTok()}, which only the component's plugin can answer. Use one of the component's outputs instead.`,
    );
  }

  /** Of what exists only another stack can be referred to; what that one gives out is unknown here. */
  readResource(
    request: resourceProtocol.ReadResourceRequest,
    answer: Answer<resourceProtocol.ReadResourceResponse>,
  ): void {
    if (request.getType() === stackReferenceType) return this.referToStack(request, answer);
    const what = `${request.getType()} "${request.getName()}"`;
    this.refuse(
      answer,
      `The program reads the existing ${what}, and a plan looks nothing up: it has no credentials. Pass what is needed of it as arguments or through the stack's configuration.`,
    );
  }

  private referToStack(
    request: resourceProtocol.ReadResourceRequest,
    answer: Answer<resourceProtocol.ReadResourceResponse>,
  ): void {
    const message = `The outputs of the stack ${request.getId()} are not known in a plan.`;
    this.diagnostics.push({ severity: "info", message });
    const response = new resourceProtocol.ReadResourceResponse();
    response.setUrn(this.urnOf(request));
    const state = recordToWire({ name: request.getId(), outputs: unknown }) as JavaScriptRecord;
    response.setProperties(Struct.fromJavaScript(state));
    answer(null, response);
  }

  existsResource(
    request: resourceProtocol.ExistsResourceRequest,
    answer: Answer<resourceProtocol.ExistsResourceResponse>,
  ): void {
    this.refuse(
      answer,
      `The program asks whether a ${request.getType()} exists, and a plan looks nothing up: it has no credentials.`,
    );
  }

  registerStackTransform(request: Callback, answer: Answer<Empty>): void {
    this.stackTransforms.push(request);
    answer(null, new Empty());
  }

  /** Look-ups are refused, so there is nothing to transform. */
  registerStackInvokeTransform(_request: Callback, answer: Answer<Empty>): void {
    answer(null, new Empty());
  }

  registerResourceHook(request: resourceProtocol.RegisterResourceHookRequest, answer: Answer<Empty>): void {
    if (request.getOnDryRun()) {
      const message = `The resource hook ${request.getName()} wants to run in previews; a plan does not run it.`;
      this.diagnostics.push({ severity: "warning", message });
    }
    answer(null, new Empty());
  }

  registerErrorHook(_request: resourceProtocol.RegisterErrorHookRequest, answer: Answer<Empty>): void {
    answer(null, new Empty());
  }

  registerPackage(
    request: resourceProtocol.RegisterPackageRequest,
    answer: Answer<resourceProtocol.RegisterPackageResponse>,
  ): void {
    const response = new resourceProtocol.RegisterPackageResponse();
    response.setRef(`${request.getName()}@${request.getVersion()}`);
    answer(null, response);
  }

  signalAndWaitForShutdown(_request: Empty, answer: Answer<Empty>): void {
    answer(null, new Empty());
  }

  /** The SDK closes its client at the end. */
  close(): void {
    this.transformRunner.close();
  }

  private async register(
    request: resourceProtocol.RegisterResourceRequest,
  ): Promise<resourceProtocol.RegisterResourceResponse> {
    const urn = this.urnOf(request);
    if (this.transforms.has(urn)) {
      throw new PlanError(`Two resources have the URN ${urn}: give one of them another name.`);
    }
    this.transforms.set(urn, request.getTransformsList());
    await this.transformRunner.apply(this.transformsFor(urn, request.getParent()), request);

    const resource = plannedResource(urn, request, this.readRecord(request.getObject()));
    this.resources.set(urn, resource);
    this.settings.secrets.allow(resource.name);
    const id = this.complete(resource);
    for (const value of [...Object.values(resource.inputs), ...Object.values(resource.outputs)]) {
      this.settings.secrets.add(value);
    }

    const response = new resourceProtocol.RegisterResourceResponse();
    response.setUrn(urn);
    response.setId(id ?? "");
    response.setObject(Struct.fromJavaScript(recordToWire(resource.outputs) as JavaScriptRecord));
    return response;
  }

  private urnOf(request: Pick<resourceProtocol.RegisterResourceRequest, "getType" | "getParent" | "getName">): string {
    const type = qualifiedTypeOf(request.getType(), request.getParent());
    return `urn:pulumi:${this.settings.stack}::${this.settings.project}::${type}::${request.getName()}`;
  }

  /** A resource's own transforms, then its ancestors', then the stack's: the engine's order. */
  private transformsFor(urn: string, parent: string): Callback[] {
    const inherited: Callback[] = [];
    for (let at = parent; at !== ""; at = this.resources.get(at)?.parent ?? "") {
      inherited.push(...(this.transforms.get(at) ?? []));
    }
    return [...(this.transforms.get(urn) ?? []), ...inherited, ...this.stackTransforms];
  }

  /** Takes down the objects of a component that runs in a plugin, or of a release, as far as they can be told here. */
  private seeInto(component: PlannedResource): void {
    for (const object of this.objects.below(component)) {
      this.resources.set(object.urn, object);
      this.settings.secrets.allow(object.name);
    }
  }

  /** Gives a resource its outputs and returns its id, where the plan can know it. */
  private complete(resource: PlannedResource): string | undefined {
    if (resource.remote || isRelease(resource.type)) this.seeInto(resource);
    if (!resource.custom) return undefined;
    const made = createLocally(resource, this.settings.made);
    resource.outputs = { ...resource.inputs, ...made?.outputs };
    const complete = made !== undefined || resource.type.startsWith("kubernetes:");
    for (const name of resource.options.additionalSecretOutputs) {
      const output = resource.outputs[name] ?? (complete ? undefined : unknown);
      if (output !== undefined && !(output instanceof Secret)) resource.outputs[name] = new Secret(output);
    }
    return made?.id;
  }

  private readRecord(struct: Struct | undefined): PlannedRecord {
    const record = recordFromWire(struct?.toJavaScript() ?? {});
    return this.settings.withoutLockedValues(record) as PlannedRecord;
  }

  private refuse<Response>(answer: Answer<Response>, message: string): void {
    const error = new PlanError(message);
    this.refusal ??= error;
    answer(Object.assign(error, { code: invalidArgument, details: message }));
  }
}

/** Makes the SDK talk to the monitor instead of to an engine's address. */
export function connect(monitor: PlanningMonitor, project: string, stack: string, organization: string): void {
  runtime.setMockOptions(monitor, project, stack, true, organization);
}
