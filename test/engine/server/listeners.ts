import * as fs from "node:fs";
import * as net from "node:net";
import { StartRefused } from "./configuration/optionFiles";
import { ClientSession } from "./execute/clientSession";
import { Server } from "./execute/server";
import { serverVersion } from "./execute/variables";
import { ClientConnection } from "./protocol/connection";

/** Where clients find the server. */
export interface Listening {
  /** Undefined without networking. */
  port: number | undefined;
  close(): void;
}

/** Listens on the local socket and on the port; port 0 is any that is free. @throws StartRefused */
export async function listen(server: Server): Promise<Listening> {
  const { variables } = server;
  const socketFile = variables.get("socket");
  fs.rmSync(socketFile, { force: true });
  const listeners = [await open(server, true, { path: socketFile })];
  let port: number | undefined;
  fs.chmodSync(socketFile, 0o777);
  if (!server.configuration.options.has("skip_networking")) {
    const address = variables.get("bind_address");
    const listener = await open(server, false, {
      port: variables.number("port"),
      ...(address !== "" && address !== "*" && { host: address }),
    });
    listeners.push(listener);
    port = (listener.address() as net.AddressInfo).port;
  }
  return {
    port,
    close() {
      for (const listener of listeners) listener.close();
      fs.rmSync(socketFile, { force: true });
    },
  };
}

function open(server: Server, local: boolean, options: net.ListenOptions): Promise<net.Server> {
  const listener = net.createServer(socket => accept(server, socket, local));
  return new Promise((resolve, reject) => {
    listener.once("error", error => reject(new StartRefused(`Can't start server: ${error.message}`)));
    listener.listen(options, () => resolve(listener));
  });
}

function accept(server: Server, socket: net.Socket, local: boolean): void {
  const session = new ClientSession(server);
  const address = local ? "localhost" : (socket.remoteAddress ?? "").replace(/^::ffff:/, "");
  const identity = { version: serverVersion, secureContext: () => server.secureContext };
  session.connection = new ClientConnection(socket, session, identity, session.id, { local, address, tls: false });
}
