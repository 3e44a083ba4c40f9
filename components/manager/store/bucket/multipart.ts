import { createReadStream } from "node:fs";
import { FileSum } from "./bucket";
import type { Answer, BucketRequest } from "./s3Bucket";
import { expect, Sum } from "./s3Bucket";

/** Bytes of a part: of 10,000 that S3 allows, for files of up to 312 GiB. */
const usualPartBytes = 32 * 1024 * 1024;
const partAttempts = 5;

/** Sends a file in parts, one after the other, each streamed. A part that fails is sent again; when it cannot be, the upload is aborted, so that its parts are not paid for. */
export async function putParts(
  send: (request: BucketRequest) => Promise<Answer>,
  key: string,
  path: string,
  size: number,
  partBytes = usualPartBytes,
): Promise<FileSum> {
  const begun = expect(await send({ method: "POST", key, query: "uploads=" }), `beginning ${key}`, 200);
  const uploadId = /<UploadId>([^<]+)<\/UploadId>/.exec(begun.body.toString())?.[1];
  if (!uploadId) throw new Error(`beginning ${key}: the object store returned no upload ID`);
  const upload = `uploadId=${encodeURIComponent(uploadId)}`;
  try {
    const tags: string[] = [];
    const total = new Sum();
    for (let start = 0; start < size; start += partBytes) {
      const length = Math.min(partBytes, size - start);
      tags.push(await part(tags.length + 1, start, length, total));
    }
    if (total.size !== size) throw new Error(`${path} changed while it was sent`);
    const list = tags.map((tag, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${tag}</ETag></Part>`);
    const body = Buffer.from(`<CompleteMultipartUpload>${list.join("")}</CompleteMultipartUpload>`);
    const ended = expect(await send({ method: "POST", key, query: upload, body }), `ending ${key}`, 200);
    // An error that happened late comes with status 200.
    if (ended.body.includes("<Error>")) throw new Error(`ending ${key}: the object store could not put it together`);
    return { size, crc32: total.crc32 };
  } catch (error) {
    await send({ method: "DELETE", key, query: upload }).catch(() => undefined);
    throw error;
  }

  async function part(number: number, start: number, length: number, total: Sum): Promise<string> {
    for (let attempt = 1; ; attempt++) {
      const sum = new Sum();
      sum.crc32 = total.crc32;
      try {
        const open = () => sum.of(createReadStream(path, { start, end: start + length - 1 }));
        const query = `partNumber=${number}&${upload}`;
        const answer = await send({ method: "PUT", key, query, stream: { open, size: length } });
        const tag = expect(answer, `sending part ${number} of ${key}`, 200).headers.etag ?? "";
        total.crc32 = sum.crc32;
        total.size += sum.size;
        return tag;
      } catch (error) {
        if (attempt === partAttempts) throw error;
      }
    }
  }
}
