import assert from "node:assert/strict";
import { once } from "node:events";
import * as fs from "node:fs";
import type { AddressInfo, LookupFunction } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { CertificateWatch, readIdentity, TlsIdentity } from "../../../components/manager/peers/certificates";
import { PeerHandler, peerNetwork, servePeers } from "../../../components/manager/peers/peerNetwork";
import { makeCertificate, signCertificate, TestCertificate } from "../../engine/testCertificate";
import { configuration } from "../views";

const timeout = 5000;
const names = ["orders.shop.svc", "*.orders.shop.svc"];

describe("a renewed certificate", () => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "certificate-"));
  const oldAuthority = makeCertificate("old CA");
  const newAuthority = makeCertificate("new CA");
  const oldOne = signCertificate(names, oldAuthority);
  const newOne = signCertificate(names, newAuthority);
  const log: string[] = [];
  let applied: TlsIdentity[];
  let refuses: boolean;
  let watch: CertificateWatch;

  function mount({ certificate, key }: TestCertificate, ca: string): void {
    fs.writeFileSync(path.join(directory, "tls.crt"), certificate);
    fs.writeFileSync(path.join(directory, "tls.key"), key);
    fs.writeFileSync(path.join(directory, "ca.crt"), ca);
  }

  beforeEach(() => {
    mount(oldOne, oldAuthority.certificate);
    log.length = 0;
    applied = [];
    refuses = false;
    watch = new CertificateWatch(
      directory,
      identity => {
        if (refuses) return Promise.reject(new Error("the server does not answer"));
        applied.push(identity);
        return Promise.resolve();
      },
      (_level, message) => void log.push(message),
    );
  });
  after(() => fs.rmSync(directory, { recursive: true }));

  it("is put to use once", async () => {
    await watch.check();
    assert.equal(applied.length, 0, "the one that it began with");
    mount(newOne, newAuthority.certificate);
    await watch.check();
    await watch.check();
    assert.deepEqual(applied, [readIdentity(directory)]);
  });

  it("is not put to use with another's key, as in the middle of a change", async () => {
    mount({ certificate: newOne.certificate, key: oldOne.key }, newAuthority.certificate);
    await watch.check();
    assert.deepEqual(applied, []);
    mount(newOne, newAuthority.certificate);
    await watch.check();
    assert.equal(applied.length, 1);
  });

  it("is tried again where it could not be put to use, and that is said once", async () => {
    mount(newOne, newAuthority.certificate);
    refuses = true;
    await watch.check();
    await watch.check();
    assert.deepEqual(log, ["could not load the new certificate yet"]);
    refuses = false;
    await watch.check();
    assert.equal(applied.length, 1);
  });

  it("keeps the one in use while a file is missing", async () => {
    fs.rmSync(path.join(directory, "tls.key"));
    await watch.check();
    assert.deepEqual(applied, []);
  });

  it("is what peers show and accept from the next connection on", async () => {
    const lookup: LookupFunction = (_host, { all }, callback) =>
      all ? callback(null, [{ address: "127.0.0.1", family: 4 }]) : callback(null, "127.0.0.1", 4);
    const handler = { confirmPrimary: () => true } as unknown as PeerHandler;
    const server = servePeers(configuration, handler, () => undefined, { directory, port: 0, host: "127.0.0.1" });
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const client = () => peerNetwork(configuration, "orders-0", () => undefined, { directory, port, lookup });
    const confirmed = (from: ReturnType<typeof client>) => from.confirm(["orders-1"], "orders-0_a", 7, timeout);
    try {
      const [stays, changes] = [client(), client()];
      assert.equal(await confirmed(changes), true);
      mount(newOne, newAuthority.certificate);
      server.setSecureContext(readIdentity(directory));
      server.closeAllConnections();
      changes.useIdentity(readIdentity(directory));
      assert.equal(await confirmed(changes), true, "both are of the new authority");
      assert.equal(await confirmed(stays), false, "one that still trusts the old authority only");
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });
});
