import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync } from "node:fs";
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { putParts } from "../../../../components/manager/store/bucket/multipart";
import { Answer, BucketRequest } from "../../../../components/manager/store/bucket/s3Bucket";

const partBytes = 1000;

describe("a file that is sent in parts", () => {
  let folder: string;
  let path: string;
  const content = randomBytes(3 * partBytes + 17);
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "parts-"));
    path = join(folder, "file");
    await fs.writeFile(path, content);
  });
  after(() => fs.rm(folder, { recursive: true }));

  /** An object store that puts parts together. @param fault of a request, by its kind and how often it came */
  function store(fault: (what: string, time: number) => "fails" | "late error" | undefined = () => undefined) {
    const parts = new Map<number, Buffer>();
    const seen: string[] = [];
    const times = new Map<string, number>();
    const result: { object?: Buffer; aborted?: true } = {};
    const answer = (body = "", headers = {}, status = 200): Answer => ({ status, headers, body: Buffer.from(body) });
    const send = async ({ method, query = "", body, stream }: BucketRequest): Promise<Answer> => {
      const parameters = new URLSearchParams(query);
      const part = parameters.get("partNumber");
      const what = part ? `part ${part}` : `${method} ${parameters.has("uploads") ? "begin" : "end"}`;
      const time = (times.get(what) ?? 0) + 1;
      times.set(what, time);
      seen.push(what);
      const chunks: Buffer[] = [];
      if (stream) for await (const chunk of stream.open()) chunks.push(chunk as Buffer);
      const verdict = fault(what, time);
      if (verdict === "fails") throw new Error("reset");
      if (verdict === "late error") return answer("<Error><Code>InternalError</Code></Error>");
      if (parameters.has("uploads")) return answer("<UploadId>a+b/c</UploadId>");
      assert.equal(parameters.get("uploadId"), "a+b/c");
      if (part) {
        assert.equal(Buffer.concat(chunks).length, stream!.size);
        parts.set(Number(part), Buffer.concat(chunks));
        return answer("", { etag: `"tag-${part}"` });
      }
      if (method === "DELETE") result.aborted = true;
      else {
        const listed = [...String(body).matchAll(/<PartNumber>(\d+)<\/PartNumber><ETag>"tag-(\d+)"<\/ETag>/g)];
        assert.ok(listed.every(([, number, tag]) => number === tag));
        result.object = Buffer.concat(listed.map(([, number]) => parts.get(Number(number))!));
      }
      return answer("", {}, method === "DELETE" ? 204 : 200);
    };
    return { send, seen, result };
  }
  const put = (send: (request: BucketRequest) => Promise<Answer>, size = content.length) =>
    putParts(send, "data/1/x", path, size, partBytes);

  it("is the same file in the bucket, with its size and CRC-32", async () => {
    const { send, seen, result } = store();
    assert.deepEqual(await put(send), { size: content.length, crc32: crc32(content) });
    assert.ok(result.object!.equals(content));
    assert.deepEqual(seen, ["POST begin", "part 1", "part 2", "part 3", "part 4", "POST end"]);
  });

  it("has a part sent again that failed, and counts it once", async () => {
    const { send, seen, result } = store((what, time) => (what === "part 2" && time < 4 ? "fails" : undefined));
    assert.deepEqual(await put(send), { size: content.length, crc32: crc32(content) });
    assert.ok(result.object!.equals(content));
    assert.equal(seen.filter(what => what === "part 2").length, 4);
  });

  it("is given up, and its parts are not paid for, when one cannot be sent or all cannot be put together", async () => {
    for (const [broken, verdict] of [
      ["part 3", "fails"],
      ["POST end", "late error"],
      ["POST end", "fails"],
    ] as const) {
      const { send, result } = store(what => (what === broken ? verdict : undefined));
      await assert.rejects(put(send));
      assert.deepEqual(result, { aborted: true }, `${broken} ${verdict}`);
    }
  });

  it("is no object when it became shorter meanwhile", async () => {
    const { send, result } = store();
    await assert.rejects(put(send, content.length + 50));
    assert.deepEqual(result, { aborted: true });
  });
});
