import * as assert from "node:assert/strict";
import { describe, it } from "mocha";
import { defaultZones, domainOf, partitionOf, validateAwsRegion, validateZones } from "../../components/core/awsRegion";

describe("an AWS region", () => {
  it("says which partition its ARNs and hosts belong to", () => {
    const expected = [
      ["us-east-1", "aws", "amazonaws.com"],
      ["ap-southeast-5", "aws", "amazonaws.com"],
      ["cn-north-1", "aws-cn", "amazonaws.com.cn"],
      ["us-gov-west-1", "aws-us-gov", "amazonaws.com"],
    ] as const;
    for (const [region, partition, domain] of expected) {
      assert.deepEqual([partitionOf(region), domainOf(region)], [partition, domain], region);
      assert.deepEqual(validateAwsRegion(region), [], region);
    }
  });

  it("is refused when it is none, or one that nothing is known of", () => {
    for (const region of [
      "",
      "us-east",
      "us-east-1a",
      "US-EAST-1",
      "virginia",
      "us-iso-east-1",
      "us-isob-east-1",
      "eusc-de-east-1",
    ]) {
      const problems = validateAwsRegion(region);
      assert.deepEqual(
        problems.map(({ propertyPath }) => propertyPath),
        ["region"],
        region,
      );
    }
  });

  it("has three zones by default, with the letters that every account sees", () => {
    assert.deepEqual(defaultZones("us-east-1"), ["us-east-1a", "us-east-1b", "us-east-1c"]);
    assert.deepEqual(defaultZones("ap-northeast-1"), ["ap-northeast-1a", "ap-northeast-1c", "ap-northeast-1d"]);
    assert.deepEqual(defaultZones("ca-central-1"), ["ca-central-1a", "ca-central-1b", "ca-central-1d"]);
    assert.equal(defaultZones("us-west-1"), undefined);
  });
});

describe("zones", () => {
  const paths = (region: string, zones?: string[]): string[] =>
    validateZones(region, zones).map(({ propertyPath }) => propertyPath);

  it("have to be named where a region has no three for every account, and the error says how to find them", () => {
    const [problem] = validateZones("us-west-1", undefined);
    assert.match(problem!.reason, /aws ec2 describe-availability-zones --region us-west-1/);
    assert.deepEqual(paths("us-west-1", ["us-west-1a", "us-west-1c"]), []);
    assert.deepEqual(paths("us-east-1"), []);
  });

  it("are two to four of the region, each once", () => {
    assert.deepEqual(paths("us-east-1", ["us-east-1a"]), ["zones"]);
    assert.deepEqual(
      paths(
        "us-east-1",
        ["a", "b", "c", "d", "e"].map(letter => `us-east-1${letter}`),
      ),
      ["zones"],
    );
    assert.deepEqual(paths("us-east-1", ["us-east-1a", "us-east-1a"]), ["zones[1]"]);
    const foreign = ["us-east-1a", "us-east-2a", "use1-az1", "us-east-1-bos-1a"];
    assert.deepEqual(paths("us-east-1", foreign), ["zones[1]", "zones[2]", "zones[3]"]);
  });
});
