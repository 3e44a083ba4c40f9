import * as http from "node:http";
import * as https from "node:https";

/** One HTTP request. `fetch` would do, were it not for the 10 MB it costs and for authorities that differ by server. */
export interface HttpRequest {
  method: string;
  url: URL;
  headers?: Record<string, string>;
  body?: string | Buffer;
  timeoutMilliseconds: number;
  agent: http.Agent | https.Agent;
}

export interface HttpResponse {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: string;
}

/** Whose request it is, in the logs of the bucket and of the API server. */
const userAgent = `tidesql-manager ${process.env.POD_NAME ?? ""}`.trim();

/** Answers with any status. @throws when no whole answer came in time: the request may have taken effect. */
export function httpRequest(request: HttpRequest): Promise<HttpResponse> {
  const { url, method, headers, body, agent, timeoutMilliseconds } = request;
  return new Promise((resolve, reject) => {
    const send = url.protocol === "https:" ? https.request : http.request;
    const what = `${method} ${url.host}${url.pathname}`;
    const timer = setTimeout(
      () => outgoing.destroy(new Error(`${what}: no answer in ${timeoutMilliseconds} ms`)),
      timeoutMilliseconds,
    );
    const outgoing = send(
      url,
      {
        method,
        headers: { "user-agent": userAgent, ...headers, ...(body && { "content-length": Buffer.byteLength(body) }) },
        agent,
      },
      incoming => {
        const chunks: Buffer[] = [];
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
        incoming.on("end", () => {
          clearTimeout(timer);
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            body: Buffer.concat(chunks).toString(),
          });
        });
        incoming.on("error", fail);
      },
    );
    outgoing.on("error", fail);
    outgoing.end(body);
    function fail(error: Error) {
      clearTimeout(timer);
      reject(error.message.startsWith(method) ? error : new Error(`${what}: ${error.message}`));
    }
  });
}
