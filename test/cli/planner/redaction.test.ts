import assert from "node:assert/strict";
import fc from "fast-check";
import { KnownSecrets, masked } from "../../../cli/planner/redaction";
import { Secret, unknown, type PlannedValue } from "../../../cli/planner/values";

function knowing(...values: PlannedValue[]): KnownSecrets {
  const secrets = new KnownSecrets();
  for (const value of values) secrets.add(new Secret(value));
  return secrets;
}

/** Characters of texts around secrets are others, so that no secret begins or ends by chance. */
const secretText = fc.string({ unit: fc.constantFrom(..."abcdefgh01/+= \n"), minLength: 8, maxLength: 40 });
const otherText = fc.string({ unit: fc.constantFrom(..."XYZ-[]{}\t") });

describe("keeping secrets out of texts", () => {
  it("takes a secret out wherever it is in a text, and leaves the rest", () => {
    fc.assert(
      fc.property(secretText, fc.array(otherText), (secret, others) => {
        fc.pre(secret.trim() === secret);
        assert.equal(knowing(secret).redact(others.join(secret)), others.join("[secret]"));
      }),
    );
  });

  it("knows the forms in which a secret is passed on", () => {
    const secret = 'p"a/s s+w\nörd';
    const forms = [
      Buffer.from(secret).toString("base64"),
      Buffer.from(secret).toString("base64url"),
      Buffer.from(secret).toString("hex"),
      encodeURIComponent(secret),
      JSON.stringify(secret).slice(1, -1),
    ];
    for (const form of forms) assert.equal(knowing(secret).redact(`x${form}y`), "x[secret]y");
  });

  it("finds secrets inside structured ones, and numbers", () => {
    const secrets = knowing({ users: [{ password: "correct horse" }], pin: 12345678 });
    assert.equal(secrets.redact("correct horse and 12345678"), "[secret] and [secret]");
  });

  it("takes the longer of two secrets that begin alike", () => {
    assert.equal(knowing("abcdefgh", "abcdefghijkl").redact("abcdefghijkl abcdefghij"), "[secret] [secret]ij");
  });

  it("takes a short secret for one only where it stands alone", () => {
    const secrets = knowing("yes");
    assert.equal(secrets.redact('eyes say "yes", yesterday'), 'eyes say "[secret]", yesterday');
  });

  it("leaves names that everybody may see, and certificates", () => {
    const certificate = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    const secrets = knowing("orders-database", certificate);
    secrets.allow("orders-database");
    assert.equal(secrets.redact(`orders-database ${certificate}`), `orders-database ${certificate}`);
  });

  it("ignores what is not secret or not known", () => {
    const secrets = new KnownSecrets();
    secrets.add({ plain: "visible-to-all", hidden: new Secret(unknown) });
    assert.equal(secrets.redact("visible-to-all"), "visible-to-all");
  });

  it("is fast on a text of a megabyte", () => {
    const secrets = knowing(...Array.from({ length: 200 }, (_, index) => `secret-number-${index}-of-many`));
    const text = "const value = secret ? number : 0;\n".repeat(30_000);
    const started = process.cpuUsage();
    assert.equal(secrets.redact(text), text);
    const { user, system } = process.cpuUsage(started);
    assert.ok(user + system < 5_000_000, `${user + system} microseconds of CPU`);
  });
});

describe("a masked value", () => {
  it("has no secret in any place, and everything else", () => {
    const secrets = knowing("correct horse");
    const value: PlannedValue = {
      password: new Secret("correct horse"),
      command: ["login", "--password=correct horse"],
      nested: { token: new Secret({ a: "correct horse" }), arn: unknown, count: 3, none: null, on: true },
    };
    assert.deepEqual(masked(value, secrets), {
      password: "[secret]",
      command: ["login", "--password=[secret]"],
      nested: { token: "[secret]", arn: "[unknown]", count: 3, none: null, on: true },
    });
  });
});
