import { createPrivateKey, generateKeyPairSync, sign, X509Certificate } from "node:crypto";

/** A certificate and its key: PEM. */
export interface TestCertificate {
  certificate: string;
  key: string;
}

/** One DER element: tag, length, content. */
function der(tag: number, ...content: Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  if (body.length < 128) return Buffer.concat([Buffer.from([tag, body.length]), body]);
  const length = Buffer.from(body.length.toString(16).padStart(4, "0"), "hex");
  return Buffer.concat([Buffer.from([tag, 0x80 | length.length]), length, body]);
}

const sequence = (...content: Uint8Array[]) => der(0x30, ...content);
const oid = (hexadecimal: string) => der(0x06, Buffer.from(hexadecimal, "hex"));
const bitString = (content: Uint8Array) => der(0x03, Buffer.from([0]), content);
const extension = (id: Buffer, content: Buffer) => sequence(id, der(0x04, content));

const ecdsaWithSha256 = sequence(oid("2a8648ce3d040302"));
const commonName = oid("550403");
const basicConstraints = oid("551d13");
const subjectAlternativeName = oid("551d11");

/** Signed by itself, valid for the years around 2026 in which the tests run. @param name the server's name */
export function makeCertificate(name: string): TestCertificate {
  return issue([name]);
}

/** Signed by an authority's certificate: one that was made with `makeCertificate`. @param names that it holds for; "*." stands for one label */
export function signCertificate(names: string[], authority: TestCertificate): TestCertificate {
  return issue(names, authority);
}

function issue(names: string[], authority?: TestCertificate): TestCertificate {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const named = (name: string) => sequence(der(0x31, sequence(commonName, der(0x0c, Buffer.from(name)))));
  const subject = named(names[0] ?? "");
  const issuer = authority ? named(new X509Certificate(authority.certificate).subject.replace("CN=", "")) : subject;
  const validity = sequence(der(0x17, Buffer.from("200101000000Z")), der(0x17, Buffer.from("491231235959Z")));
  const extensions = sequence(
    ...(authority ? [] : [extension(basicConstraints, sequence(der(0x01, Buffer.from([0xff]))))]),
    extension(subjectAlternativeName, sequence(...names.map(name => der(0x82, Buffer.from(name))))),
  );
  const content = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([authority ? 2 : 1])),
    ecdsaWithSha256,
    issuer,
    validity,
    subject,
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, extensions),
  );
  const signature = sign("sha256", content, authority ? createPrivateKey(authority.key) : privateKey);
  const certificate = sequence(content, ecdsaWithSha256, bitString(signature));
  // No empty line at the end, whatever the length.
  const lines = (certificate.toString("base64").match(/.{1,64}/g) ?? []).join("\n");
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: "pkcs8", format: "pem" }) as string,
  };
}
