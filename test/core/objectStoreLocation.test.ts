import * as assert from "node:assert/strict";
import * as fc from "fast-check";
import { describe, it } from "mocha";
import {
  BucketLocation,
  regionalEndpoint,
  validateBucketLocation,
  validateBucketName,
  validateEndpoint,
  validateKeyPart,
  validatePrefix,
  validateStoreRegion,
} from "../../components/core/objectStoreLocation";

const location: BucketLocation = {
  endpoint: "s3.us-east-1.amazonaws.com",
  bucket: "orders-data",
  region: "us-east-1",
  useTls: true,
  pathStyle: false,
};

function reasonOf(problems: { reason: string }[]): string {
  assert.equal(problems.length, 1, JSON.stringify(problems));
  return problems[0]!.reason;
}

describe("an S3 endpoint", () => {
  it("is a host, with a port where it has one", () => {
    for (const endpoint of ["s3.us-east-1.amazonaws.com", "minio.storage.svc:9000", "10.88.0.1:9000", "localhost:1"]) {
      assert.deepEqual(validateEndpoint(endpoint), [], endpoint);
    }
  });

  it("has no scheme: the way out is useTls", () => {
    assert.match(reasonOf(validateEndpoint("https://s3.us-east-1.amazonaws.com")), /scheme.*useTls/);
    assert.match(reasonOf(validateEndpoint("http://minio:9000/")), /scheme.*useTls/);
  });

  it("has no path, query or fragment", () => {
    for (const endpoint of ["minio:9000/bucket", "minio/", "minio?x=1", "minio#a", "minio\\x"]) {
      assert.match(reasonOf(validateEndpoint(endpoint)), /path/, endpoint);
    }
  });

  it("has no credentials, and an error does not show them", () => {
    const reason = reasonOf(validateEndpoint("key:hunter2@minio"));
    assert.match(reason, /user name or password/);
    assert.ok(!reason.includes("hunter2"));
  });

  it("is not the global endpoint, whose redirects the engine does not follow", () => {
    assert.match(reasonOf(validateEndpoint("s3.amazonaws.com")), /redirect.*s3\.<region>\.amazonaws\.com/);
  });

  it("has a port from 1 to 65535 and a host that exists in DNS or is an IPv4 address", () => {
    for (const endpoint of [
      "",
      ":9000",
      "minio:",
      "minio:0",
      "minio:65536",
      "minio:http",
      "a b",
      "-a.b",
      "a..b",
      "[::1]:9000",
      "300.1.1.1",
      "a_b",
    ]) {
      assert.equal(validateEndpoint(endpoint).length, 1, endpoint);
    }
  });

  it("is refused for any text with a character that belongs to no host and port", () => {
    fc.assert(
      fc.property(fc.string(), fc.constantFrom("/", "?", "#", " ", "@", "\n", "'", '"', ";", "%"), (text, intruder) => {
        const problems = validateEndpoint(`${text}${intruder}`);
        assert.equal(problems.length, 1);
        assert.ok(!problems[0]!.reason.includes("\n"));
      }),
    );
  });

  it("of a region is the one that a gateway endpoint catches", () => {
    assert.equal(regionalEndpoint("eu-central-1"), "s3.eu-central-1.amazonaws.com");
    assert.equal(regionalEndpoint("cn-north-1"), "s3.cn-north-1.amazonaws.com.cn");
    for (const region of ["eu-central-1", "cn-north-1"])
      assert.deepEqual(validateEndpoint(regionalEndpoint(region)), []);
  });
});

describe("a bucket's name", () => {
  it("follows S3's rules", () => {
    for (const name of ["abc", "orders-data-1", "1orders", "a.b.c"])
      assert.deepEqual(validateBucketName(name), [], name);
    const refused = [
      "ab",
      "a".repeat(64),
      "Orders",
      "orders_data",
      "-orders",
      "orders-",
      "a..b",
      "a.-b",
      "10.0.0.1",
      "xn--a",
      "abc-s3alias",
      "abc--x-s3",
      "or ders",
    ];
    for (const name of refused) assert.equal(validateBucketName(name).length, 1, name);
  });
});

describe("a prefix", () => {
  it("is one or more folders", () => {
    for (const prefix of ["orders/", "a/b/c/", "Orders_1.2-x/"]) assert.deepEqual(validatePrefix(prefix), [], prefix);
  });

  it("has no way up", () => {
    for (const prefix of ["../", "a/../b/", "a..b/"]) assert.match(reasonOf(validatePrefix(prefix)), /"\.\."/, prefix);
  });

  it("begins with a folder, ends with /, and has no empty folder", () => {
    assert.match(reasonOf(validatePrefix("/orders/")), /begins with/);
    assert.match(reasonOf(validatePrefix("orders")), /append "\/"/);
    assert.match(reasonOf(validatePrefix("")), /append "\/"/);
    assert.match(reasonOf(validatePrefix("a//b/")), /empty folder/);
  });

  it("has nothing that needs escaping, in a request or in a configuration file", () => {
    for (const prefix of ["a b/", "a%2f/", "ä/", "a\n/", "./", "_a/", "a'/"]) {
      assert.match(reasonOf(validatePrefix(prefix)), /escaping/, prefix);
    }
  });

  it("leaves room for the engine's keys", () => {
    assert.deepEqual(validatePrefix("a".repeat(127) + "/"), []);
    assert.match(reasonOf(validatePrefix("a".repeat(128) + "/")), /shorten/);
  });

  it("that is accepted stays where it is when a path is normalised", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-zA-Z0-9._/-]{0,20}$/), prefix => {
        if (validatePrefix(prefix).length > 0) return;
        assert.equal(new URL(prefix, "http://host/").pathname, `/${prefix}`);
      }),
    );
  });
});

describe("one part of an access key", () => {
  it("is what AWS and other stores make", () => {
    assert.deepEqual(validateKeyPart("secretAccessKey", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY="), []);
    assert.deepEqual(validateKeyPart("accessKeyId", "minioadmin"), []);
  });

  it("is refused without being shown", () => {
    for (const value of ["", "sesame ", "sesame\n", "'sesame'", "sesame".repeat(30)]) {
      const reason = reasonOf(validateKeyPart("secretAccessKey", value));
      assert.ok(!reason.includes("sesame"), reason);
    }
  });
});

describe("a bucket's location", () => {
  it("is accepted when its parts agree", () => {
    assert.deepEqual(validateBucketLocation(location), []);
    assert.deepEqual(
      validateBucketLocation({ ...location, endpoint: "10.0.0.1:9000", useTls: false, pathStyle: true }),
      [],
    );
  });

  it("names the bucket once", () => {
    const [problem] = validateBucketLocation({ ...location, endpoint: "orders-data.s3.us-east-1.amazonaws.com" });
    assert.equal(problem?.propertyPath, "endpoint");
    assert.match(problem.reason, /write "s3\.us-east-1\.amazonaws\.com"/);
  });

  it("names one region", () => {
    for (const endpoint of ["s3.eu-west-1.amazonaws.com", "s3-eu-west-1.amazonaws.com"]) {
      const [problem] = validateBucketLocation({ ...location, endpoint });
      assert.equal(problem?.propertyPath, "region", endpoint);
    }
    const government = { ...location, endpoint: "s3.us-gov-west-1.amazonaws.com", region: "us-gov-west-1" };
    assert.deepEqual(validateBucketLocation(government), []);
  });

  it("has a certificate that holds for the bucket's host", () => {
    assert.equal(validateBucketLocation({ ...location, bucket: "a.b.c" })[0]?.propertyPath, "bucket");
    assert.deepEqual(validateBucketLocation({ ...location, bucket: "a.b.c", pathStyle: true }), []);
  });

  it("is reached by path where the endpoint is an address", () => {
    assert.equal(validateBucketLocation({ ...location, endpoint: "10.0.0.1:9000" })[0]?.propertyPath, "pathStyle");
  });

  it("has a region, since each request is signed for one", () => {
    assert.deepEqual(validateStoreRegion("garage"), []);
    for (const region of ["", "US-East-1", "us east", "-a", "a".repeat(64)])
      assert.equal(validateStoreRegion(region).length, 1, region);
  });
});
