import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import {
  alternativeNames,
  createCertificate,
  createRequest,
  distinguishedName,
  keyIdentifier,
  readRequest,
  subjectOf,
} from "./certificate";
import { type Creation, type LocalProvider, withSecrets } from "./localProvider";
import { unknown } from "./values";

/** The provider's names of elliptic curves, and Node's. */
const curves: Record<string, string> = { P224: "secp224r1", P256: "prime256v1", P384: "secp384r1", P521: "secp521r1" };

const millisecondsPerHour = 3_600_000;

/** The resources of the provider `tls`, with the arguments and defaults of its schema. */
export const createTls: LocalProvider = (type, inputs) => {
  switch (type) {
    case "tls:index/privateKey:PrivateKey":
      return privateKey(inputs);
    case "tls:index/selfSignedCert:SelfSignedCert":
      return selfSigned(inputs);
    case "tls:index/certRequest:CertRequest":
      return request(inputs);
    case "tls:index/locallySignedCert:LocallySignedCert":
      return locallySigned(inputs);
    default:
      return undefined;
  }
};

function privateKey(inputs: Record<string, unknown>): Creation {
  const key = generateKey(inputs);
  const pkcs8 = key.export({ type: "pkcs8", format: "pem" }).toString();
  const publicKey = createPublicKey(key);
  const outputs = {
    privateKeyPem: traditionalPem(key),
    privateKeyPemPkcs8: pkcs8,
    privateKeyOpenssh: unknown,
    publicKeyPem: publicKey.export({ type: "spki", format: "pem" }).toString(),
  };
  const id = keyIdentifier(publicKey).toString("hex");
  return { id, outputs: withSecrets(outputs, "privateKeyPem", "privateKeyPemPkcs8", "privateKeyOpenssh") };
}

function selfSigned(inputs: Record<string, unknown>): Creation {
  const key = createPrivateKey(String(inputs.privateKeyPem));
  const publicKey = createPublicKey(key);
  const name = distinguishedName(inputs.subject ?? {});
  const validity = validityOf(inputs);
  const certPem = createCertificate({
    subject: name,
    issuer: name,
    publicKey,
    signer: key,
    ...validity,
    isAuthority: inputs.isCaCertificate === true,
    allowedUses: usesOf(inputs),
    alternativeNames: alternativeNames(inputs),
    issuerKey: inputs.setAuthorityKeyId === true ? publicKey : undefined,
  });
  return certificate(certPem, { keyAlgorithm: algorithmOf(key) }, validity, publicKey);
}

function request(inputs: Record<string, unknown>): Creation {
  const key = createPrivateKey(String(inputs.privateKeyPem));
  const name = distinguishedName(inputs.subject ?? {});
  const certRequestPem = createRequest(name, key, alternativeNames(inputs));
  const id = keyIdentifier(createPublicKey(key)).toString("hex");
  return { id, outputs: { certRequestPem, keyAlgorithm: algorithmOf(key) } };
}

function locallySigned(inputs: Record<string, unknown>): Creation {
  const authorityKey = createPrivateKey(String(inputs.caPrivateKeyPem));
  const requested = readRequest(String(inputs.certRequestPem));
  const validity = validityOf(inputs);
  const certPem = createCertificate({
    ...requested,
    issuer: subjectOf(String(inputs.caCertPem)),
    signer: authorityKey,
    ...validity,
    isAuthority: inputs.isCaCertificate === true,
    allowedUses: usesOf(inputs),
    issuerKey: createPublicKey(authorityKey),
  });
  return certificate(certPem, { caKeyAlgorithm: algorithmOf(authorityKey) }, validity, requested.publicKey);
}

function certificate(
  certPem: string,
  algorithm: Record<string, string>,
  { notBefore, notAfter }: Validity,
  publicKey: KeyObject,
): Creation {
  const validityStartTime = notBefore.toISOString();
  const validityEndTime = notAfter.toISOString();
  const outputs = { certPem, ...algorithm, validityStartTime, validityEndTime, readyForRenewal: false };
  return { id: keyIdentifier(publicKey).toString("hex"), outputs };
}

interface Validity {
  notBefore: Date;
  notAfter: Date;
}

function validityOf(inputs: Record<string, unknown>): Validity {
  const notBefore = new Date();
  return {
    notBefore,
    notAfter: new Date(notBefore.getTime() + Number(inputs.validityPeriodHours) * millisecondsPerHour),
  };
}

function usesOf(inputs: Record<string, unknown>): string[] {
  return Array.isArray(inputs.allowedUses) ? inputs.allowedUses.map(String) : [];
}

function generateKey(inputs: Record<string, unknown>): KeyObject {
  switch (inputs.algorithm) {
    case "RSA":
      return generateKeyPairSync("rsa", { modulusLength: Number(inputs.rsaBits ?? 2048) }).privateKey;
    case "ED25519":
      return generateKeyPairSync("ed25519").privateKey;
    default: {
      const curve = typeof inputs.ecdsaCurve === "string" ? inputs.ecdsaCurve : "P224";
      return generateKeyPairSync("ec", { namedCurve: curves[curve] ?? curve }).privateKey;
    }
  }
}

/** The form that the provider gives: PKCS #1 for RSA, SEC 1 for elliptic curves, PKCS #8 for the rest. */
function traditionalPem(key: KeyObject): string {
  if (key.asymmetricKeyType === "rsa") return key.export({ type: "pkcs1", format: "pem" }).toString();
  if (key.asymmetricKeyType === "ec") return key.export({ type: "sec1", format: "pem" }).toString();
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}

function algorithmOf(key: KeyObject): string {
  switch (key.asymmetricKeyType) {
    case "rsa":
      return "RSA";
    case "ed25519":
      return "ED25519";
    default:
      return "ECDSA";
  }
}
