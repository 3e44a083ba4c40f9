import assert from "node:assert/strict";
import { inspect } from "node:util";
import { InputPropertiesError, RunError } from "@pulumi/pulumi";
import { refusal, refuseInvalid } from "../../components/refuse";

describe("a refusal", () => {
  const problem = (propertyPath: string, reason = "is wrong") => ({ propertyPath, reason });

  it("names every problem once, whatever number of parts has found it", () => {
    const found = [problem("region"), problem("cidr"), problem("region"), problem("region", "is missing")];
    assert.throws(
      () => refuseInvalid('Network "orders"', found),
      (error: InputPropertiesError) => {
        assert.deepEqual(
          error.errors.map(({ propertyPath, reason }) => `${propertyPath} ${reason}`),
          ["region is wrong", "cidr is wrong", "region is missing"],
        );
        assert.equal(error.message.split("\n").length, 4);
        return true;
      },
    );
  });

  it("is its message for whoever inspects it: Node.js takes half a minute to colour the frames of a stack", () => {
    assert.throws(
      () => refuseInvalid('Network "orders"', [problem("region")]),
      (error: InputPropertiesError) => inspect(error, { colors: true }) === error.message && RunError.isInstance(error),
    );
    assert.equal(inspect(refusal("no such key"), { colors: true }), "no such key");
  });

  it("is none where nothing is wrong", () => refuseInvalid('Network "orders"', []));
});
