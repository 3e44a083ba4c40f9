import assert from "node:assert/strict";
import { once } from "node:events";
import * as fs from "node:fs";
import * as https from "node:https";
import type { AddressInfo, LookupFunction } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { PeerHandler, PeerPlace, peerNetwork, servePeers } from "../../components/manager/peerNetwork";
import { Conflict, HeldLease, PeerStatus, PutCondition } from "../../components/manager/ports";
import { makeCertificate, signCertificate, TestCertificate } from "../engine/testCertificate";
import { configuration } from "./views";

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
  readonly written: { key: string; content: string; condition: PutCondition }[] = [];
  confirms = true;
  releases = true;
  conflicts = false;
  server: https.Server | undefined;

  constructor(readonly pod: string) {}

  peerStatus = () => ({ pod: this.pod, epoch: 7 }) as PeerStatus;
  joinReplica = (marker: string, pod: string) => this.note(`join ${marker} ${pod}`);
  confirmPrimary = (identity: string, epoch: number) => {
    this.asked.push(`confirm ${identity} ${epoch}`);
    return this.confirms;
  };
  leaseChanged = () => void this.asked.push("lease changed");
  releaseFor = async (held: HeldLease, successor: string) => {
    await this.note(`release ${held.identity} ${held.epoch} ${held.version} ${successor}`);
    if (!this.releases) throw new Error("the Lease has changed since its holder last read it");
  };
  inventory = () => Promise.resolve({ epoch: 7, beat: 12, files: ["shop__orders/L1_1.klog"] });
  isSound = () => Promise.resolve(this.pod === "orders-1");
  readonly bucket = {
    list: (_timeout: number, folder = "") => Promise.resolve([{ key: `${folder}MANIFEST`, size: 9, etag: "e" }]),
    readEngineEpoch: () => Promise.resolve(5),
    put: (key: string, content: Uint8Array, condition: PutCondition) => {
      if (this.conflicts) return Promise.reject(new Conflict(key));
      this.written.push({ key, content: Buffer.from(content).toString(), condition });
      return Promise.resolve();
    },
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

  it("join, compare themselves, and hear of the Lease", async () => {
    const peer = network();
    await peer.join("orders-1", "marker", timeout);
    await assert.rejects(peer.join("orders-1", "m".repeat(65), timeout), /1 to 64 characters/);
    assert.deepEqual(await peer.inventory("orders-2", timeout), {
      epoch: 7,
      beat: 12,
      files: ["shop__orders/L1_1.klog"],
    });
    assert.deepEqual(await Promise.all(["orders-1", "orders-2"].map(pod => peer.isSound(pod, timeout))), [true, false]);
    await peer.leaseChanged(timeout);
    assert.deepEqual(asked(), [["join marker orders-0", "lease changed"], ["lease changed"]]);
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

  describe("reach the bucket for one another", () => {
    const detour = () => network().detour("orders-1");
    const content = Buffer.from("rows");

    it("with the engine's files", async () => {
      assert.deepEqual(await detour().list(timeout, "data/shop__orders/"), [
        { key: "data/shop__orders/MANIFEST", size: 9, etag: "e" },
      ]);
      assert.equal(await detour().readEngineEpoch(timeout), 5);
      await detour().put("data/uwal_3.log", content, { ifMatch: "e", epoch: 5 }, timeout);
      assert.deepEqual(peers[0]?.written, [
        { key: "data/uwal_3.log", content: "rows", condition: { ifMatch: "e", epoch: 5 } },
      ]);
    });

    for (const key of ["owner.json", "data/../owner.json", "../other/data/MANIFEST", "/data/MANIFEST", ""])
      it(`but not with ${key === "" ? "no key" : key}`, async () => {
        await assert.rejects(detour().put(key, content, {}, timeout), /only files of the engine are accepted/);
        assert.deepEqual(peers[0]?.written, []);
      });

    it("and hear of a conflict as if they had written themselves", async () => {
      peers[0]!.conflicts = true;
      await assert.rejects(detour().put("data/uwal_3.log", content, { ifAbsent: true }, timeout), Conflict);
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
      await assert.rejects(stranger.join("orders-1", "marker", timeout), why);
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
      await assert.rejects(network().join("orders-1", "marker", timeout), /does not match certificate's altnames/);
      assert.deepEqual(asked(), [[], []]);
    });
  });
});
