import * as grpc from "@grpc/grpc-js";
import { EngineService } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { ResourceMonitorService } from "@pulumi/pulumi/proto/resource_grpc_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { PlanningMonitor } from "../../cli/planner/monitor";
import { KnownSecrets } from "../../cli/planner/redaction";

type Unary = (call: { request: never }, answer: (error: Error | null, response?: unknown) => void) => void;

/** An engine that a plugin can talk to over the wire: the planner's monitor behind gRPC, and a sink for log lines. */
export class Engine {
  readonly monitor = new PlanningMonitor({
    project: "shop",
    stack: "dev",
    secrets: new KnownSecrets(),
    made: {},
    withoutLockedValues: value => value,
  });

  private constructor(
    private readonly server: grpc.Server,
    /** Host and port of both services. */
    readonly address: string,
  ) {}

  static async start(): Promise<Engine> {
    const server = new grpc.Server();
    const port = await new Promise<number>((resolve, reject) => {
      const bound = (error: Error | null, free: number) => (error ? reject(error) : resolve(free));
      server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), bound);
    });
    const engine = new Engine(server, `127.0.0.1:${port}`);
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
      methods(EngineService, name => (name === "log" ? (_request, answer) => answer(null, new Empty()) : undefined)),
    );
    return engine;
  }

  stop(): void {
    this.server.forceShutdown();
  }
}

/** What answers each method of a service; others answer that they are unknown. */
function methods(
  service: object,
  handler: (name: string) => ((request: never, answer: Parameters<Unary>[1]) => void) | undefined,
): grpc.UntypedServiceImplementation {
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
