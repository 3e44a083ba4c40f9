import { Bucket } from "../store/bucket/bucket";
import { Clock, Monotonic } from "../base/ports";

/** S3's kinds of requests, as they are priced: `put` creates, replaces or copies; `get` reads an object or its headers. */
export type RequestKind = "put" | "get" | "list" | "delete";

/** Requests to the bucket since the manager started. */
export type RequestCounts = Record<RequestKind, number>;

/** Of a manager that starts. */
export const noRequests = (): RequestCounts => ({ put: 0, get: 0, list: 0, delete: 0 });

/** A bucket that knows how it is doing. */
export interface CountingBucket extends Bucket {
  readonly requests: RequestCounts;
  /** Bytes that were sent to the bucket. */
  sentBytes: number;
  /** When it answered last: also "there is no such object", or "this one is taken", or a piece of an object. */
  answeredAt: Monotonic;
  /** Since when it has been asked in vain; undefined: it has answered since it was asked, or was not asked. */
  unansweredSince: Monotonic | undefined;
}

/** Counts the requests to a bucket, and notes when it answered. */
export function countingBucket(bucket: Bucket, clock: Pick<Clock, "now">): CountingBucket {
  const requests = noRequests();
  async function count<T>(kind: RequestKind, answer: Promise<T>): Promise<T> {
    requests[kind]++;
    counting.unansweredSince ??= clock.now();
    const result = await answer;
    answered();
    return result;
  }
  function answered(): void {
    counting.answeredAt = clock.now();
    counting.unansweredSince = undefined;
  }
  const counting: CountingBucket = {
    requests,
    sentBytes: 0,
    answeredAt: -Infinity,
    unansweredSince: undefined,
    get: (key, timeout) => count("get", bucket.get(key, timeout)),
    create(key, content, timeout) {
      counting.sentBytes += content.length;
      return count("put", bucket.create(key, content, timeout));
    },
    replace: (key, content, etag, timeout) => count("put", bucket.replace(key, content, etag, timeout)),
    async putFile(key, path) {
      const sum = await count("put", bucket.putFile(key, path));
      counting.sentBytes += sum.size;
      return sum;
    },
    getFile(key, path, progressed) {
      const came = () => {
        answered();
        progressed?.();
      };
      return count("get", bucket.getFile(key, path, came));
    },
    list: (folder, after, limit, timeout) => count("list", bucket.list(folder, after, limit, timeout)),
    delete: (key, timeout) => count("delete", bucket.delete(key, timeout)),
  };
  return counting;
}
