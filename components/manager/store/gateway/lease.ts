import { EngineAnswer, notFound } from "./answer";
import { EngineRequest } from "./request";

export const leaseKey = "_tdb_primary_lease";
const probePrefix = "_tdb_fence_probe_";
const refused: EngineAnswer = { status: 412 };

/**
 * The engine's own lease and the probes of its fence. Its epoch is the log's: before a promotion it stands one lower, and only the node that has sealed may raise it.
 */
export class EngineLease {
  private readonly probes = new Set<string>();
  private epoch: number;

  /** @param logEpoch that this node writes, or follows */
  constructor(private readonly logEpoch: number) {
    this.epoch = logEpoch - 1;
  }

  /** The epoch that objects carry. */
  get shownEpoch(): number {
    return this.epoch;
  }

  /** A follower's engine sees the epoch of the writer that it follows. */
  follow(logEpoch: number): void {
    this.epoch = Math.max(this.epoch, logEpoch);
  }

  /** @returns undefined when the request is about neither */
  answer(request: EngineRequest, mayWrite: boolean): EngineAnswer | undefined {
    const { method, key } = request;
    if (key === leaseKey) {
      if (method === "HEAD" || method === "GET") return this.shown();
      if (method !== "PUT") return { status: 204 };
      if (!mayWrite || (request.ifMatch !== undefined && request.ifMatch !== this.etag())) return refused;
      if (request.ifNoneMatch && this.epoch > 0) return refused;
      this.epoch = this.logEpoch;
      return this.shown();
    }
    if (!key.startsWith(probePrefix)) return undefined;
    if (method === "DELETE") {
      this.probes.delete(key);
      return { status: 204 };
    }
    if (method !== "PUT") return this.probes.has(key) ? { status: 200 } : notFound;
    if (request.ifNoneMatch && this.probes.has(key)) return refused;
    this.probes.add(key);
    return { status: 200, etag: '"probe"' };
  }

  private shown(): EngineAnswer {
    return this.epoch > 0 ? { status: 200, etag: this.etag(), epoch: this.epoch } : notFound;
  }

  private etag(): string {
    return `"epoch-${this.epoch}"`;
  }
}
