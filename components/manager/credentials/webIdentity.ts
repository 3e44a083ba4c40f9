import { readFile } from "node:fs/promises";
import * as https from "node:https";
import { domainOf } from "../../core/awsRegion";
import { httpRequest } from "../base/httpRequest";
import { CredentialSource, wholeCredentials } from "./source";

/** The version of STS's protocol, the only one. */
const version = "2011-06-15";

/** A role's name in the session and so in CloudTrail: what STS takes, at most 64 characters. */
const notInSessionName = /[^\w+=,.@-]/g;
const longestSessionName = 64;

/** What STS is asked for. */
export interface WebIdentity {
  roleArn: string;
  /** Read again for each request: the kubelet keeps it fresh. */
  tokenFile: string;
  /** Of the bucket: that region's STS answers. */
  region: string;
  /** Whose session it is: the pod. */
  session: string;
  /** Where STS is; only tests have another. */
  url?: string;
  /** PEM of the authority that STS is verified with; the public ones without. */
  ca?: string;
}

/** IRSA: STS exchanges the service account's token, which the cluster's OIDC provider has signed, for credentials of a role. The request carries no signature: the token is the proof. */
export function webIdentity(options: WebIdentity): CredentialSource {
  const { roleArn, tokenFile, region, session, ca } = options;
  const url = options.url ?? `https://sts.${region}.${domainOf(region)}/`;
  const name = `STS at ${url}`;
  const agent = new https.Agent({ ...(ca !== undefined && { ca }) });
  return {
    name,
    async fetch(timeoutMilliseconds) {
      const body = new URLSearchParams({
        Action: "AssumeRoleWithWebIdentity",
        Version: version,
        RoleArn: roleArn,
        RoleSessionName: session.replace(notInSessionName, "-").slice(0, longestSessionName),
        WebIdentityToken: (await readFile(tokenFile, "utf8")).trim(),
      }).toString();
      const answer = await httpRequest({
        method: "POST",
        url: new URL(url),
        headers: { "content-type": "application/x-www-form-urlencoded" },
        body,
        timeoutMilliseconds,
        agent,
      });
      const part = (element: string) => new RegExp(`<${element}>([^<]*)</${element}>`).exec(answer.body)?.[1]?.trim();
      if (answer.status !== 200) {
        const reason = [part("Code"), part("Message")].filter(text => text !== undefined).join(": ");
        throw new Error(`${name} has answered ${answer.status} ${reason.slice(0, 300)}`.trim());
      }
      return wholeCredentials(name, {
        accessKeyId: part("AccessKeyId"),
        secretAccessKey: part("SecretAccessKey"),
        sessionToken: part("SessionToken"),
        expiration: part("Expiration"),
      });
    },
  };
}
