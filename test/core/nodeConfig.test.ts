import * as assert from "node:assert/strict";
import { describe, it } from "mocha";
import { parse } from "yaml";
import { instanceStoreUserData } from "../../components/core/nodeConfig";

describe("user data of nodes with NVMe drives", () => {
  const text = Buffer.from(instanceStoreUserData(), "base64").toString();

  it("is MIME with one part, of the type that the node's bootstrap reads", () => {
    const [head = "", ...rest] = text.split("\n\n");
    const boundary = /boundary="([^"]+)"/.exec(head)?.[1];
    assert.ok(boundary);
    assert.match(head, /^MIME-Version: 1\.0\nContent-Type: multipart\/mixed; /);
    const parts = text.split(`--${boundary}`);
    assert.equal(parts.length, 3);
    assert.equal(parts[2], "--\n");
    assert.match(parts[1]!, /^\nContent-Type: application\/node\.eks\.aws\n\n/);
    assert.ok(rest.length > 0);
  });

  it("asks for all drives as one", () => {
    const body = /application\/node\.eks\.aws\n\n([\s\S]*?)\n--/.exec(text)![1]!;
    assert.deepEqual(parse(body), {
      apiVersion: "node.eks.aws/v1alpha1",
      kind: "NodeConfig",
      spec: { instance: { localStorage: { strategy: "RAID0" } } },
    });
  });
});
