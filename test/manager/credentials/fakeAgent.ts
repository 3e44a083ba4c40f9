import { randomBytes } from "node:crypto";
import { KnownKey } from "../../engine/objectStore/signature";
import { ScriptedHttpServer } from "../base/scriptedHttpServer";

/** What the Pod Identity agent's path is. */
const path = "/v1/credentials";

/** A Pod Identity agent on this machine: hands out credentials that end, and knows them again. */
export class FakeAgent {
  /** Milliseconds until what it hands out ends. */
  lifetimeMilliseconds = 4000;
  /** Answers nothing but this, when it is set. */
  failure: { status: number; body: string } | undefined;
  /** All that it has handed out. */
  readonly keys = new Map<string, KnownKey & { expiresAt: number }>();
  /** Of requests with a wrong token. */
  strangers = 0;

  private constructor(
    readonly server: ScriptedHttpServer,
    readonly token: string,
  ) {
    server.answer = ({ method, path: asked, headers }) => {
      if (method !== "GET" || asked !== path) return { status: 404, body: "no such path" };
      if (headers.authorization !== token) {
        this.strangers++;
        return { status: 401, body: "[1]: (AccessDeniedException): wrong token" };
      }
      return this.failure ?? { status: 200, body: JSON.stringify(this.issue()) };
    };
  }

  static async start(token: string): Promise<FakeAgent> {
    return new FakeAgent(await ScriptedHttpServer.start(), token);
  }

  get url(): string {
    return `http://localhost:${this.server.port}${path}`;
  }

  private issue() {
    const key = {
      secretAccessKey: randomBytes(20).toString("hex"),
      // As in AWS's: it holds characters that have a meaning in URLs and headers.
      sessionToken: `${randomBytes(300).toString("base64")}//+=`,
      expiresAt: Date.now() + this.lifetimeMilliseconds,
    };
    const id = `ASIA${randomBytes(8).toString("hex").toUpperCase()}`;
    this.keys.set(id, key);
    return {
      AccessKeyId: id,
      SecretAccessKey: key.secretAccessKey,
      Token: key.sessionToken,
      Expiration: new Date(key.expiresAt).toISOString(),
      AccountId: "123456789012",
    };
  }
}
