import { createHash, createPublicKey, type KeyObject, randomBytes, sign } from "node:crypto";
import { Attributes, CertificationRequest, CertificationRequestInfo } from "@peculiar/asn1-csr";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import * as x509 from "@peculiar/asn1-x509";

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

/** What a certificate says, and who signs it. */
export interface CertificateContent {
  subject: x509.Name;
  issuer: x509.Name;
  publicKey: KeyObject;
  /** Private key of the issuer. */
  signer: KeyObject;
  notBefore: Date;
  notAfter: Date;
  isAuthority: boolean;
  /** Names of the provider `tls`: `server_auth`, `cert_signing`, ... */
  allowedUses: string[];
  /** Undefined when there is no name. */
  alternativeNames?: x509.SubjectAlternativeName;
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

const keyUsages: Record<string, x509.KeyUsageFlags> = {
  digital_signature: x509.KeyUsageFlags.digitalSignature,
  content_commitment: x509.KeyUsageFlags.nonRepudiation,
  key_encipherment: x509.KeyUsageFlags.keyEncipherment,
  data_encipherment: x509.KeyUsageFlags.dataEncipherment,
  key_agreement: x509.KeyUsageFlags.keyAgreement,
  cert_signing: x509.KeyUsageFlags.keyCertSign,
  crl_signing: x509.KeyUsageFlags.cRLSign,
  encipher_only: x509.KeyUsageFlags.encipherOnly,
  decipher_only: x509.KeyUsageFlags.decipherOnly,
};

const extendedUsages: Record<string, string> = {
  any_extended: x509.anyExtendedKeyUsage,
  server_auth: x509.id_kp_serverAuth,
  client_auth: x509.id_kp_clientAuth,
  code_signing: x509.id_kp_codeSigning,
  email_protection: x509.id_kp_emailProtection,
  timestamping: x509.id_kp_timeStamping,
  ocsp_signing: x509.id_kp_OCSPSigning,
};

/** The attribute of a request that holds the extensions which it asks for (RFC 2985, 5.4.2). */
const extensionRequest = "1.2.840.113549.1.9.14";

/** A signed X.509 certificate of version 3, as PEM. */
export function createCertificate(content: CertificateContent): string {
  const algorithm = signatureAlgorithm(content.signer);
  const tbsCertificate = new x509.TBSCertificate({
    version: x509.Version.v3,
    serialNumber: serialNumber(),
    signature: algorithm,
    issuer: content.issuer,
    validity: new x509.Validity({ notBefore: content.notBefore, notAfter: content.notAfter }),
    subject: content.subject,
    subjectPublicKeyInfo: publicKeyInfo(content.publicKey),
    extensions: new x509.Extensions(extensionsOf(content)),
  });
  const signatureValue = signature(tbsCertificate, content.signer);
  return pem("CERTIFICATE", new x509.Certificate({ tbsCertificate, signatureAlgorithm: algorithm, signatureValue }));
}

/** A signed PKCS #10 request (RFC 2986), as PEM. */
export function createRequest(
  subject: x509.Name,
  key: KeyObject,
  alternativeNames: x509.SubjectAlternativeName | undefined,
): string {
  const wanted = alternativeNames && new x509.Extensions([extension(x509.id_ce_subjectAltName, alternativeNames)]);
  const attributes = wanted
    ? [new x509.Attribute({ type: extensionRequest, values: [AsnConvert.serialize(wanted)] })]
    : [];
  const certificationRequestInfo = new CertificationRequestInfo({
    subject,
    subjectPKInfo: publicKeyInfo(createPublicKey(key)),
    attributes: new Attributes(attributes),
  });
  const request = new CertificationRequest({
    certificationRequestInfo,
    signatureAlgorithm: signatureAlgorithm(key),
    signature: signature(certificationRequestInfo, key),
  });
  return pem("CERTIFICATE REQUEST", request);
}

/** What a certificate takes over from a request. @throws Error for text that is not a request */
export function readRequest(
  requestPem: string,
): Pick<CertificateContent, "subject" | "publicKey" | "alternativeNames"> {
  const { subject, subjectPKInfo, attributes } = AsnConvert.parse(
    bytesOf(requestPem),
    CertificationRequest,
  ).certificationRequestInfo;
  const [wanted] = attributes.find(({ type }) => type === extensionRequest)?.values ?? [];
  const names = wanted && AsnConvert.parse(wanted, x509.Extensions).find(isAlternativeNames);
  return {
    subject,
    publicKey: createPublicKey({
      key: Buffer.from(AsnConvert.serialize(subjectPKInfo)),
      format: "der",
      type: "spki",
    }),
    alternativeNames: names && AsnConvert.parse(names.extnValue, x509.SubjectAlternativeName),
  };
}

/** The name that a certificate is about. @throws Error for text that is not a certificate */
export function subjectOf(certificatePem: string): x509.Name {
  return AsnConvert.parse(bytesOf(certificatePem), x509.Certificate).tbsCertificate.subject;
}

/** A distinguished name. */
export function distinguishedName(subject: Subject): x509.Name {
  const parts = nameAttributes.flatMap(({ of, identifier }) =>
    [subject[of] ?? []].flat().map(utf8String => {
      const value = new x509.AttributeValue({ utf8String });
      return new x509.RelativeDistinguishedName([new x509.AttributeTypeAndValue({ type: identifier, value })]);
    }),
  );
  return new x509.Name(parts);
}

/** The value of the subjectAltName extension; undefined when there is no name. */
export function alternativeNames(names: AlternativeNames): x509.SubjectAlternativeName | undefined {
  const all = [
    ...(names.dnsNames ?? []).map(dNSName => new x509.GeneralName({ dNSName })),
    ...(names.uris ?? []).map(uri => new x509.GeneralName({ uniformResourceIdentifier: uri })),
    ...(names.ipAddresses ?? []).map(iPAddress => new x509.GeneralName({ iPAddress })),
  ];
  return all.length > 0 ? new x509.SubjectAlternativeName(all) : undefined;
}

/** SHA-1 of the public key's bits (RFC 5280, 4.2.1.2): an identifier, nothing depends on its strength. */
export function keyIdentifier(publicKey: KeyObject): Buffer {
  const { subjectPublicKey } = publicKeyInfo(publicKey);
  return createHash("sha1").update(Buffer.from(subjectPublicKey)).digest();
}

function extensionsOf(content: CertificateContent): x509.Extension[] {
  const { isAuthority, allowedUses, publicKey, issuerKey } = content;
  const usages = allowedUses.reduce((flags, usage) => flags | (keyUsages[usage] ?? 0), 0);
  const purposes = allowedUses.flatMap(usage => extendedUsages[usage] ?? []);
  const ownKey = new x509.SubjectKeyIdentifier(keyIdentifier(publicKey));
  const extensions = [
    extension(x509.id_ce_basicConstraints, new x509.BasicConstraints({ cA: isAuthority }), true),
    extension(x509.id_ce_subjectKeyIdentifier, ownKey),
  ];
  if (usages !== 0) extensions.push(extension(x509.id_ce_keyUsage, new x509.KeyUsage(usages), true));
  if (purposes.length > 0) {
    extensions.push(extension(x509.id_ce_extKeyUsage, new x509.ExtendedKeyUsage(purposes)));
  }
  if (issuerKey) {
    const identifier = new x509.KeyIdentifier(keyIdentifier(issuerKey));
    const issuer = new x509.AuthorityKeyIdentifier({ keyIdentifier: identifier });
    extensions.push(extension(x509.id_ce_authorityKeyIdentifier, issuer));
  }
  if (content.alternativeNames) extensions.push(extension(x509.id_ce_subjectAltName, content.alternativeNames));
  return extensions;
}

function extension(extnID: string, value: object, critical = false): x509.Extension {
  return new x509.Extension({ extnID, critical, extnValue: new OctetString(AsnConvert.serialize(value)) });
}

function isAlternativeNames({ extnID }: x509.Extension): boolean {
  return extnID === x509.id_ce_subjectAltName;
}

function publicKeyInfo(publicKey: KeyObject): x509.SubjectPublicKeyInfo {
  return AsnConvert.parse(publicKey.export({ type: "spki", format: "der" }), x509.SubjectPublicKeyInfo);
}

/** SHA-256 with the signer's kind of key; Ed25519 has a hash of its own. */
function signatureAlgorithm({ asymmetricKeyType }: KeyObject): x509.AlgorithmIdentifier {
  switch (asymmetricKeyType) {
    case "rsa":
      return new x509.AlgorithmIdentifier({ algorithm: "1.2.840.113549.1.1.11", parameters: null });
    case "ed25519":
      return new x509.AlgorithmIdentifier({ algorithm: "1.3.101.112" });
    default:
      return new x509.AlgorithmIdentifier({ algorithm: "1.2.840.10045.4.3.2" });
  }
}

function signature(content: object, key: KeyObject): ArrayBuffer {
  const digest = key.asymmetricKeyType === "ed25519" ? null : "sha256";
  return new Uint8Array(sign(digest, Buffer.from(AsnConvert.serialize(content)), key)).buffer;
}

/** 126 random bits below a set one: positive, of one length, and unique for all that matters. */
function serialNumber(): ArrayBuffer {
  const bytes = new Uint8Array(randomBytes(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.buffer;
}

function pem(label: string, content: object): string {
  const lines = Buffer.from(AsnConvert.serialize(content))
    .toString("base64")
    .replace(/.{64}(?!$)/g, "$&\n");
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}

function bytesOf(text: string): Buffer {
  return Buffer.from(text.replace(/-----[^-]+-----/g, ""), "base64");
}
