import { credentials } from "@grpc/grpc-js";
import * as analyzer from "@pulumi/pulumi/proto/analyzer_pb";
import { AnalyzerClient } from "@pulumi/pulumi/proto/analyzer_grpc_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { type JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb";
import { Level } from "../../policy/check";
import { type PackConfiguration } from "../../policy/configuration";
import { notYetKnown, type RawResource } from "../../policy/model/resource";

/** What a policy pack answered about one resource, or about the stack. */
export interface Diagnostic {
  policy: string;
  urn: string;
  level: string;
  message: string;
}

/** What one deployment brought to light. */
export interface Deployment {
  diagnostics: Diagnostic[];
  /** Policies that did not apply, with the reason, by the URN of the question; `stack` for the last one. */
  notApplicable: Map<string, Map<string, string>>;
  /** The inputs as remediations changed them, by resource name, on the wire. */
  remediated: Map<string, Record<string, JavaScriptValue>>;
}

const levels = ["advisory", "mandatory", "disabled", "remediate"];

/** What a Pulumi engine does with a policy pack, over the protocol that it uses. */
export class Analyzer {
  private readonly client: AnalyzerClient;

  /** @param port the number that the pack prints when it has started */
  constructor(port: number) {
    this.client = new AnalyzerClient(`127.0.0.1:${port}`, credentials.createInsecure());
  }

  async info(): Promise<analyzer.AnalyzerInfo.AsObject> {
    const info = await call<analyzer.AnalyzerInfo>(done => this.client.getAnalyzerInfo(new Empty(), done));
    return info.toObject();
  }

  async configure(configuration: PackConfiguration): Promise<void> {
    const request = new analyzer.ConfigureAnalyzerRequest();
    const declared = new Map(
      (await this.info()).policiesList.map(({ name, enforcementlevel }) => [name, enforcementlevel]),
    );
    for (const [policy, setting] of Object.entries(configuration)) {
      const { enforcementLevel, ...properties } = typeof setting === "string" ? { enforcementLevel: setting } : setting;
      const config = new analyzer.PolicyConfig();
      config.setEnforcementlevel(
        (enforcementLevel ? levels.indexOf(enforcementLevel) : declared.get(policy)) as 0 | 1 | 2 | 3,
      );
      config.setProperties(Struct.fromJavaScript(properties as Record<string, JavaScriptValue>));
      request.getPolicyconfigMap().set(policy, config);
    }
    await call<Empty>(done => this.client.configure(request, done));
  }

  /**
   * Remediates and analyses each resource, then the stack.
   * @param hasOutputs whether the provider was asked about a resource. Pulumi does not ask one whose own arguments are not yet known, and shows no outputs then. Default: it was
   */
  async deploy(
    program: readonly RawResource[],
    hasOutputs: (resource: RawResource) => boolean = () => true,
  ): Promise<Deployment> {
    const deployment: Deployment = { diagnostics: [], notApplicable: new Map(), remediated: new Map() };
    const resources: analyzer.AnalyzerResource[] = [];
    for (const resource of program) {
      const inputs = await this.remediate(resource);
      if (inputs) deployment.remediated.set(resource.name, inputs.toJavaScript());
      const final = inputs ?? wire(resource);
      record(await this.analyze(resource, final), resource.urn, deployment);
      resources.push(outputsOf(resource, hasOutputs(resource) ? final : new Struct()));
    }
    const request = new analyzer.AnalyzeStackRequest();
    request.setResourcesList(resources);
    record(await call<analyzer.AnalyzeResponse>(done => this.client.analyzeStack(request, done)), "stack", deployment);
    return deployment;
  }

  async analyze(resource: RawResource, inputs = wire(resource)): Promise<analyzer.AnalyzeResponse> {
    return call<analyzer.AnalyzeResponse>(done => this.client.analyze(request(resource, inputs), done));
  }

  close(): void {
    this.client.close();
  }

  private async remediate(resource: RawResource): Promise<Struct | undefined> {
    const answer = await call<analyzer.RemediateResponse>(done =>
      this.client.remediate(request(resource, wire(resource)), done),
    );
    return answer.getRemediationsList().at(-1)?.getProperties();
  }
}

function request(resource: RawResource, inputs: Struct): analyzer.AnalyzeRequest {
  const question = new analyzer.AnalyzeRequest();
  question.setType(resource.type);
  question.setName(resource.name);
  question.setUrn(resource.urn);
  question.setProperties(inputs);
  question.setOptions(new analyzer.AnalyzerResourceOptions());
  return question;
}

function outputsOf(resource: RawResource, properties: Struct): analyzer.AnalyzerResource {
  const outputs = new analyzer.AnalyzerResource();
  outputs.setType(resource.type);
  outputs.setName(resource.name);
  outputs.setUrn(resource.urn);
  outputs.setProperties(properties);
  outputs.setOptions(new analyzer.AnalyzerResourceOptions());
  outputs.setDependenciesList([...(resource.dependencies ?? [])]);
  return outputs;
}

function record(answer: analyzer.AnalyzeResponse, question: string, deployment: Deployment): void {
  for (const diagnostic of answer.getDiagnosticsList()) {
    deployment.diagnostics.push({
      policy: diagnostic.getPolicyname(),
      urn: diagnostic.getUrn() || question,
      level: levels[diagnostic.getEnforcementlevel()] ?? Level.disabled,
      message: diagnostic.getMessage(),
    });
  }
  const reasons = answer.getNotApplicableList().map(policy => [policy.getPolicyName(), policy.getReason()] as const);
  deployment.notApplicable.set(question, new Map(reasons));
}

/** The inputs as an engine sends them: unknowns as sentinels, secrets in wrappers. */
function wire({ inputs, secretPaths = [] }: RawResource): Struct {
  return Struct.fromJavaScript(onWire(inputs, "", secretPaths) as Record<string, JavaScriptValue>);
}

const unknownText = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const signatureKey = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";

function onWire(value: unknown, path: string, secretPaths: readonly string[]): unknown {
  const plain = Array.isArray(value)
    ? value.map((item, index) => onWire(item, `${path}[${index}]`, secretPaths))
    : typeof value === "object" && value !== null
      ? Object.fromEntries(
          Object.entries(value).map(([key, child]) => [
            key,
            onWire(child, path === "" ? key : `${path}.${key}`, secretPaths),
          ]),
        )
      : value === notYetKnown
        ? unknownText
        : value;
  return secretPaths.includes(path) ? { [signatureKey]: secretSignature, value: plain } : plain;
}

function call<Answer>(start: (done: (error: Error | null, answer: Answer) => void) => unknown): Promise<Answer> {
  return new Promise((resolve, reject) => start((error, answer) => (error ? reject(error) : resolve(answer))));
}
