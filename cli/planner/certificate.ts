import { createHash, createPublicKey, type KeyObject, randomBytes, sign } from "node:crypto";
import { isIP } from "node:net";
import * as der from "./der";

/** Who a certificate is about; the names of the provider `tls`. */
export interface Subject {
  commonName?: string;
  organization?: string;
  organizationalUnit?: string;
  country?: string;
  province?: string;
  locality?: string;
  streetAddresses?: string[];
  postalCode?: string;
  serialNumber?: string;
}

/** Under which names a server answers. */
export interface AlternativeNames {
  dnsNames?: string[];
  ipAddresses?: string[];
  uris?: string[];
}

export interface CertificateContent {
  /** DER of the name: `encodeName(subject)`, or taken from a request. */
  subject: Buffer;
  /** DER of the issuer's name. */
  issuer: Buffer;
  publicKey: KeyObject;
  /** Private key of the issuer. */
  signer: KeyObject;
  notBefore: Date;
  notAfter: Date;
  isAuthority: boolean;
  /** Names of the provider `tls`: `server_auth`, `cert_signing`, ... */
  allowedUses: string[];
  /** DER of the subjectAltName extension's value, if there is any. */
  alternativeNames?: Buffer;
  /** Public key of the issuer, when it is another than the subject's. */
  issuerKey?: KeyObject;
}

const nameAttributes: { of: keyof Subject; identifier: string }[] = [
  { of: "country", identifier: "2.5.4.6" },
  { of: "organization", identifier: "2.5.4.10" },
  { of: "organizationalUnit", identifier: "2.5.4.11" },
  { of: "locality", identifier: "2.5.4.7" },
  { of: "province", identifier: "2.5.4.8" },
  { of: "streetAddresses", identifier: "2.5.4.9" },
  { of: "postalCode", identifier: "2.5.4.17" },
  { of: "commonName", identifier: "2.5.4.3" },
  { of: "serialNumber", identifier: "2.5.4.5" },
];

/** Bits of the keyUsage extension (RFC 5280, 4.2.1.3), the first bit first. */
const keyUsages = [
  "digital_signature",
  "content_commitment",
  "key_encipherment",
  "data_encipherment",
  "key_agreement",
  "cert_signing",
  "crl_signing",
  "encipher_only",
  "decipher_only",
];

/** Purposes of the extendedKeyUsage extension (RFC 5280, 4.2.1.12). */
const extendedUsages: Record<string, string> = {
  any_extended: "2.5.29.37.0",
  server_auth: "1.3.6.1.5.5.7.3.1",
  client_auth: "1.3.6.1.5.5.7.3.2",
  code_signing: "1.3.6.1.5.5.7.3.3",
  email_protection: "1.3.6.1.5.5.7.3.4",
  timestamping: "1.3.6.1.5.5.7.3.8",
  ocsp_signing: "1.3.6.1.5.5.7.3.9",
};

/** A signed X.509 certificate of version 3, as PEM. */
export function createCertificate(content: CertificateContent): string {
  const algorithm = signatureAlgorithm(content.signer);
  const toBeSigned = der.sequence(
    der.element(der.tag.constructed(0), der.integer(Buffer.from([2]))),
    der.integer(serialNumber()),
    algorithm,
    content.issuer,
    der.sequence(der.time(content.notBefore), der.time(content.notAfter)),
    content.subject,
    content.publicKey.export({ type: "spki", format: "der" }),
    der.element(der.tag.constructed(3), der.sequence(...extensionsOf(content))),
  );
  return pem("CERTIFICATE", signed(toBeSigned, content.signer, algorithm));
}

/** A signed PKCS #10 request (RFC 2986), as PEM. */
export function createRequest(subject: Buffer, key: KeyObject, alternativeNames: Buffer | undefined): string {
  const extensions = alternativeNames ? [extension(subjectAltName, alternativeNames)] : [];
  const attributes = extensions.length
    ? [der.sequence(der.objectIdentifier(extensionRequest), der.set(der.sequence(...extensions)))]
    : [];
  const toBeSigned = der.sequence(
    der.integer(Buffer.from([0])),
    subject,
    createPublicKey(key).export({ type: "spki", format: "der" }),
    der.element(der.tag.constructed(0), ...attributes),
  );
  return pem("CERTIFICATE REQUEST", signed(toBeSigned, key, signatureAlgorithm(key)));
}

/** What a certificate takes over from a request. @throws RangeError for bytes that are no request */
export function readRequest(requestPem: string): { subject: Buffer; publicKey: KeyObject; alternativeNames?: Buffer } {
  const [, subject, publicKey, attributes] = partsOfSigned(requestPem);
  if (!subject || !publicKey) throw new RangeError("this is no certificate request");
  const wanted = (attributes ? der.elementsOf(attributes.content) : []).map(item => der.elementsOf(item.content));
  const requested = wanted.find(([identifier]) => identifier?.whole.equals(der.objectIdentifier(extensionRequest)));
  const [extensions] = requested?.[1] ? der.elementsOf(requested[1].content) : [];
  const names = (extensions ? der.elementsOf(extensions.content) : [])
    .map(item => der.elementsOf(item.content))
    .find(([identifier]) => identifier?.whole.equals(der.objectIdentifier(subjectAltName)));
  return {
    subject: subject.whole,
    publicKey: createPublicKey({ key: publicKey.whole, format: "der", type: "spki" }),
    alternativeNames: names?.at(-1)?.content,
  };
}

/** DER of the name that a certificate is about. @throws RangeError for bytes that are no certificate */
export function subjectOf(certificatePem: string): Buffer {
  const parts = partsOfSigned(certificatePem);
  const first = parts[0]?.tag === der.tag.constructed(0) ? 1 : 0;
  const subject = parts[first + 4];
  if (!subject) throw new RangeError("this is no certificate");
  return subject.whole;
}

/** DER of a distinguished name. */
export function encodeName(subject: Subject): Buffer {
  const attributes = nameAttributes.flatMap(({ of, identifier }) =>
    [subject[of] ?? []].flat().map(value => ({ identifier, value })),
  );
  return der.sequence(
    ...attributes.map(({ identifier, value }) =>
      der.set(der.sequence(der.objectIdentifier(identifier), der.utf8String(value))),
    ),
  );
}

/** DER of the subjectAltName extension's value; undefined when there is no name. */
export function encodeAlternativeNames(names: AlternativeNames): Buffer | undefined {
  const text = (number: number, value: string) => der.element(der.tag.primitive(number), Buffer.from(value, "ascii"));
  const encoded = [
    ...(names.dnsNames ?? []).map(name => text(2, name)),
    ...(names.uris ?? []).map(uri => text(6, uri)),
    ...(names.ipAddresses ?? []).map(address => der.element(der.tag.primitive(7), addressBytes(address))),
  ];
  return encoded.length > 0 ? der.sequence(...encoded) : undefined;
}

const subjectAltName = "2.5.29.17";
const extensionRequest = "1.2.840.113549.1.9.14";

function extensionsOf(content: CertificateContent): Buffer[] {
  const usageBits = keyUsages.map(usage => content.allowedUses.includes(usage));
  const purposes = content.allowedUses.flatMap(usage => extendedUsages[usage] ?? []);
  const constraints = content.isAuthority ? [der.boolean(true)] : [];
  const extensions = [extension("2.5.29.19", der.sequence(...constraints), true)];
  if (usageBits.includes(true)) extensions.push(extension("2.5.29.15", encodeBits(usageBits), true));
  if (purposes.length > 0) extensions.push(extension("2.5.29.37", der.sequence(...purposes.map(der.objectIdentifier))));
  extensions.push(extension("2.5.29.14", der.octetString(keyIdentifier(content.publicKey))));
  if (content.issuerKey) {
    const issuer = der.element(der.tag.primitive(0), keyIdentifier(content.issuerKey));
    extensions.push(extension("2.5.29.35", der.sequence(issuer)));
  }
  if (content.alternativeNames) extensions.push(extension(subjectAltName, content.alternativeNames));
  return extensions;
}

function extension(identifier: string, value: Buffer, isCritical = false): Buffer {
  const critical = isCritical ? [der.boolean(true)] : [];
  return der.sequence(der.objectIdentifier(identifier), ...critical, der.octetString(value));
}

/** A named bit list: trailing zero bits are left out, as DER wants it. */
function encodeBits(bits: boolean[]): Buffer {
  const length = bits.lastIndexOf(true) + 1;
  const bytes = Buffer.alloc(Math.ceil(length / 8));
  bits.slice(0, length).forEach((bit, index) => {
    if (bit) bytes[index >> 3] = (bytes[index >> 3] ?? 0) | (0x80 >> (index & 7));
  });
  return der.bitString(bytes, bytes.length * 8 - length);
}

/** SHA-1 of the public key's bits (RFC 5280, 4.2.1.2): an identifier, nothing depends on its strength. */
export function keyIdentifier(publicKey: KeyObject): Buffer {
  const [spki] = der.elementsOf(publicKey.export({ type: "spki", format: "der" }));
  const bits = spki && der.elementsOf(spki.content)[1];
  return createHash("sha1")
    .update(bits?.content.subarray(1) ?? Buffer.alloc(0))
    .digest();
}

function signatureAlgorithm(key: KeyObject): Buffer {
  switch (key.asymmetricKeyType) {
    case "rsa":
      return der.sequence(der.objectIdentifier("1.2.840.113549.1.1.11"), der.nothing());
    case "ed25519":
      return der.sequence(der.objectIdentifier("1.3.101.112"));
    default:
      return der.sequence(der.objectIdentifier("1.2.840.10045.4.3.2"));
  }
}

function signed(toBeSigned: Buffer, key: KeyObject, algorithm: Buffer): Buffer {
  const digest = key.asymmetricKeyType === "ed25519" ? null : "sha256";
  return der.sequence(toBeSigned, algorithm, der.bitString(sign(digest, toBeSigned, key)));
}

/** 127 random bits: positive, and unique for all that matters. */
function serialNumber(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0] ?? 0) & 0x7f;
  return bytes;
}

function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split(".").map(Number));
  const [head = "", tail] = address.split("::");
  const groups = (text: string) => (text === "" ? [] : text.split(":").map(group => parseInt(group, 16)));
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const zeros = new Array<number>(8 - before.length - after.length).fill(0);
  return Buffer.from([...before, ...zeros, ...after].flatMap(group => [group >> 8, group & 0xff]));
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString("base64").replace(/.{64}(?!$)/g, "$&\n");
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}

/** The elements of what is signed, in a certificate or a request. */
function partsOfSigned(text: string): der.Element[] {
  const bytes = Buffer.from(text.replace(/-----[^-]+-----/g, ""), "base64");
  const [outer] = der.elementsOf(bytes);
  const [toBeSigned] = outer ? der.elementsOf(outer.content) : [];
  return toBeSigned ? der.elementsOf(toBeSigned.content) : [];
}
