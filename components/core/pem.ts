import { X509Certificate } from "node:crypto";

/** What is wrong with the certificate of an authority, or several, one behind the other. @param pem not shown in the answer: somebody may have given a key */
export function authorityProblem(pem: string): string | undefined {
  const certificates = pem.match(/-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs) ?? [];
  const way = "give the authority's certificate in PEM, from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----";
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)) return `holds a private key: ${way}, and nothing else`;
  if (certificates.length === 0) return `is not a certificate in PEM: ${way}`;
  return certificates.every(isCertificate) ? undefined : `cannot be read as a certificate: ${way}`;
}

function isCertificate(pem: string): boolean {
  try {
    new X509Certificate(pem);
    return true;
  } catch {
    return false;
  }
}
