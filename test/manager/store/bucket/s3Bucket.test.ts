import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import { Bucket } from "../../../../components/manager/store/bucket/bucket";
import { BucketCredentials, s3Bucket } from "../../../../components/manager/store/bucket/s3Bucket";
import { S3Server } from "../../../engine/objectStore/s3Server";
import { KnownKey, signatureProblem } from "../../../engine/objectStore/signature";

const timeout = 5000;

describe("a bucket that is used by a role", () => {
  const key: KnownKey = { secretAccessKey: "secret/of+tests", sessionToken: "FwoGZXIvYXdzE//+=", expiresAt: Infinity };
  let server: S3Server;
  let bucket: Bucket;
  let folder: string;
  let refused: string[];
  let problems: string[];
  let given: BucketCredentials;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "role-"));
    [refused, problems] = [[], []];
    key.expiresAt = Infinity;
    given = { accessKeyId: "ASIATESTS", secretAccessKey: key.secretAccessKey, sessionToken: key.sessionToken };
    server = await S3Server.start();
    server.judge = request => {
      const problem = signatureProblem(request, id => (id === "ASIATESTS" ? key : undefined));
      if (problem) problems.push(problem.code);
      return problem;
    };
    bucket = s3Bucket(
      {
        endpoint: server.endpoint,
        bucket: "tests",
        region: "eu-west-1",
        prefix: "orders/",
        useTls: false,
        pathStyle: true,
      },
      { current: () => Promise.resolve(given), refused: id => void refused.push(id) },
    );
  });
  afterEach(() => {
    server.stop();
    rmSync(folder, { recursive: true });
  });

  it("gets each kind of request rightly signed, with the session's token", async () => {
    const file = join(folder, "file");
    writeFileSync(file, randomBytes(100_000));
    assert.equal(await bucket.create("log/1", Buffer.from("entry"), timeout), "created");
    assert.equal(await bucket.create("log/1", Buffer.from("other"), timeout), "taken");
    const etag = await bucket.replace("owner.json", Buffer.from("{}"), undefined, timeout);
    assert.ok(await bucket.replace("owner.json", Buffer.from("{ }"), etag, timeout));
    const sum = await bucket.putFile("data/blocks/a b+c(1)", file);
    assert.deepEqual(await bucket.getFile("data/blocks/a b+c(1)", join(folder, "copy")), sum);
    assert.deepEqual(await bucket.list("log/", "log/0 & more", 10, timeout), ["log/1"]);
    assert.equal((await bucket.get("log/1", timeout))?.content.toString(), "entry");
    await bucket.delete("log/1", timeout);
    assert.equal(await bucket.get("log/1", timeout), undefined);
    assert.deepEqual([problems, refused], [[], []]);
  });

  it("refuses a token that is missing or another, and the request fails", async () => {
    given = { accessKeyId: given.accessKeyId, secretAccessKey: given.secretAccessKey };
    await assert.rejects(bucket.get("log/1", timeout), /answered 400 InvalidToken/);
    given = { ...given, sessionToken: "another" };
    await assert.rejects(bucket.create("log/1", Buffer.from("entry"), timeout), /answered 400 InvalidToken/);
    assert.equal(server.store.objects.size, 0);
  });

  it("has new credentials asked for when it says that these have ended, and at nothing else", async () => {
    key.expiresAt = 0;
    await assert.rejects(bucket.create("log/1", Buffer.from("entry"), timeout), /answered 400 ExpiredToken/);
    assert.deepEqual(refused, ["ASIATESTS"]);
    key.expiresAt = Infinity;
    given = { ...given, secretAccessKey: "wrong" };
    await assert.rejects(bucket.get("log/1", timeout), /answered 403 SignatureDoesNotMatch/);
    assert.deepEqual(refused, ["ASIATESTS"]);
  });

  it("gets no request without credentials", async () => {
    const none = s3Bucket(
      {
        endpoint: server.endpoint,
        bucket: "tests",
        region: "eu-west-1",
        prefix: "orders/",
        useTls: false,
        pathStyle: true,
      },
      { current: () => Promise.reject(new Error("the role's credentials are not there yet")) },
    );
    let asked = 0;
    server.onRequest(() => asked++);
    await assert.rejects(none.get("log/1", timeout), /not there yet/);
    assert.equal(asked, 0);
  });
});
