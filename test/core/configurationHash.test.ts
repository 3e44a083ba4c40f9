import assert from "node:assert/strict";
import fc from "fast-check";
import { configurationHash, secretHash } from "../../components/core/configurationHash";

describe("configuration hash", () => {
  const texts = fc.dictionary(fc.string(), fc.string());

  it("does not change with the order", () => {
    assert.equal(configurationHash({ a: "1", b: "2" }), configurationHash({ b: "2", a: "1" }));
  });

  it("changes with every text and every name", () => {
    fc.assert(
      fc.property(texts, texts, (a, b) => {
        const same = JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort());
        assert.equal(configurationHash(a) === configurationHash(b), same);
        assert.equal(secretHash("key", a) === secretHash("key", b), same);
      }),
    );
    assert.notEqual(configurationHash({ a: "b", c: "" }), configurationHash({ a: "", c: "b" }));
  });

  it("of a secret cannot be recomputed from a guess without the key", () => {
    const guess = { app: "Password1!" };
    assert.notEqual(secretHash("one key", guess), secretHash("another key", guess));
    assert.notEqual(secretHash("one key", guess), configurationHash(guess));
  });
});
