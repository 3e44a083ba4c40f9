import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import { certificateDnsNames, certificateIpAddresses } from "../core/certificateNames";
import { transformed } from "../transform";
import { DatabaseContext } from "./context";

/** PEM texts of the server's certificate and its authority. */
export interface ServerCertificate {
  certificate: pulumi.Output<string>;
  privateKey: pulumi.Output<string>;
  ca: pulumi.Output<string>;
}

/** Small, fast, and known to every client of the last ten years. */
const keyType: tls.PrivateKeyArgs = { algorithm: "ECDSA", ecdsaCurve: "P256" };
/** An authority outlives the certificates that it signs: it is renewed, with the same key, while it is still good for more than two of them. */
const authorityLifetimes = 5;
const authorityRenewalLifetimes = 2;

/** Makes an authority of the database's own, and a certificate for its Services and pods. The managers show one another the same one, so it is a client's too. */
export function makeServerCertificate({ name, settings, transform, outside }: DatabaseContext): ServerCertificate {
  const { names, clusterDomain, certificate } = settings;
  const { validityHours, earlyRenewalHours, additionalDnsNames } = certificate;
  const dnsNames = (namespace: string) =>
    certificateDnsNames({ ...names, namespace }, clusterDomain, additionalDnsNames);
  // Clients trust what it signs: with another one each of them has to be told.
  const authorityKey = new tls.PrivateKey(
    ...transformed(transform.certificateAuthorityKey, `${name}-ca-key`, keyType, {
      ...outside,
      protect: settings.deletionProtection,
    }),
  );
  const authority = new tls.SelfSignedCert(
    ...transformed(
      transform.certificateAuthority,
      `${name}-ca`,
      {
        privateKeyPem: pulumi.secret(authorityKey.privateKeyPem),
        subject: { commonName: `tidesql ${name} CA`, organization: "pulumi-tidesql" },
        isCaCertificate: true,
        setSubjectKeyId: true,
        validityPeriodHours: authorityLifetimes * validityHours,
        earlyRenewalHours: authorityRenewalLifetimes * validityHours,
        allowedUses: ["cert_signing", "crl_signing"],
      },
      outside,
    ),
  );
  const key = new tls.PrivateKey(...transformed(transform.certificateKey, `${name}-server-key`, keyType, outside));
  const request = new tls.CertRequest(
    ...transformed(
      transform.certificateRequest,
      `${name}-server-request`,
      {
        privateKeyPem: pulumi.secret(key.privateKeyPem),
        subject: { commonName: name, organization: "pulumi-tidesql" },
        dnsNames:
          typeof names.namespace === "string"
            ? dnsNames(names.namespace)
            : pulumi.output(names.namespace).apply(dnsNames),
        ipAddresses: certificateIpAddresses,
      },
      outside,
    ),
  );
  const signed = new tls.LocallySignedCert(
    ...transformed(
      transform.certificate,
      `${name}-server`,
      {
        certRequestPem: request.certRequestPem,
        caPrivateKeyPem: pulumi.secret(authorityKey.privateKeyPem),
        caCertPem: authority.certPem,
        setSubjectKeyId: true,
        validityPeriodHours: validityHours,
        earlyRenewalHours,
        allowedUses: ["digital_signature", "key_encipherment", "server_auth", "client_auth"],
      },
      outside,
    ),
  );
  return {
    certificate: signed.certPem,
    privateKey: pulumi.secret(key.privateKeyPemPkcs8),
    ca: authority.certPem,
  };
}
