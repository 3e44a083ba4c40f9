import { ChildProcess, spawn } from "node:child_process";
import { connect as connectSocket, Socket } from "node:net";
import { Connection, createConnection } from "mysql2/promise";

/** How long one attempt to connect may take before it counts as failed. Milliseconds. */
const connectTimeoutMilliseconds = 10_000;

export interface Target {
  /** The name that the server's certificate must carry. */
  host: string;
  /** Opens the TCP connection: the name need not be resolvable here. */
  open: () => Promise<Socket>;
}

export interface Credentials {
  user: string;
  password: string;
  /** PEM. The server's certificate must be signed by it and name the target. Undefined: a connection without TLS. */
  authority: string | undefined;
}

/** Opens a MySQL connection, with TLS and a verified server wherever an authority is given. */
export async function connectMysql(target: Target, credentials: Credentials): Promise<Connection> {
  const { user, password, authority } = credentials;
  const socket = await target.open();
  try {
    return await createConnection({
      host: target.host,
      user,
      password,
      stream: socket,
      connectTimeout: connectTimeoutMilliseconds,
      ...(authority !== undefined && { ssl: { ca: authority, rejectUnauthorized: true, verifyIdentity: true } }),
    });
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** A TCP connection to an address that is reachable from here. */
export function direct(address: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket({ host: address, port, noDelay: true, timeout: connectTimeoutMilliseconds });
    socket.once("connect", () => {
      socket.setTimeout(0);
      resolve(socket);
    });
    socket.once("timeout", () => socket.destroy(new Error(`no connection within ${connectTimeoutMilliseconds} ms`)));
    socket.once("error", reject);
  });
}

/**
 * A TCP connection through a `kubectl port-forward` of its own, which ends with it: a port-forward to a service stays with the pod that it found first, so it
 * cannot be shared over a failover.
 * @param resource such as `service/orders-primary`
 */
export async function forwarded(
  kubeconfig: string,
  namespace: string,
  resource: string,
  port: number,
): Promise<Socket> {
  const args = ["--kubeconfig", kubeconfig, "port-forward", "-n", namespace, resource, `:${port}`];
  const child = spawn("kubectl", args, { stdio: ["ignore", "pipe", "pipe"] });
  try {
    const socket = await direct("127.0.0.1", await forwardedPort(child));
    socket.once("close", () => child.kill());
    return socket;
  } catch (error) {
    child.kill();
    throw error;
  }
}

function forwardedPort(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let said = "";
    const timer = setTimeout(() => reject(new Error("kubectl port-forward gave no port")), connectTimeoutMilliseconds);
    child.stderr?.on("data", (chunk: Buffer) => (said += chunk.toString()));
    child.stdout?.on("data", (chunk: Buffer) => {
      const port = /127\.0\.0\.1:(\d+)/.exec(chunk.toString())?.[1];
      if (port === undefined) return;
      clearTimeout(timer);
      resolve(Number(port));
    });
    child.once("error", reject);
    child.once("exit", () => reject(new Error(`kubectl port-forward ended: ${said.trim()}`)));
  });
}
