import assert from "node:assert/strict";
import { once } from "node:events";
import * as fs from "node:fs";
import * as https from "node:https";
import type { AddressInfo, LookupFunction } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { PeerHandler, PeerPlace, peerNetwork, servePeers } from "../../../components/manager/peers/peerNetwork";
import { incomplete, PushedEntry } from "../../../components/manager/peers/entryInbox";
import { isBrief } from "../../../components/manager/store/wal/briefEntry";
import { HeldLease, PeerStatus } from "../../../components/manager/base/ports";
import { makeCertificate, signCertificate, TestCertificate } from "../../engine/testCertificate";
import { configuration, followerStatus } from "../views";

const timeout = 5000;
const podsName = "orders.shop.svc";
const addresses = new Map([
  [`orders-0.${podsName}`, "127.0.0.10"],
  [`orders-1.${podsName}`, "127.0.0.11"],
  [`orders-2.${podsName}`, "127.0.0.12"],
]);

/** What another manager was asked, and what it answers. */
class Peer implements PeerHandler {
  readonly asked: string[] = [];
  confirms = true;
  releases = true;
  server: https.Server | undefined;

  constructor(readonly pod: string) {}

  peerStatus = (): PeerStatus => followerStatus(this.pod);
  confirmPrimary = (identity: string, epoch: number) => {
    this.asked.push(`confirm ${identity} ${epoch}`);
    return this.confirms;
  };
  leaseChanged = () => void this.asked.push("lease changed");
  releaseFor = async (held: HeldLease, successor: string) => {
    await this.note(`release ${held.identity} ${held.epoch} ${held.version} ${successor}`);
    if (!this.releases) throw new Error("the Lease has changed since its holder last read it");
  };
  /** Takes a brief entry for none. */
  isOfAnEarlierBuild = false;
  takeEntry = ({ epoch, position, durable, bytes }: PushedEntry) => {
    this.asked.push(`entry ${epoch} ${position} ${durable} ${Buffer.from(bytes).toString()}`);
    if (!isBrief(bytes)) return epoch + 1;
    if (this.isOfAnEarlierBuild) throw new Error("is not an entry of this log");
    return incomplete;
  };

  private note(what: string): Promise<void> {
    this.asked.push(what);
    return Promise.resolve();
  }
}

describe("managers among themselves", () => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "peers-"));
  const authority = makeCertificate("tidesql orders CA");
  const own = signCertificate([podsName, `*.${podsName}`], authority);
  const log: string[] = [];
  let port: number;
  let peers: Peer[];

  const lookup: LookupFunction = (host, { all }, callback) => {
    const address = addresses.get(host);
    if (address === undefined) callback(new Error(`no ${host}`), "");
    else if (all) callback(null, [{ address, family: 4 }]);
    else callback(null, address, 4);
  };

  /** The Secret as it is mounted. */
  function secret(name: string, { certificate, key }: TestCertificate, ca = authority.certificate): string {
    const directory = path.join(root, name);
    fs.mkdirSync(directory, { recursive: true });
    fs.writeFileSync(path.join(directory, "tls.crt"), certificate);
    fs.writeFileSync(path.join(directory, "tls.key"), key);
    fs.writeFileSync(path.join(directory, "ca.crt"), ca);
    return directory;
  }

  const place = (directory = secret("own", own)): PeerPlace => ({ directory, port, lookup });
  const network = (at = place()) => peerNetwork(configuration, "orders-0", message => void log.push(message), at);

  /** @param shown the certificate that this pod serves with */
  async function serve(peer: Peer, shown = own): Promise<void> {
    const host = addresses.get(`${peer.pod}.${podsName}`);
    const at = { directory: secret(peer.pod, shown), port, host };
    peer.server = servePeers(configuration, peer, message => void log.push(message), at);
    await once(peer.server, "listening");
    port = (peer.server.address() as AddressInfo).port;
  }

  beforeEach(async () => {
    port = 0;
    log.length = 0;
    peers = [new Peer("orders-1"), new Peer("orders-2")];
    for (const peer of peers) await serve(peer);
  });

  function stop(peer: Peer | undefined): void {
    peer?.server?.close();
    peer?.server?.closeAllConnections();
  }

  afterEach(() => peers.forEach(stop));
  after(() => fs.rmSync(root, { recursive: true }));

  const asked = () => peers.map(peer => peer.asked);

  it("hear from all that answer, and do not wait for the others", async () => {
    assert.deepEqual(
      (await network().askAll(timeout)).map(({ pod }) => pod),
      ["orders-1", "orders-2"],
    );
    stop(peers[1]);
    assert.deepEqual(
      (await network().askAll(timeout)).map(({ pod }) => pod),
      ["orders-1"],
    );
  });

  it("ask for the whole of a brief entry, also in an earlier build", async () => {
    const peer = network();
    const brief = { ...entry, bytes: Buffer.from("TSQB without rows") };
    assert.equal(await peer.pushEntry("orders-1", brief, timeout), incomplete);
    peers[1]!.isOfAnEarlierBuild = true;
    assert.equal(await peer.pushEntry("orders-2", brief, timeout), incomplete);
    stop(peers[1]);
    await assert.rejects(peer.pushEntry("orders-2", brief, timeout), "one that does not answer is not sent more");
  });

  const entry = { epoch: 7, position: 101, durable: 100, bytes: Buffer.from("rows") };

  it("push entries of the log, and hear of the Lease", async () => {
    const peer = network();
    assert.equal(await peer.pushEntry("orders-1", entry, timeout), 8, "the epoch that the peer knows");
    await assert.rejects(peer.pushEntry("orders-1", { ...entry, position: 0.5 }, timeout), /three numbers/);
    await peer.leaseChanged(timeout);
    assert.deepEqual(asked(), [["entry 7 101 100 rows", "lease changed"], ["lease changed"]]);
    stop(peers[0]);
    await peer.leaseChanged(timeout);
    assert.deepEqual(peers[1]?.asked.slice(1), ["lease changed"], "one that does not answer is not in the way");
  });

  describe("confirm a primary", () => {
    const confirm = (...pods: string[]) => network().confirm(pods, "orders-0_a", 7, timeout);

    it("when all of them do", async () => {
      assert.equal(await confirm("orders-1", "orders-2"), true);
      assert.deepEqual(asked(), [["confirm orders-0_a 7"], ["confirm orders-0_a 7"]]);
    });

    it("but not when one refuses, or does not answer", async () => {
      peers[0]!.confirms = false;
      assert.equal(await confirm("orders-1", "orders-2"), false);
      peers[0]!.confirms = true;
      assert.equal(await confirm("orders-1", "orders-2", "orders-9"), false);
    });

    it("but not when there is nobody to ask", async () => {
      assert.equal(await confirm(), false);
    });
  });

  describe("give a Lease back for one another", () => {
    const held = { identity: "orders-0_a", epoch: 7, version: "70" };

    it("the successor first, and the next one where that does not", async () => {
      await network().release(held, "orders-2", timeout);
      assert.deepEqual(asked(), [[], ["release orders-0_a 7 70 orders-2"]]);
      peers[1]!.releases = false;
      await network().release(held, "orders-2", timeout);
      assert.deepEqual(peers[0]?.asked, ["release orders-0_a 7 70 orders-2"]);
    });

    it("and say so where none could", async () => {
      for (const peer of peers) peer.releases = false;
      await assert.rejects(network().release(held, "orders-2", timeout), /has changed since its holder last read it/);
    });
  });

  it("do not hear of a path that nobody serves", async () => {
    const { certificate: cert, key } = own;
    const options = { host: "127.0.0.11", port, cert, key, ca: authority.certificate, path: "/absent" };
    const [response] = (await once(https.get({ ...options, servername: `orders-1.${podsName}` }), "response")) as [
      { statusCode: number; resume: () => void },
    ];
    response.resume();
    assert.equal(response.statusCode, 404);
  });

  describe("turn away", () => {
    /** Fails with the reason, and nothing was carried out. */
    async function isTurnedAway(shown: TestCertificate, why: RegExp): Promise<void> {
      const stranger = network(place(secret("stranger", shown)));
      await assert.rejects(stranger.pushEntry("orders-1", entry, timeout), why);
      assert.deepEqual(asked(), [[], []]);
    }

    it("another database's certificate, though the same authority has signed it", () =>
      isTurnedAway(signCertificate(["*.invoices.shop.svc", "invoices.shop.svc"], authority), /403/));

    it("that of a database whose name ends like this one's", () =>
      isTurnedAway(signCertificate(["my-orders.shop.svc", "*.my-orders.shop.svc"], authority), /403/));

    it("that of a database in a namespace whose name begins like this one's", () =>
      isTurnedAway(signCertificate(["*.orders.shop.svc.example.com", "*.orders.shop.svc-2"], authority), /403/));

    it("a client's that holds for the Services and not for the pods", () =>
      isTurnedAway(signCertificate([podsName, "orders-primary.shop.svc"], authority), /403/));

    it("that of another authority, whatever it holds for", () =>
      isTurnedAway(signCertificate([`*.${podsName}`], makeCertificate("other")), /alert|ECONNRESET|socket hang up/i));

    it("who shows none", async () => {
      const ca = authority.certificate;
      const request = https.get({ host: "127.0.0.11", port, ca, servername: `orders-1.${podsName}`, path: "/status" });
      await assert.rejects(once(request, "response"), /alert|ECONNRESET|socket hang up/i);
    });

    it("a server with another database's certificate", async () => {
      stop(peers[0]);
      await serve(peers[0]!, signCertificate(["*.my-orders.shop.svc"], authority));
      await assert.rejects(network().pushEntry("orders-1", entry, timeout), /does not match certificate's altnames/);
      assert.deepEqual(asked(), [[], []]);
    });
  });
});
