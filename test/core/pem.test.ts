import assert from "node:assert/strict";
import { authorityProblem } from "../../components/core/pem";
import { makeCertificate } from "../engine/testCertificate";

describe("an authority's certificate", () => {
  const { certificate, key } = makeCertificate("authority.example");

  it("may be one, or several one behind the other, with text around", () => {
    assert.equal(authorityProblem(certificate), undefined);
    assert.equal(authorityProblem(`Our root\n${certificate}\nIts successor\n${certificate}`), undefined);
  });

  const refused: Record<string, [pem: string, says: RegExp]> = {
    nothing: ["", /is not a certificate in PEM/],
    "a path": ["/etc/ssl/ca.pem", /is not a certificate in PEM/],
    "a key": [key, /holds a private key/],
    "a key beside it": [certificate + key, /holds a private key/],
    "a certificate cut in the middle": [certificate.slice(0, 200), /is not a certificate in PEM/],
    "text between its lines": [
      "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----",
      /cannot be read as a certificate/,
    ],
  };
  for (const [kind, [pem, says]] of Object.entries(refused)) {
    it(`is not: ${kind}`, () => {
      const reason = authorityProblem(pem) ?? "";
      assert.match(reason, says);
      assert.ok(!reason.includes(key.split("\n")[1] ?? "?"), "shows the key");
    });
  }
});
