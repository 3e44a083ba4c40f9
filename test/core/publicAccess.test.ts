import * as assert from "node:assert/strict";
import { describe, it } from "mocha";
import { principalLabel, validateAdministrators } from "../../components/core/principals";
import { validatePublicAccess } from "../../components/core/publicAccess";

describe("addresses that reach the Kubernetes API from the internet", () => {
  const reasons = (...cidrs: string[]): string =>
    validatePublicAccess(cidrs)
      .map(({ reason }) => reason)
      .join("; ");

  it("are somebody's network", () => {
    assert.equal(reasons("203.0.113.0/24", "198.51.100.7/32"), "");
    assert.equal(reasons(), "");
  });

  it("are never the whole internet, or half of it", () => {
    for (const cidr of ["0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "64.0.0.0/7"])
      assert.match(reasons(cidr), /open to the internet/, cidr);
  });

  it("are not private, which EKS refuses", () => {
    for (const cidr of ["10.0.0.0/8", "192.168.1.0/24", "172.20.0.0/16", "127.0.0.1/32"])
      assert.match(reasons(cidr), /private/, cidr);
    assert.equal(reasons("172.32.0.0/16"), "");
  });

  it("are ranges", () => {
    for (const cidr of ["", "203.0.113.7", "203.0.113.7/24", "office", "2001:db8::/32"])
      assert.match(reasons(cidr), /not a range/, cidr);
  });

  it("are refused by their place in the list", () => {
    assert.deepEqual(
      validatePublicAccess(["203.0.113.0/24", "0.0.0.0/0"]).map(({ propertyPath }) => propertyPath),
      ["[1]"],
    );
  });
});

describe("administrators", () => {
  const role = "arn:aws:iam::123456789012:role/platform";
  const reasons = (region: string, ...arns: string[]): string =>
    validateAdministrators(region, arns)
      .map(({ reason }) => reason)
      .join("; ");

  it("are roles and users of the region's partition", () => {
    assert.equal(reasons("us-east-1", role, "arn:aws:iam::123456789012:user/team/ada@example.com"), "");
    assert.equal(reasons("cn-north-1", "arn:aws-cn:iam::123456789012:role/platform"), "");
    assert.match(reasons("cn-north-1", role), /arn:aws-cn/);
  });

  it("are no sessions, accounts or groups, and named once", () => {
    assert.match(reasons("us-east-1", "arn:aws:sts::123456789012:assumed-role/platform/ada"), /session/);
    for (const arn of [
      "arn:aws:iam::123456789012:root",
      "arn:aws:iam::123456789012:group/a",
      "arn:aws:iam::1:role/a",
      "*",
      "",
    ]) {
      assert.match(reasons("us-east-1", arn), /not a role or user/, arn);
    }
    assert.match(reasons("us-east-1", role, role), /there already/);
  });

  it("have names of their own, across accounts, kinds and paths", () => {
    const labels = [
      role,
      "arn:aws:iam::210987654321:role/platform",
      "arn:aws:iam::123456789012:user/platform",
      "arn:aws:iam::123456789012:role/team/platform",
    ].map(principalLabel);
    assert.equal(new Set(labels).size, labels.length);
    assert.equal(labels[0], "123456789012-role-platform");
  });
});
