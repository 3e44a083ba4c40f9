import type { Answer, BucketRequest } from "./s3Bucket";
import { expect } from "./s3Bucket";

/** Bytes of a part of a copy. The store copies it while nothing moves on the connection, so it must not take long. */
const usualPartBytes = 256 * 1024 * 1024;
const attempts = 5;

/**
 * Has the store copy an object within itself: nothing of it comes here. In parts when it is large.
 * @param source `/bucket/key`, encoded
 * @returns false when there is no such object
 * @throws when it is not known whether it was copied
 */
export async function copyWithin(
  send: (request: BucketRequest) => Promise<Answer>,
  source: string,
  key: string,
  size: number,
  partBytes = usualPartBytes,
): Promise<boolean> {
  const headers = { "x-amz-copy-source": source };
  if (size <= partBytes) {
    const answer = await copied({ method: "PUT", key, headers });
    return answer.status !== 404;
  }
  const begun = expect(await send({ method: "POST", key, query: "uploads=" }), `beginning ${key}`, 200);
  const uploadId = /<UploadId>([^<]+)<\/UploadId>/.exec(begun.body.toString())?.[1];
  if (!uploadId) throw new Error(`beginning ${key}: the object store gave no number for the upload`);
  const upload = `uploadId=${encodeURIComponent(uploadId)}`;
  try {
    const tags: string[] = [];
    for (let start = 0; start < size; start += partBytes) {
      const range = `bytes=${start}-${Math.min(start + partBytes, size) - 1}`;
      const query = `partNumber=${tags.length + 1}&${upload}`;
      const answer = await copied({
        method: "PUT",
        key,
        query,
        headers: { ...headers, "x-amz-copy-source-range": range },
      });
      if (answer.status === 404) {
        await abort();
        return false;
      }
      tags.push(/<ETag>([^<]+)<\/ETag>/.exec(answer.body.toString())?.[1] ?? "");
    }
    const list = tags.map((tag, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${tag}</ETag></Part>`);
    const body = Buffer.from(`<CompleteMultipartUpload>${list.join("")}</CompleteMultipartUpload>`);
    const ended = expect(await send({ method: "POST", key, query: upload, body }), `ending ${key}`, 200);
    if (ended.body.includes("<Error>")) throw new Error(`ending ${key}: the object store could not put it together`);
    return true;
  } catch (error) {
    await abort();
    throw error;
  }

  async function abort(): Promise<void> {
    await send({ method: "DELETE", key, query: upload }).catch(() => undefined);
  }

  /** A copy can be made twice: it is tried again. */
  async function copied(request: BucketRequest): Promise<Answer> {
    for (let attempt = 1; ; attempt++) {
      try {
        const answer = expect(await send(request), `copying ${key}`, 200, 404);
        // An error that happened late comes with status 200.
        if (answer.status === 200 && answer.body.includes("<Error>"))
          throw new Error(`copying ${key}: the object store broke it off`);
        return answer;
      } catch (error) {
        if (attempt === attempts) throw error;
      }
    }
  }
}
