import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import { parseListing } from "../../components/manager/bucketListing";

describe("a listing of the bucket", () => {
  const escape = (text: string) =>
    text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
  const list = (content: string) =>
    `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${content}</ListBucketResult>\n`;

  it("is read as Amazon S3 writes it", () => {
    const xml = list(
      `<Name>bucket</Name><Prefix>shop/</Prefix><NextContinuationToken>1ueGcxL/&amp;=</NextContinuationToken><KeyCount>2</KeyCount><MaxKeys>2</MaxKeys><IsTruncated>true</IsTruncated>
<Contents><Key>shop/a&amp;b.klog</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified><ETag>&quot;0123-2&quot;</ETag><ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm><Size>12</Size><StorageClass>STANDARD</StorageClass></Contents>
<Contents>
  <Key>shop/&#228;&#xe9;</Key>
  <Size>0</Size>
  <ETag>"ff"</ETag><Owner><ID>x</ID></Owner>
</Contents>`,
    );
    assert.deepEqual(parseListing(xml), {
      objects: [
        { key: "shop/a&b.klog", size: 12, etag: "0123-2" },
        { key: "shop/äé", size: 0, etag: "ff" },
      ],
      continuationToken: "1ueGcxL/&=",
    });
  });

  it("is the last page when it is not truncated, whatever token stands there", () => {
    const xml = list("<IsTruncated>false</IsTruncated><NextContinuationToken>t</NextContinuationToken>");
    assert.deepEqual(parseListing(xml), { objects: [], continuationToken: "" });
  });

  it("holds keys of any characters", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "grapheme", minLength: 1 })), keys => {
        const xml = list(
          keys.map(key => `<Contents><Key>${escape(key)}</Key><Size>1</Size><ETag>e</ETag></Contents>`).join(""),
        );
        assert.deepEqual(
          parseListing(xml).objects.map(({ key }) => key),
          keys,
        );
      }),
    );
  });

  it("is refused when it is cut off or something else", () => {
    const whole = list("<IsTruncated>false</IsTruncated>");
    for (const text of [whole.slice(0, -10), "", "<Error><Code>SlowDown</Code></Error>"]) {
      assert.throws(() => parseListing(text), /incomplete/);
    }
  });
});
