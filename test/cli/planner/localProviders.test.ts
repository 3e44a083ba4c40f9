import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer } from "node:tls";
import fc from "fast-check";
import { createLocally, type MadeValues } from "../../../cli/planner/localProviders";
import type { PlannedResource } from "../../../cli/planner/plan";
import { revealed, Secret, unknown, type PlannedRecord } from "../../../cli/planner/values";

function make(type: string, inputs: PlannedRecord, made: MadeValues = {}): Record<string, unknown> {
  const resource = { urn: `urn:${type}`, type, inputs } as PlannedResource;
  const creation = createLocally(resource, made);
  assert.ok(creation, `${type} was not made`);
  return revealed(creation.outputs) as Record<string, unknown>;
}

function text(value: unknown): string {
  assert.equal(typeof value, "string");
  return value as string;
}

const newKey = (inputs: PlannedRecord) => make("tls:index/privateKey:PrivateKey", inputs);

/** An authority and a server's certificate from it, as the components make them. */
function authorityAndServer(algorithm: PlannedRecord) {
  const authorityKey = text(newKey(algorithm).privateKeyPem);
  const authority = text(
    make("tls:index/selfSignedCert:SelfSignedCert", {
      privateKeyPem: new Secret(authorityKey),
      subject: { commonName: "orders authority", organization: "Shop & Söhne" },
      isCaCertificate: true,
      allowedUses: ["cert_signing", "crl_signing"],
      validityPeriodHours: 48,
    }).certPem,
  );
  const serverKey = text(newKey(algorithm).privateKeyPem);
  const certRequestPem = text(
    make("tls:index/certRequest:CertRequest", {
      privateKeyPem: serverKey,
      subject: { commonName: "orders" },
      dnsNames: ["orders-primary.shop.svc", "*.orders.shop.svc"],
      ipAddresses: ["127.0.0.1", "2001:db8::17"],
    }).certRequestPem,
  );
  const certificate = text(
    make("tls:index/locallySignedCert:LocallySignedCert", {
      certRequestPem,
      caPrivateKeyPem: authorityKey,
      caCertPem: authority,
      allowedUses: ["digital_signature", "key_encipherment", "server_auth", "client_auth"],
      validityPeriodHours: 24,
    }).certPem,
  );
  return { authority, serverKey, certificate };
}

/** A handshake that verifies the server, and what the server's certificate is valid for. */
async function handshake(host: string, { authority, serverKey, certificate }: ReturnType<typeof authorityAndServer>) {
  const server = createServer({ key: serverKey, cert: certificate }, socket => socket.end());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const socket = connect({ port, host: "127.0.0.1", servername: host, ca: authority });
  try {
    await once(socket, "secureConnect");
    return socket.authorized;
  } finally {
    socket.destroy();
    server.close();
  }
}

describe("resources that need no cloud", () => {
  describe("passwords", () => {
    it("have the length, the minimum of each set and nothing but the sets that were asked for", () => {
      const set = fc.record({ wanted: fc.boolean(), minimum: fc.nat(4) });
      fc.assert(
        fc.property(
          fc.integer({ min: 16, max: 64 }),
          fc.record({ lower: set, upper: set, numeric: set, special: set }),
          (length, sets) => {
            fc.pre(Object.values(sets).some(({ wanted }) => wanted));
            const inputs: PlannedRecord = { length, overrideSpecial: "!?" };
            for (const [name, { wanted, minimum }] of Object.entries(sets)) {
              inputs[name] = wanted;
              if (wanted) inputs[`min${name[0]!.toUpperCase()}${name.slice(1)}`] = minimum;
            }
            const password = text(make("random:index/randomPassword:RandomPassword", inputs).result);
            assert.equal(password.length, length);
            const patterns = { lower: /[a-z]/g, upper: /[A-Z]/g, numeric: /\d/g, special: /[!?]/g };
            let counted = 0;
            for (const [name, pattern] of Object.entries(patterns)) {
              const count = password.match(pattern)?.length ?? 0;
              const { wanted, minimum } = sets[name as keyof typeof sets];
              assert.ok(wanted ? count >= minimum : count === 0, `${count} of ${name}`);
              counted += count;
            }
            assert.equal(counted, length);
          },
        ),
      );
    });

    it("use every character, and differ", () => {
      const made = Array.from({ length: 200 }, () =>
        text(make("random:index/randomPassword:RandomPassword", { length: 20 }).result),
      );
      assert.equal(new Set(made).size, 200);
      assert.equal(new Set(made.join("")).size, 26 + 26 + 10 + 21);
    });

    it("are secret", () => {
      const resource = { urn: "u", type: "random:index/randomPassword:RandomPassword", inputs: { length: 9 } };
      assert.ok(createLocally(resource as unknown as PlannedResource, {})?.outputs.result instanceof Secret);
    });
  });

  it("makes identifiers of the form that was asked for", () => {
    assert.match(text(make("random:index/randomUuid:RandomUuid", {}).result), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-/);
    const id = make("random:index/randomId:RandomId", { byteLength: 4, prefix: "shop-" });
    assert.match(text(id.hex), /^shop-[0-9a-f]{8}$/);
    assert.equal(BigInt(`0x${text(id.hex).slice(5)}`).toString(), text(id.dec).slice(5));
    const bytes = make("random:index/randomBytes:RandomBytes", { length: 32 });
    assert.equal(Buffer.from(text(bytes.base64), "base64").toString("hex"), bytes.hex);
    const integer = make("random:index/randomInteger:RandomInteger", { min: 7, max: 8 }).result;
    assert.ok(integer === 7 || integer === 8);
  });

  it("waits for inputs that are not known, and leaves other providers' resources alone", () => {
    const unknownLength = { urn: "u", type: "random:index/randomPassword:RandomPassword", inputs: { length: unknown } };
    assert.equal(createLocally(unknownLength as unknown as PlannedResource, {}), undefined);
    const vpc = { urn: "u", type: "aws:ec2/vpc:Vpc", inputs: {} };
    assert.equal(createLocally(vpc as unknown as PlannedResource, {}), undefined);
  });

  it("keeps what it made across a round trip through JSON, secrets still secret", () => {
    const made: MadeValues = {};
    const inputs: PlannedRecord = { length: 20, keepers: { generation: "1" } };
    const first = make("random:index/randomPassword:RandomPassword", inputs, made);
    const stored = JSON.parse(JSON.stringify(made)) as MadeValues;
    const resource = { urn: "urn:random:index/randomPassword:RandomPassword", inputs } as unknown as PlannedResource;
    resource.type = "random:index/randomPassword:RandomPassword";
    const again = createLocally(resource, stored)?.outputs.result;
    assert.ok(again instanceof Secret);
    assert.equal(again.reveal(), first.result);
  });

  describe("private keys", () => {
    const keys: [string, PlannedRecord, string, RegExp][] = [
      ["RSA", { algorithm: "RSA" }, "rsa", /BEGIN RSA PRIVATE KEY/],
      ["ECDSA", { algorithm: "ECDSA", ecdsaCurve: "P256" }, "ec", /BEGIN EC PRIVATE KEY/],
      ["ED25519", { algorithm: "ED25519" }, "ed25519", /BEGIN PRIVATE KEY/],
    ];
    for (const [name, inputs, type, form] of keys) {
      it(`${name}: both forms are the same key, and fit the public key`, () => {
        const made = newKey(inputs);
        assert.match(text(made.privateKeyPem), form);
        const key = createPrivateKey(text(made.privateKeyPem));
        assert.equal(key.asymmetricKeyType, type);
        assert.ok(key.equals(createPrivateKey(text(made.privateKeyPemPkcs8))));
        assert.ok(createPublicKey(key).equals(createPublicKey(text(made.publicKeyPem))));
      });
    }

    it("have the size that was asked for", () => {
      const details = createPrivateKey(text(newKey({ algorithm: "RSA", rsaBits: 3072 }).privateKeyPem));
      assert.equal(details.asymmetricKeyDetails?.modulusLength, 3072);
      const curve = createPrivateKey(text(newKey({ algorithm: "ECDSA", ecdsaCurve: "P384" }).privateKeyPem));
      assert.equal(curve.asymmetricKeyDetails?.namedCurve, "secp384r1");
    });
  });

  const algorithms: PlannedRecord[] = [
    { algorithm: "ECDSA", ecdsaCurve: "P256" },
    { algorithm: "RSA", rsaBits: 2048 },
    { algorithm: "ED25519" },
  ];
  for (const algorithm of algorithms) {
    describe(`certificates with ${algorithm.algorithm as string}`, () => {
      let made: ReturnType<typeof authorityAndServer>;
      let authority: X509Certificate;
      let server: X509Certificate;

      before(() => {
        made = authorityAndServer(algorithm);
        authority = new X509Certificate(made.authority);
        server = new X509Certificate(made.certificate);
      });

      it("chain: the server's is issued and signed by the authority, which signs itself", () => {
        assert.ok(server.checkIssued(authority));
        assert.ok(server.verify(authority.publicKey));
        assert.ok(authority.verify(authority.publicKey));
        assert.ok(!server.verify(server.publicKey));
        assert.equal(authority.ca, true);
        assert.equal(server.ca, false);
      });

      it("fit their keys and carry names, uses and identifiers", () => {
        assert.ok(server.checkPrivateKey(createPrivateKey(made.serverKey)));
        assert.equal(authority.subject, "O=Shop & Söhne\nCN=orders authority");
        assert.equal(server.issuer, authority.subject);
        assert.equal(server.subject, "CN=orders");
        assert.equal(
          server.subjectAltName,
          "DNS:orders-primary.shop.svc, DNS:*.orders.shop.svc, IP Address:127.0.0.1, IP Address:2001:DB8:0:0:0:0:0:17",
        );
        assert.deepEqual(server.keyUsage, ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
        assert.notEqual(server.serialNumber, authority.serialNumber);
      });

      it("are valid from now for the hours that were asked for", () => {
        const hours = (certificate: X509Certificate) =>
          (certificate.validToDate.getTime() - certificate.validFromDate.getTime()) / 3_600_000;
        assert.equal(hours(server), 24);
        assert.equal(hours(authority), 48);
        assert.ok(Math.abs(server.validFromDate.getTime() - Date.now()) < 60_000);
      });

      it("convince a client that trusts the authority, for the names in them and no others", async () => {
        assert.equal(await handshake("orders-primary.shop.svc", made), true);
        assert.equal(await handshake("orders-0.orders.shop.svc", made), true);
        await assert.rejects(handshake("payments.shop.svc", made), /altnames/);
        const stranger = authorityAndServer(algorithm);
        await assert.rejects(
          handshake("orders-primary.shop.svc", { ...made, authority: stranger.authority }),
          /certificate/,
        );
      });
    });
  }

  it("writes dates from 2050 on in the long form", () => {
    const privateKeyPem = text(newKey({ algorithm: "ECDSA", ecdsaCurve: "P256" }).privateKeyPem);
    const hours = 40 * 365 * 24;
    const inputs = { privateKeyPem, subject: {}, allowedUses: [], validityPeriodHours: hours };
    const { validToDate } = new X509Certificate(text(make("tls:index/selfSignedCert:SelfSignedCert", inputs).certPem));
    assert.ok(validToDate.getUTCFullYear() > 2060);
  });
});
