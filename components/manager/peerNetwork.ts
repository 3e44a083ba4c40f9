import { readFileSync } from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import { TLSSocket } from "node:tls";
import { ManagerConfiguration } from "../core/managerConfiguration";
import { podLayout } from "../core/podLayout";
import { httpRequest } from "./httpRequest";
import { Log, Peers, PeerStatus } from "./ports";

/** What a manager answers to its peers. */
export interface PeerHandler {
  peerStatus(): PeerStatus;
  joinReplica(marker: string, pod: string): Promise<void>;
  /** Whether this node confirms another as the primary of an epoch, and so promises not to take over for a while. */
  confirmPrimary(identity: string, epoch: number): boolean;
  leaseChanged(): void;
}

const longestMarker = 64;
const directory = podLayout.tlsSecretDirectory;

function identity() {
  return {
    cert: readFileSync(`${directory}/tls.crt`),
    key: readFileSync(`${directory}/tls.key`),
    ca: readFileSync(`${directory}/ca.crt`),
  };
}

/** Manager to manager: both sides show a certificate of the database's own authority, for the headless service's name. */
export function peerNetwork(configuration: ManagerConfiguration, pod: string, log: Log): Peers {
  const { name, nodes, namespace, headlessService } = configuration;
  const agent = new https.Agent({ keepAlive: true, keepAliveMsecs: 5000, maxSockets: 2, ...identity() });
  const others = Array.from({ length: nodes }, (_, i) => `${name}-${i}`).filter(other => other !== pod);

  async function call(other: string, method: string, path: string, timeoutMilliseconds: number): Promise<string> {
    const url = new URL(`https://${other}.${headlessService}.${namespace}.svc:${podLayout.peerPort}${path}`);
    const response = await httpRequest({ method, url, timeoutMilliseconds, agent });
    if (response.status !== 200) throw new Error(`${other} answered ${response.status} ${response.body}`);
    return response.body;
  }

  return {
    async askAll(timeout) {
      const answers = await Promise.allSettled(others.map(other => call(other, "GET", "/status", timeout)));
      return answers
        .filter(answer => answer.status === "fulfilled")
        .map(answer => JSON.parse(answer.value) as PeerStatus);
    },
    async join(primary, marker, timeout) {
      await call(primary, "POST", `/join?${new URLSearchParams({ marker, pod }).toString()}`, timeout);
    },
    async confirm(pods, identity, epoch, timeout) {
      const query = new URLSearchParams({ identity, epoch: String(epoch) }).toString();
      const answers = await Promise.allSettled(pods.map(other => call(other, "POST", `/confirm?${query}`, timeout)));
      return answers.every(answer => answer.status === "fulfilled" && answer.value === "yes");
    },
    leaseChanged() {
      for (const other of others) {
        call(other, "POST", "/lease-changed", 1000).catch((error: unknown) => {
          log("info", "a peer did not hear of the lease", { other, error: String(error) });
        });
      }
    },
  };
}

/** Serves the peers' port. Clients without a certificate of this database are turned away before a request is read. */
export function servePeers(configuration: ManagerConfiguration, handler: PeerHandler, log: Log): https.Server {
  const expected = `${configuration.headlessService}.${configuration.namespace}.svc`;
  const server = https.createServer(
    { ...identity(), requestCert: true, rejectUnauthorized: true },
    (request, response) => {
      const socket = request.socket as TLSSocket;
      if (!(socket.getPeerCertificate().subjectaltname ?? "").includes(expected)) {
        response.writeHead(403).end("the certificate is not of this database");
        return;
      }
      answer(request, handler)
        .then(body => response.writeHead(body === undefined ? 404 : 200).end(body))
        .catch((error: unknown) => {
          log("info", "a peer's request failed", { path: request.url, error: String(error) });
          response.writeHead(503).end(error instanceof Error ? error.message : String(error));
        });
    },
  );
  server.on("tlsClientError", error => log("info", "a peer was turned away", { error: error.message }));
  return server.listen(podLayout.peerPort);
}

async function answer(request: http.IncomingMessage, handler: PeerHandler): Promise<string | undefined> {
  const url = new URL(request.url ?? "/", "https://peer");
  switch (`${request.method} ${url.pathname}`) {
    case "GET /status":
      return JSON.stringify(handler.peerStatus());
    case "POST /join": {
      const marker = url.searchParams.get("marker") ?? "";
      if (marker === "" || marker.length > longestMarker) throw new Error("a marker has 1 to 64 characters");
      await handler.joinReplica(marker, url.searchParams.get("pod") ?? "");
      return "";
    }
    case "POST /confirm": {
      const { searchParams } = url;
      const confirmed = handler.confirmPrimary(searchParams.get("identity") ?? "", Number(searchParams.get("epoch")));
      return confirmed ? "yes" : "no";
    }
    case "POST /lease-changed":
      handler.leaseChanged();
      return "";
    default:
      return undefined;
  }
}
