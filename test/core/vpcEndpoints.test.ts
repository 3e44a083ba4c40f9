import * as assert from "node:assert/strict";
import { describe, it } from "mocha";
import { validateLogRetention } from "../../components/core/logRetention";
import {
  defaultInterfaceEndpoints,
  endpointServiceName,
  validateInterfaceEndpoints,
} from "../../components/core/vpcEndpoints";

const region = "us-east-1";
const paths = (services: string[] | undefined, hasNat: boolean, where = region): string[] =>
  validateInterfaceEndpoints(where, services, hasNat).map(({ propertyPath }) => propertyPath);

describe("interface endpoints", () => {
  it("by default reach what a cluster without NAT calls", () => {
    assert.deepEqual(defaultInterfaceEndpoints(region), ["ec2", "ecr.api", "ecr.dkr", "eks", "eks-auth", "sts"]);
  });

  it("are named by what follows the region, or in full", () => {
    assert.equal(endpointServiceName(region, "ecr.api"), "com.amazonaws.us-east-1.ecr.api");
    const full = "cn.com.amazonaws.cn-north-1.ecr.api";
    assert.equal(endpointServiceName("cn-north-1", full), full);
  });

  it("have to be named where a cluster needs them and their names are not known", () => {
    assert.deepEqual(paths(undefined, false, "cn-north-1"), ["interfaceEndpoints"]);
    assert.deepEqual(paths(undefined, true, "cn-north-1"), []);
    assert.deepEqual(paths(undefined, false), []);
  });

  it("are services, each once, and not S3, which has a gateway endpoint", () => {
    assert.deepEqual(paths(["logs", "ecr.api"], true), []);
    assert.deepEqual(paths(["logs", "logs"], true), ["interfaceEndpoints[1]"]);
    assert.deepEqual(paths(["s3", "com.amazonaws.us-east-1.s3", "ECR", ""], true), [
      "interfaceEndpoints[0]",
      "interfaceEndpoints[1]",
      "interfaceEndpoints[2]",
      "interfaceEndpoints[3]",
    ]);
  });
});

describe("a log's retention", () => {
  it("is one of CloudWatch's steps", () => {
    for (const days of [undefined, 1, 90, 3653]) assert.deepEqual(validateLogRetention("logs", days), []);
    for (const days of [0, 2, -1, 1.5, 91, Number.NaN]) {
      assert.match(validateLogRetention("logs", days)[0]?.reason ?? "accepted", /choose one/, String(days));
    }
  });
});
