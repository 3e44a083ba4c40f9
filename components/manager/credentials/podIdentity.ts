import { readFile } from "node:fs/promises";
import * as http from "node:http";
import { httpRequest } from "../base/httpRequest";
import { CredentialSource, wholeCredentials } from "./source";

/**
 * EKS Pod Identity: an agent on the node hands out the credentials of the role that is associated with the pod's service account, against a token that the kubelet keeps fresh in a file
 * (AWS, "Container credential provider").
 * @param url of the agent, plain HTTP on a link-local address
 * @param tokenFile read again for each request
 */
export function podIdentity(url: string, tokenFile: string): CredentialSource {
  // No connection is kept: it is needed once in some hours.
  const agent = new http.Agent();
  const name = `the Pod Identity agent at ${url}`;
  return {
    name,
    async fetch(timeoutMilliseconds) {
      const authorization = (await readFile(tokenFile, "utf8")).trim();
      const answer = await httpRequest({
        method: "GET",
        url: new URL(url),
        headers: { authorization },
        timeoutMilliseconds,
        agent,
      });
      if (answer.status !== 200) throw new Error(`${name} has answered ${answer.status}: ${firstLine(answer.body)}`);
      const { AccessKeyId, SecretAccessKey, Token, Expiration } = parsed(name, answer.body);
      return wholeCredentials(name, {
        accessKeyId: AccessKeyId,
        secretAccessKey: SecretAccessKey,
        sessionToken: Token,
        expiration: Expiration,
      });
    },
  };
}

function parsed(from: string, body: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // What it says is no JSON; it is not shown, since it may be cut off credentials.
  }
  throw new Error(`${from} has answered with something that is no JSON object`);
}

/** The agent's reason is a line: `[abc]: (ResourceNotFoundException): ...`. */
function firstLine(body: string): string {
  return body.split("\n")[0]!.slice(0, 300);
}
