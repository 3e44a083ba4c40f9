import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import path from "node:path";
import { createInterface } from "node:readline";
import { credentials, type ServiceError } from "@grpc/grpc-js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import {
  ConstructRequest,
  ConstructResponse,
  GetSchemaRequest,
  GetSchemaResponse,
} from "@pulumi/pulumi/proto/provider_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { Engine } from "./engine";

/** This package's plugin in a process of its own, started as Pulumi starts it for programs in other languages. */
export class PluginProcess {
  private constructor(
    /** The engine that the plugin registers its resources with: the planner's. */
    readonly engine: Engine,
    private readonly process: ChildProcess,
    private readonly client: ResourceProviderClient,
  ) {}

  /** @param folder the package's folder, in a checkout or installed; its own Pulumi SDK starts it */
  static async start(folder: string): Promise<PluginProcess> {
    const engine = await Engine.start();
    const runPlugin = createRequire(path.join(folder, "package.json")).resolve("@pulumi/pulumi/cmd/run-plugin");
    const child = spawn(process.execPath, [runPlugin, folder, engine.address], {
      cwd: path.dirname(folder),
      stdio: ["ignore", "pipe", "inherit"],
    });
    // A plugin says its port first; one that ends says nothing.
    const lines = createInterface(child.stdout);
    const [port] = (await Promise.race([once(lines, "line"), once(lines, "close")])) as [string?];
    assert.match(port ?? "the plugin ended", /^[0-9]+$/);
    const client = new ResourceProviderClient(`127.0.0.1:${port}`, credentials.createInsecure());
    return new PluginProcess(engine, child, client);
  }

  stop(): void {
    this.client.close();
    this.process.kill();
    this.engine.stop();
  }

  /** The schema that `pulumi package add` makes a language's classes of. JSON. */
  async schema(): Promise<string> {
    const response = await answer<GetSchemaResponse>(done => this.client.getSchema(new GetSchemaRequest(), done));
    return response.getSchema();
  }

  /**
   * Makes a component named `orders` in a preview of the project shop, as a program in another language asks for it.
   * @returns the component's outputs
   * @throws ServiceError when the arguments are refused
   */
  async construct(type: string, inputs: Record<string, unknown>): Promise<Record<string, unknown>> {
    const request = new ConstructRequest();
    request.setProject("shop");
    request.setStack("dev");
    request.setOrganization("organization");
    request.setDryrun(true);
    request.setParallel(4);
    request.setMonitorendpoint(this.engine.address);
    request.setType(type);
    request.setName("orders");
    request.setInputs(Struct.fromJavaScript(inputs as Parameters<typeof Struct.fromJavaScript>[0]));
    const response = await answer<ConstructResponse>(done => this.client.construct(request, done));
    return response.getState()?.toJavaScript() ?? {};
  }
}

function answer<Response>(call: (done: (error: ServiceError | null, response?: Response) => void) => unknown) {
  return new Promise<Response>((resolve, reject) => {
    call((error, response) =>
      error || response === undefined ? reject(error ?? new Error("no answer")) : resolve(response),
    );
  });
}
