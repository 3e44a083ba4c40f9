import {
  type sendUnaryData,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  status,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import * as protocol from "@pulumi/pulumi/proto/analyzer_pb";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { type JavaScriptValue, Struct, Value } from "google-protobuf/google/protobuf/struct_pb";
import { Level } from "./check";
import { type PackConfiguration } from "./configuration";
import { type RawResource } from "./model/resource";
import { type Announced, type Answer, type NotApplicable, type Pack, type Remediation } from "./pack";
import { analyzerService } from "./wire";

/** Bytes of one message. Pulumi sends a program as a whole; gRPC's own limit of 4 MiB is less than a bundle of charts. */
const largestMessage = 400 * 2 ** 20;

/** What a pack is called in Pulumi's output. */
export interface PackIdentity {
  name: string;
  version: string;
  description: string;
}

const levels: readonly [Level, 0 | 1 | 2 | 3][] = [
  [Level.advisory, protocol.EnforcementLevel.ADVISORY],
  [Level.mandatory, protocol.EnforcementLevel.MANDATORY],
  [Level.disabled, protocol.EnforcementLevel.DISABLED],
  [Level.remediate, protocol.EnforcementLevel.REMEDIATE],
];

/**
 * Answers the questions that Pulumi's engine asks of a policy pack, each for all policies at once. The SDK's own server reads a resource again for each policy, and
 * the whole program for each that judges it.
 */
function analyzerServer(pack: Pack, identity: PackIdentity): UntypedServiceImplementation {
  return {
    getAnalyzerInfo: unary<Empty, protocol.AnalyzerInfo>(() => analyzerInfo(pack.policies, identity)),
    getPluginInfo: unary<Empty, PluginInfo>(() => new PluginInfo().setVersion(identity.version)),
    handshake: unary<protocol.AnalyzerHandshakeRequest, protocol.AnalyzerHandshakeResponse>(
      () => new protocol.AnalyzerHandshakeResponse(),
    ),
    configureStack: unary<protocol.AnalyzerStackConfigureRequest, protocol.AnalyzerStackConfigureResponse>(
      () => new protocol.AnalyzerStackConfigureResponse(),
    ),
    cancel: unary<Empty, Empty>(() => new Empty()),
    configure: unary<protocol.ConfigureAnalyzerRequest, Empty>(request => {
      pack.configure(configurationIn(request));
      return new Empty();
    }),
    analyze: unary<RawResource, protocol.AnalyzeResponse>(resource => response(pack.analyze(resource), identity)),
    analyzeStack: unary<RawResource[], protocol.AnalyzeResponse>(resources =>
      response(pack.analyzeStack(resources), identity),
    ),
    remediate: unary<RawResource, protocol.RemediateResponse>(resource => {
      const made = pack.remediate(resource);
      return new protocol.RemediateResponse().setRemediationsList(made.map(one => remediation(one, identity)));
    }),
  };
}

/**
 * Serves a pack to Pulumi's engine on a free port of this machine.
 * @returns the port
 */
export async function serve(pack: Pack, identity: PackIdentity): Promise<number> {
  const server = new Server({ "grpc.max_receive_message_length": largestMessage, "grpc.enable_channelz": 0 });
  server.addService(analyzerService, analyzerServer(pack, identity));
  return new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    );
  });
}

/** A call that is answered at once. What goes wrong is told to Pulumi as the pack's fault. */
function unary<Question, Reply>(reply: (question: Question) => Reply) {
  return ({ request }: ServerUnaryCall<Question, Reply>, done: sendUnaryData<Reply>): void => {
    let answer: Reply;
    try {
      answer = reply(request);
    } catch (error) {
      done({
        code: status.INTERNAL,
        details: `The policy pack failed: ${error instanceof Error ? error.message : String(error)}`,
      });
      return;
    }
    done(null, answer);
  };
}

function configurationIn(request: protocol.ConfigureAnalyzerRequest): PackConfiguration {
  const configuration: PackConfiguration = {};
  request.getPolicyconfigMap().forEach((setting: protocol.PolicyConfig, policy: string) => {
    const level: number = setting.getEnforcementlevel();
    const enforcementLevel = levels.find(([, number]) => number === level)?.[0];
    configuration[policy] = { ...setting.getProperties()?.toJavaScript(), enforcementLevel };
  });
  return configuration;
}

function analyzerInfo(policies: readonly Announced[], { name, version, description }: PackIdentity) {
  return new protocol.AnalyzerInfo()
    .setName(name)
    .setDisplayname("TideSQL")
    .setVersion(version)
    .setDescription(description)
    .setSupportsconfig(true)
    .setPoliciesList(policies.map(policyInfo));
}

function policyInfo({ name, description, level, about, fix = "", tags, configuration }: Announced) {
  const types = { resource: protocol.PolicyType.POLICY_TYPE_RESOURCE, stack: protocol.PolicyType.POLICY_TYPE_STACK };
  const properties = new Struct();
  for (const [property, schema] of Object.entries(configuration)) {
    properties.getFieldsMap().set(property, schemaMessage(schema as object));
  }
  return new protocol.PolicyInfo()
    .setName(name)
    .setDisplayname(name)
    .setDescription(description)
    .setEnforcementlevel(levelNumber(level))
    .setPolicyType(types[about])
    .setRemediationSteps(fix)
    .setTagsList(tags)
    .setConfigschema(new protocol.PolicyConfigSchema().setProperties(properties));
}

/** Messages of schemas. All policies share that of exemptions, and making it for each would take as long as the whole rest of the answer. */
const schemaMessages = new WeakMap<object, Value>();

function schemaMessage(schema: object): Value {
  const message = schemaMessages.get(schema) ?? Value.fromJavaScript(schema as JavaScriptValue);
  schemaMessages.set(schema, message);
  return message;
}

/** Messages of policies that do not apply. The pack gives the same objects for every resource of a type. */
const notApplicableMessages = new WeakMap<NotApplicable, protocol.PolicyNotApplicable>();

function notApplicableMessage(one: NotApplicable): protocol.PolicyNotApplicable {
  const message =
    notApplicableMessages.get(one) ??
    new protocol.PolicyNotApplicable().setPolicyName(one.policy).setReason(one.reason);
  notApplicableMessages.set(one, message);
  return message;
}

function response({ diagnostics, notApplicable }: Answer, { name, version }: PackIdentity): protocol.AnalyzeResponse {
  return new protocol.AnalyzeResponse()
    .setDiagnosticsList(
      diagnostics.map(({ policy, description, level, message, urn = "" }) =>
        new protocol.AnalyzeDiagnostic()
          .setPolicyname(policy)
          .setPolicypackname(name)
          .setPolicypackversion(version)
          .setDescription(description)
          .setMessage(`${description}\n${message}`)
          .setEnforcementlevel(levelNumber(level))
          .setUrn(urn),
      ),
    )
    .setNotApplicableList(notApplicable.map(notApplicableMessage));
}

function remediation({ policy, description, inputs }: Remediation, { name, version }: PackIdentity) {
  return new protocol.Remediation()
    .setPolicyname(policy)
    .setPolicypackname(name)
    .setPolicypackversion(version)
    .setDescription(description)
    .setProperties(Struct.fromJavaScript(inputs as Record<string, JavaScriptValue>));
}

function levelNumber(level: Level): 0 | 1 | 2 | 3 {
  return levels.find(([name]) => name === level)![1];
}
