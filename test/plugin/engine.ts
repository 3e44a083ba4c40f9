import * as grpc from "@grpc/grpc-js";
import { EngineService } from "@pulumi/pulumi/proto/engine_grpc_pb";
import {
  GetRootResourceResponse,
  LogRequest,
  LogSeverity,
  SetRootResourceResponse,
} from "@pulumi/pulumi/proto/engine_pb";
import { ResourceMonitorService } from "@pulumi/pulumi/proto/resource_grpc_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { PlanningMonitor } from "../../cli/planner/monitor";
import { KnownSecrets } from "../../cli/planner/redaction";

type Unary = (call: { request: never }, answer: (error: Error | null, response?: unknown) => void) => void;

/** An engine that a plugin can talk to over the wire: the planner's monitor behind gRPC, and a sink for log lines. */
export class Engine {
  readonly monitor: PlanningMonitor;
  /** What Pulumi would show of what was logged, errors by that name: `error: the stack has no ...`. */
  readonly logged: string[] = [];

  private constructor(
    private readonly server: grpc.Server,
    /** Host and port of both services. */
    readonly address: string,
    project: string,
    stack: string,
  ) {
    this.monitor = new PlanningMonitor({
      project,
      stack,
      secrets: new KnownSecrets(),
      made: {},
      withoutLockedValues: value => value,
    });
  }

  static async start(project = "shop", stack = "dev"): Promise<Engine> {
    const server = new grpc.Server();
    const port = await new Promise<number>((resolve, reject) => {
      const bound = (error: Error | null, free: number) => (error ? reject(error) : resolve(free));
      server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), bound);
    });
    const engine = new Engine(server, `127.0.0.1:${port}`, project, stack);
    server.addService(
      ResourceMonitorService,
      methods(ResourceMonitorService, name => {
        const method = (engine.monitor as unknown as Record<string, unknown>)[name];
        return typeof method === "function"
          ? (request, answer) => void method.call(engine.monitor, request, answer)
          : undefined;
      }),
    );
    server.addService(
      EngineService,
      methods(EngineService, name => engine.service(name)),
    );
    return engine;
  }

  /** What the engine does beside the monitor: it shows what is logged, and knows the stack's resource. */
  private service(name: string): ReturnType<Handler> {
    switch (name) {
      case "log":
        return (request: LogRequest, answer) => {
          const severity = request.getSeverity();
          const isError = severity === LogSeverity.ERROR;
          if (severity !== LogSeverity.DEBUG) this.logged.push(`${isError ? "error: " : ""}${request.getMessage()}`);
          answer(null, new Empty());
        };
      case "getRootResource":
        return (_request, answer) => answer(null, new GetRootResourceResponse());
      case "setRootResource":
        return (_request, answer) => answer(null, new SetRootResourceResponse());
      default:
        return undefined;
    }
  }

  stop(): void {
    this.server.forceShutdown();
  }
}

/** What answers a method, by its name. */
type Handler = (name: string) => ((request: never, answer: Parameters<Unary>[1]) => void) | undefined;

/** What answers each method of a service; others answer that they are unknown. */
function methods(service: object, handler: Handler): grpc.UntypedServiceImplementation {
  const entries = Object.keys(service).map(name => {
    const handle = handler(name);
    const answering: Unary = ({ request }, answer) => {
      if (handle) handle(request, answer);
      else answer(Object.assign(new Error(`${name} is unknown`), { code: grpc.status.UNIMPLEMENTED }));
    };
    return [name, answering] as const;
  });
  return Object.fromEntries(entries) as unknown as grpc.UntypedServiceImplementation;
}
