import assert from "node:assert/strict";
import { copyWithin } from "../../../../components/manager/store/bucket/copying";
import { Answer, BucketRequest, s3Bucket } from "../../../../components/manager/store/bucket/s3Bucket";
import { S3Server } from "../../../engine/objectStore/s3Server";

describe("a copy within the object store", () => {
  it("brings an object into another folder, and says when there is none", async () => {
    const server = await S3Server.start("b");
    try {
      const bucket = s3Bucket(
        { endpoint: server.endpoint, bucket: "b", region: "us-east-1", prefix: "new/", useTls: false, pathStyle: true },
        { current: () => Promise.resolve({ accessKeyId: "tests", secretAccessKey: "tests" }) },
      );
      await server.store.put("old/data/1/a", Buffer.from("abc"));
      assert.equal(await bucket.copyFrom({ bucket: "b", prefix: "old/" }, "data/1/a", 3), true);
      assert.equal(await bucket.copyFrom({ bucket: "b", prefix: "old/" }, "data/1/none", 3), false);
      assert.deepEqual(await bucket.sizes("data/", "", 10, 1000), [{ key: "data/1/a", size: 3 }]);
      assert.deepEqual(await bucket.sizes("data/", "data/1/a", 10, 1000), []);
    } finally {
      server.stop();
    }
  });

  /** Answers as a store does that copies parts. */
  function store(fault: (request: BucketRequest) => Partial<Answer> | undefined = () => undefined) {
    const requests: BucketRequest[] = [];
    const send = (request: BucketRequest): Promise<Answer> => {
      requests.push(request);
      const part = /partNumber=(\d+)/.exec(request.query ?? "")?.[1];
      const usual =
        request.query === "uploads="
          ? "<UploadId>u</UploadId>"
          : part
            ? `<CopyPartResult><ETag>"t${part}"</ETag></CopyPartResult>`
            : "<ok/>";
      return Promise.resolve({ status: 200, headers: {}, body: Buffer.from(usual), ...fault(request) });
    };
    return { requests, send };
  }

  it("is made in parts when it is large, and put together in order", async () => {
    const { requests, send } = store();
    assert.equal(await copyWithin(send, "/b/old/x", "x", 25, 10), true);
    const ranges = requests.map(({ headers }) => headers?.["x-amz-copy-source-range"]).filter(Boolean);
    assert.deepEqual(ranges, ["bytes=0-9", "bytes=10-19", "bytes=20-24"]);
    const list = Buffer.from(requests.at(-1)!.body!).toString();
    assert.match(list, /<PartNumber>1<\/PartNumber><ETag>"t1".*<PartNumber>3<\/PartNumber><ETag>"t3"/);
  });

  it("is tried again when it was broken off late, and given up in the end", async () => {
    let times = 0;
    const late = store(() => (times++ === 0 ? { body: Buffer.from("<Error>InternalError</Error>") } : undefined));
    assert.equal(await copyWithin(late.send, "/b/old/x", "x", 5, 10), true);
    assert.equal(late.requests.length, 2);
    const never = store(() => ({ status: 503 }));
    await assert.rejects(copyWithin(never.send, "/b/old/x", "x", 5, 10), /copying x/);
  });

  it("leaves no parts when the object is gone", async () => {
    const { requests, send } = store(({ query }) => (query?.startsWith("partNumber=2") ? { status: 404 } : undefined));
    assert.equal(await copyWithin(send, "/b/old/x", "x", 25, 10), false);
    assert.equal(requests.at(-1)!.method, "DELETE");
  });
});
