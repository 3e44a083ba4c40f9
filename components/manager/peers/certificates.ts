import { X509Certificate, createPrivateKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { Log } from "../base/ports";

/** What a node proves its name with, PEM: its certificate, the key of that, and the authority whose certificates it accepts. */
export interface TlsIdentity {
  cert: Buffer;
  key: Buffer;
  ca: Buffer;
}

/** The identity in a mounted Secret. @param directory has `tls.crt`, `tls.key` and `ca.crt` @throws when one of them cannot be read */
export function readIdentity(directory: string): TlsIdentity {
  return {
    cert: readFileSync(`${directory}/tls.crt`),
    key: readFileSync(`${directory}/tls.key`),
    ca: readFileSync(`${directory}/ca.crt`),
  };
}

/** Secrets are looked at this often. The kubelet itself takes up to a minute or two to bring a changed one. Milliseconds. */
export const certificateCheckMilliseconds = 10_000;

/**
 * Puts a renewed certificate to use without a restart: the kubelet replaces the mounted files when their Secret changes, by hand or by cert-manager. An identity is applied when it is whole
 * (the key is the certificate's) and differs from the one in use; one that could not be applied everywhere is applied again at the next look.
 */
export class CertificateWatch {
  private inUse: TlsIdentity;
  private refused = "";

  /**
   * @param directory of the mounted Secret, readable now
   * @param apply puts an identity to use; what it throws is logged
   */
  constructor(
    private readonly directory: string,
    private readonly apply: (identity: TlsIdentity) => Promise<void>,
    private readonly log: Log,
  ) {
    this.inUse = readIdentity(directory);
  }

  /** Looks once. Never throws. */
  async check(): Promise<void> {
    try {
      const found = readIdentity(this.directory);
      if (same(found, this.inUse)) return;
      requireWhole(found);
      await this.apply(found);
      this.inUse = found;
      this.refused = "";
      this.log("info", "loaded a new certificate", { expires: new X509Certificate(found.cert).validTo });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (why !== this.refused) this.log("warning", "could not load the new certificate yet", { error: why });
      this.refused = why;
    }
  }
}

function same(a: TlsIdentity, b: TlsIdentity): boolean {
  return a.cert.equals(b.cert) && a.key.equals(b.key) && a.ca.equals(b.ca);
}

/** @throws when the files are not of one identity, as in the middle of a change */
function requireWhole({ cert, key, ca }: TlsIdentity): void {
  new X509Certificate(ca);
  if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) {
    throw new Error("tls.key does not match tls.crt");
  }
}
