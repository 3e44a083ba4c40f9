import * as assert from "node:assert/strict";
import * as fc from "fast-check";
import { describe, it } from "mocha";
import { parseImageReference, validateImageReference } from "../../components/core/imageReference";

const digest = `sha256:${"0123456789abcdef".repeat(4)}`;
const reason = (reference: string): string =>
  validateImageReference("image", reference)
    .map(problem => `${problem.propertyPath}: ${problem.reason}`)
    .join("; ");

describe("a reference to an image", () => {
  it("is taken apart: a registry's port is no tag", () => {
    assert.deepEqual(parseImageReference("tidesql:4.5.7"), { repository: "tidesql", tag: "4.5.7" });
    assert.deepEqual(parseImageReference("10.0.0.1:5000/a/b"), { repository: "10.0.0.1:5000/a/b" });
    assert.deepEqual(parseImageReference(`localhost:5000/a:1@${digest}`), {
      repository: "localhost:5000/a",
      tag: "1",
      digest,
    });
  });

  it("is accepted by digest, or by a tag that nobody moves", () => {
    for (const reference of [`tidesql@${digest}`, `a/b:latest@${digest}`, "registry:5000/tidesql:4.5.7"]) {
      assert.equal(reason(reference), "", reference);
    }
  });

  it("is refused without a tag, with latest, and with others that move", () => {
    assert.match(reason("tidesql"), /^image: .*no tag.*"latest".*tidesql@sha256/);
    assert.match(reason("registry:5000/tidesql"), /no tag/);
    for (const tag of ["latest", "LATEST", "stable", "main"])
      assert.match(reason(`a/b:${tag}`), /moves.*a\/b@sha256/, tag);
  });

  it("is refused when it is none, on one line", () => {
    for (const reference of ["", " ", "a b", "a/B:1", "a:", "a@sha256:abc", "https://a/b:1", "a:1\nb", "a//b:1"]) {
      assert.match(reason(reference), /not an image reference/, reference);
      assert.ok(!reason(reference).includes("\n"));
    }
  });

  it("that is accepted is one word, which a manifest and a shell take as it is", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 40 }), fc.constantFrom("", ":1", `@${digest}`), (name, suffix) => {
        if (reason(name + suffix) !== "") return;
        assert.match(name + suffix, /^[A-Za-z0-9._:/@-]+$/);
      }),
    );
  });
});
