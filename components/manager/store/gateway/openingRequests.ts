import { DatabaseState } from "../log/state";
import { numberMapText } from "../volume/engineFiles";
import { EngineAnswer, listing, notFound } from "./answer";
import { EngineHandler } from "./gateway";
import { EngineLease } from "./lease";
import { EngineRequest } from "./request";

/**
 * What an engine is shown while it opens an aligned volume: an empty bucket. Its disk is the view, so the opening needs no network, knows no limit of tables, and nothing moves under it. Only the number map is
 * there, as on the disk: without one the engine would number its tables by itself. What it sends is answered and thrown away.
 */
export class OpeningRequests implements EngineHandler {
  private readonly lease: EngineLease;

  constructor(private readonly state: DatabaseState) {
    this.lease = new EngineLease(state.epoch);
  }

  async handle(request: EngineRequest): Promise<EngineAnswer> {
    const lease = this.lease.answer(request, false);
    if (lease) return lease;
    const { method, key, connection } = request;
    if (method === "PUT" || method === "POST") return { status: 200, etag: '"ignored"' };
    if (method === "DELETE") return { status: 204 };
    if (method === "HEAD" && connection.sent?.key === key) return { status: 200, length: connection.sent.length };
    if (key === "") return { status: 200, body: listing([]) };
    if (key === "UNIMAP")
      return { status: 200, body: Buffer.from(numberMapText(this.state.tables.values())), etag: '"map"' };
    return Promise.resolve(notFound);
  }
}
