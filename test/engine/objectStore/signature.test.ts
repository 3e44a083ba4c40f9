import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { signatureProblem, SignedRequest } from "./signature";

/** The published example "GET Object" of "Authenticating Requests: Using the Authorization Header" in S3's API reference. */
const published: SignedRequest = {
  method: "GET",
  url: "/test.txt",
  headers: {
    host: "examplebucket.s3.amazonaws.com",
    range: "bytes=0-9",
    "x-amz-content-sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "x-amz-date": "20130524T000000Z",
    authorization:
      "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
  },
  body: new Uint8Array(),
};
const now = Date.parse("2013-05-24T00:05:00Z");
const key = { secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" };
const problem = (request: SignedRequest, known: object = {}, when = now) =>
  signatureProblem(request, id => (id === "AKIAIOSFODNN7EXAMPLE" ? { ...key, ...known } : undefined), when)?.code;
const changed = (headers: object): SignedRequest => ({ ...published, headers: { ...published.headers, ...headers } });

describe("the test servers' check of signatures", () => {
  it("takes AWS's published example", () => assert.equal(problem(published), undefined));

  it("refuses another path, method, header, secret and time", () => {
    assert.equal(problem({ ...published, url: "/other.txt" }), "SignatureDoesNotMatch");
    assert.equal(problem({ ...published, method: "HEAD" }), "SignatureDoesNotMatch");
    assert.equal(problem(changed({ range: "bytes=0-8" })), "SignatureDoesNotMatch");
    assert.equal(problem(published, { secretAccessKey: "other" }), "SignatureDoesNotMatch");
    assert.equal(problem(published, {}, now + 3_600_000), "RequestTimeTooSkewed");
    assert.equal(problem({ ...published, body: Buffer.from("x") }), "XAmzContentSHA256Mismatch");
  });

  it("refuses a session token that is missing, not signed, or over", () => {
    assert.equal(problem(published, { sessionToken: "token" }), "InvalidToken");
    assert.equal(problem(changed({ "x-amz-security-token": "token" }), { sessionToken: "token" }), "AccessDenied");
    assert.equal(problem(published, { expiresAt: now }), "ExpiredToken");
  });
});
