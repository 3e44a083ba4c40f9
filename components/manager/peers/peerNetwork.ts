import * as http from "node:http";
import * as https from "node:https";
import type { LookupFunction } from "node:net";
import { TLSSocket } from "node:tls";
import { ManagerConfiguration } from "../../core/managerConfiguration";
import { podLayout } from "../../core/podLayout";
import { readIdentity, TlsIdentity } from "./certificates";
import { httpRequest } from "../base/httpRequest";
import { incomplete, PushedEntry } from "./entryInbox";
import type { SendEntry } from "./entryPusher";
import { configuredPeers } from "./knownPeers";
import { isBrief } from "../store/wal/briefEntry";
import { HeldLease, Log, PeerStatus, Peers } from "../base/ports";

/** What a manager answers to its peers. */
export interface PeerHandler {
  peerStatus(): PeerStatus;
  /** Whether this node confirms another as the primary of an epoch, and so promises not to take over for a while. */
  confirmPrimary(identity: string, epoch: number): boolean;
  leaseChanged(): void;
  /** Gives the Lease back for its holder, which the API server does not answer. @throws when it could not */
  releaseFor(held: HeldLease, preferredSuccessor: string): Promise<void>;
  /** An entry of the log, or how far it is durable, from its writer. @returns the epoch that this node has read the log up to, or the next one while it seals that; -1 before it has read it; `incomplete` asks for the whole of a brief entry @throws when it is no such entry */
  takeEntry(entry: PushedEntry): number | typeof incomplete;
}

/** Of what a peer sends in one piece: an entry. Bytes. */
const largestBody = 16 * 1024 * 1024;

/** Where a manager meets its peers. */
export interface PeerPlace {
  /** Folder of its certificate (`tls.crt`), its key (`tls.key`) and the authority's certificate (`ca.crt`), PEM. */
  directory: string;
  /** TCP port of all peers. */
  port: number;
  /** Address to serve on. Default: all of the pod's. */
  host?: string;
  /** Finds the peers' addresses. Default: the cluster's DNS. */
  lookup?: LookupFunction;
}

const inPod: PeerPlace = { directory: podLayout.tlsSecretDirectory, port: podLayout.peerPort };

/** The name by which the peers reach a pod. */
function dnsName({ headlessService, namespace }: ManagerConfiguration, pod: string): string {
  return `${pod}.${headlessService}.${namespace}.svc`;
}

/** A peer has answered, and not done what it was asked for. */
class Refused extends Error {}

/** Manager to manager: both sides show a certificate that holds for the names of the database's own pods. */
export function peerNetwork(
  configuration: ManagerConfiguration,
  pod: string,
  log: Log,
  place: PeerPlace = inPod,
): Peers & { useIdentity(identity: TlsIdentity): void; pushEntry: SendEntry } {
  const { lookup, port } = place;
  const options = { keepAlive: true, keepAliveMsecs: 5000, maxSockets: 2, ...(lookup && { lookup }) };
  const agent = new https.Agent({ ...options, ...readIdentity(place.directory) });
  const others = () => configuredPeers(configuration, pod);

  async function call(
    other: string,
    method: string,
    path: string,
    timeoutMilliseconds: number,
    body?: Buffer,
  ): Promise<string> {
    const url = new URL(`https://${dnsName(configuration, other)}:${port}${path}`);
    const response = await httpRequest({ method, url, timeoutMilliseconds, agent, body });
    if (response.status !== 200) throw new Refused(`${other} answered ${response.status} ${response.body}`);
    return response.body;
  }

  return {
    /** From the next connection on. */
    useIdentity: identity => void Object.assign(agent.options, identity),
    async askAll(timeout) {
      const answers = await Promise.allSettled(others().map(other => call(other, "GET", "/status", timeout)));
      return answers
        .filter(answer => answer.status === "fulfilled")
        .map(answer => JSON.parse(answer.value) as PeerStatus);
    },
    async confirm(pods, identity, epoch, timeout) {
      const query = new URLSearchParams({ identity, epoch: String(epoch) }).toString();
      const answers = await Promise.allSettled(pods.map(other => call(other, "POST", `/confirm?${query}`, timeout)));
      // Nobody's silence is no confirmation: a pod that replaced this one would not know of it.
      return answers.length > 0 && answers.every(answer => answer.status === "fulfilled" && answer.value === "yes");
    },
    async release({ identity, epoch, version }, preferredSuccessor, timeout) {
      const query = new URLSearchParams({ identity, epoch: String(epoch), version, preferredSuccessor }).toString();
      const successorFirst = others().sort(
        (a, b) => Number(b === preferredSuccessor) - Number(a === preferredSuccessor),
      );
      let failure: unknown;
      for (const other of successorFirst) {
        try {
          return void (await call(other, "POST", `/release?${query}`, timeout));
        } catch (error) {
          failure = error;
        }
      }
      throw failure;
    },
    async pushEntry(other, { epoch, position, durable, bytes }, timeout) {
      const numbers = { epoch: String(epoch), position: String(position), durable: String(durable) };
      const query = new URLSearchParams(numbers).toString();
      try {
        const answer = await call(other, "POST", `/log/entry?${query}`, timeout, bytes);
        return answer === incomplete ? incomplete : Number(answer);
      } catch (error) {
        // To a manager of an earlier build it is no entry.
        if (isBrief(bytes) && error instanceof Refused) return incomplete;
        throw error;
      }
    },
    async leaseChanged(timeout) {
      const told = others().map(other =>
        call(other, "POST", "/lease-changed", timeout).catch((error: unknown) => {
          log("info", "a peer could not be told about the lease", { other, error: String(error) });
        }),
      );
      await Promise.all(told);
    },
  };
}

/**
 * Serves the peers' port. Clients without a certificate of this database are turned away before a request is read: it must hold for the name of a pod, as a peer's must that this node calls. One
 * authority may serve many databases.
 */
export function servePeers(
  configuration: ManagerConfiguration,
  handler: PeerHandler,
  log: Log,
  place: PeerPlace = inPod,
): https.Server {
  // All pods show the same certificate.
  const expected = dnsName(configuration, `${configuration.name}-0`);
  const server = https.createServer(
    { ...readIdentity(place.directory), requestCert: true, rejectUnauthorized: true },
    (request, response) => {
      const certificate = (request.socket as TLSSocket).getPeerX509Certificate();
      if (certificate?.checkHost(expected, { subject: "never" }) === undefined) {
        response.writeHead(403).end("the certificate belongs to another database");
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
  server.on("tlsClientError", error => log("info", "a peer's connection was refused", { error: error.message }));
  return server.listen(place.port, place.host);
}

function readBody(request: http.IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    request.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length > largestBody)
        request.destroy(new Error(`an entry of more than ${largestBody} bytes is not accepted`));
      else chunks.push(chunk);
    });
    request.on("end", () => resolve(Buffer.concat(chunks)));
    request.on("error", reject);
  });
}

async function answer(request: http.IncomingMessage, handler: PeerHandler): Promise<string | undefined> {
  const url = new URL(request.url ?? "/", "https://peer");
  switch (`${request.method} ${url.pathname}`) {
    case "GET /status":
      return JSON.stringify(handler.peerStatus());
    case "POST /confirm": {
      const { searchParams } = url;
      const confirmed = handler.confirmPrimary(searchParams.get("identity") ?? "", Number(searchParams.get("epoch")));
      return confirmed ? "yes" : "no";
    }
    case "POST /release": {
      const { searchParams } = url;
      const [identity = "", version = "", successor = ""] = ["identity", "version", "preferredSuccessor"].map(
        name => searchParams.get(name) ?? "",
      );
      await handler.releaseFor({ identity, version, epoch: Number(searchParams.get("epoch")) }, successor);
      return "";
    }
    case "POST /log/entry": {
      const [epoch = -1, position = -1, durable = -1] = ["epoch", "position", "durable"].map(name =>
        Number(url.searchParams.get(name) ?? NaN),
      );
      if (![epoch, position, durable].every(Number.isSafeInteger)) throw new Error("an entry has three numbers");
      return String(handler.takeEntry({ epoch, position, durable, bytes: await readBody(request) }));
    }
    case "POST /lease-changed":
      handler.leaseChanged();
      return "";
    default:
      return undefined;
  }
}
