import { connect as openSocket, type Socket } from "node:net";
import { podLayout } from "../../components/core/podLayout";
import type { Kubectl } from "./kubectl";

/** Who logs in, and how. */
export interface SqlLogin {
  user: string;
  password: string;
  /** PEM. The server's certificate has to be signed by it and hold for the pod. Absent: a connection without TLS. */
  authority?: string;
}

/** One connection to one pod. */
export interface SqlSession {
  /** @throws SqlFailure */
  query(sql: string): Promise<Record<string, unknown>[]>;
  close(): void;
}

/** A pod by its stable name, which its certificate holds for. */
export interface SqlTarget {
  namespace: string;
  pod: string;
  headlessService: string;
}

/** Connects to one pod. Tests put a script in its place. @throws SqlFailure, KubectlError */
export type OpenSql = (kubectl: Kubectl, target: SqlTarget, login: SqlLogin) => Promise<SqlSession>;

/** The server, or the way to it, said no. */
export class SqlFailure extends Error {
  constructor(
    message: string,
    /** MariaDB's number of the error; absent when there was no answer. */
    readonly errno?: number,
  ) {
    super(message);
    this.name = "SqlFailure";
  }
}

/** Milliseconds. */
const connectTimeout = 10_000;
const queryTimeout = 20_000;

/** Through a port-forward of its own, which ends with the session: it works whatever the network policies are. */
export const openSql: OpenSql = async (kubectl, { namespace, pod, headlessService }, login) => {
  // Only the commands that need it pay for the driver.
  const { createConnection } = await import("mysql2/promise");
  const forward = await kubectl.forward(namespace, `pod/${pod}`, podLayout.mysqlPort);
  let socket: Socket | undefined;
  try {
    socket = await reached(forward.localPort);
    const connection = await createConnection({
      host: `${pod}.${headlessService}.${namespace}.svc`,
      stream: socket,
      user: login.user,
      password: login.password,
      connectTimeout,
      // Else a BIGINT beyond 2^53 comes as another number.
      supportBigNumbers: true,
      ...(login.authority !== undefined && {
        ssl: { ca: login.authority, rejectUnauthorized: true, verifyIdentity: true },
      }),
    });
    connection.on("error", () => undefined);
    return {
      async query(sql) {
        try {
          const [rows] = await connection.query({ sql, timeout: queryTimeout });
          return Array.isArray(rows) ? (rows as Record<string, unknown>[]) : [];
        } catch (error) {
          throw failureOf(error);
        }
      },
      close() {
        connection.destroy();
        forward.close();
      },
    };
  } catch (error) {
    socket?.destroy();
    forward.close();
    throw failureOf(error);
  }
};

function reached(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = openSocket({ host: "127.0.0.1", port, noDelay: true });
    socket.once("connect", () => resolve(socket));
    socket.once("error", reject);
  });
}

/** Without the statement: the driver's error carries it. */
function failureOf(error: unknown): SqlFailure {
  const { errno, sqlMessage, message } = error as { errno?: number; sqlMessage?: string; message?: string };
  const isServers = errno !== undefined && errno > 0;
  return new SqlFailure(sqlMessage ?? message ?? String(error), isServers ? errno : undefined);
}
