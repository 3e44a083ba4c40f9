import { ConnectionMemory, EngineRequest } from "../../../components/manager/store/gateway/request";

/** A request of an engine's thread, on its connection, as the port on loopback reads it. */
export function engineRequest(
  connection: ConnectionMemory,
  method: string,
  key: string,
  body: Buffer = Buffer.alloc(0),
): EngineRequest {
  return {
    method,
    key,
    query: new URLSearchParams(),
    connection,
    length: body.length,
    ifNoneMatch: false,
    epoch: 0,
    body: () => Promise.resolve(body),
    drain: () => Promise.resolve(),
  };
}
