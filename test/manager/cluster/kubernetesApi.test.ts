import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kubernetesApi } from "../../../components/manager/cluster/kubernetesApi";
import { Conflict, Kubernetes, NotAccepted, PodGone } from "../../../components/manager/base/ports";
import { makeCertificate } from "../../engine/testCertificate";
import { ScriptedAnswer, ScriptedHttpServer } from "../base/scriptedHttpServer";

const timeout = 5000;
const leases = "/apis/coordination.k8s.io/v1/namespaces/shop/leases";
const pods = "/api/v1/namespaces/shop/pods";

/** The Lease as the API server sends it. */
const document = (changes: object = {}, annotations?: Record<string, string>) => ({
  metadata: { name: "orders", namespace: "shop", resourceVersion: "70", ...(annotations && { annotations }) },
  spec: {
    holderIdentity: "orders-0_a",
    leaseDurationSeconds: 4,
    leaseTransitions: 7,
    renewTime: "2026-11-29T12:00:00.250000Z",
    ...changes,
  },
});

const written = { holder: "orders-0_a", epoch: 7, renewTime: "2026-11-29T12:00:00.250Z", preferredSuccessor: "" };

describe("the manager at the API server", () => {
  const certificate = makeCertificate("localhost");
  const directory = mkdtempSync(join(tmpdir(), "account-"));
  let server: ScriptedHttpServer;
  let kubernetes: Kubernetes;
  let log: string[];

  before(() => writeFileSync(join(directory, "ca.crt"), certificate.certificate));
  after(() => rmSync(directory, { recursive: true }));
  beforeEach(async () => {
    writeFileSync(join(directory, "token"), "token-1\n");
    log = [];
    server = await ScriptedHttpServer.start(certificate);
    kubernetes = kubernetesApi(
      {
        namespace: "shop",
        name: "orders",
        pod: "orders-0",
        podUid: "a",
        leaseDurationSeconds: 3.5,
        eventPauses: [1, 1],
        log: (_level, message, fields) => void log.push(`${message} ${JSON.stringify(fields)}`),
      },
      { host: "localhost", port: String(server.port), directory },
    );
  });
  afterEach(() => server.stop());

  const answers = (status: number, body: unknown = {}): void => {
    const answer: ScriptedAnswer = { status, body: JSON.stringify(body) };
    server.answer = () => answer;
  };
  const sent = () => JSON.parse(server.last.body) as Record<string, unknown>;

  describe("reads the Lease", () => {
    const read = () => kubernetes.readLease(timeout);

    it("that somebody holds", async () => {
      answers(200, document());
      const renewTime = "2026-11-29T12:00:00.250000Z";
      const expected = { ...written, renewTime, resourceVersion: "70", releasedEpoch: undefined };
      assert.deepEqual(await read(), expected);
      assert.deepEqual(server.asked, [`GET ${leases}/orders`]);
    });

    it("that was given back for a successor", async () => {
      const annotations = { "tidesql.io/released-epoch": "7", "tidesql.io/preferred-successor": "orders-2" };
      answers(200, document({ holderIdentity: undefined }, annotations));
      const lease = await read();
      assert.equal(lease?.holder, "");
      assert.equal(lease.releasedEpoch, 7);
      assert.equal(lease.preferredSuccessor, "orders-2");
    });

    it("that nobody has made yet", async () => {
      answers(404);
      assert.equal(await read(), undefined);
    });

    it("of a hand that has written nonsense", async () => {
      answers(200, { metadata: { resourceVersion: "71", annotations: { "tidesql.io/released-epoch": "soon" } } });
      assert.deepEqual(await read(), {
        resourceVersion: "71",
        holder: "",
        epoch: 0,
        renewTime: "",
        preferredSuccessor: "",
        releasedEpoch: undefined,
      });
    });
  });

  describe("writes the Lease", () => {
    it("anew, with all that it must say", async () => {
      answers(201, document());
      assert.equal((await kubernetes.createLease(written, timeout)).resourceVersion, "70");
      assert.deepEqual(server.asked, [`POST ${leases}`]);
      assert.deepEqual(sent(), {
        apiVersion: "coordination.k8s.io/v1",
        kind: "Lease",
        metadata: {
          name: "orders",
          namespace: "shop",
          labels: { "app.kubernetes.io/name": "tidesql", "app.kubernetes.io/instance": "orders" },
          annotations: {},
        },
        spec: {
          holderIdentity: "orders-0_a",
          leaseDurationSeconds: 4,
          leaseTransitions: 7,
          renewTime: "2026-11-29T12:00:00.250000Z",
        },
      });
    });

    it("over the state that it knows, and no other", async () => {
      answers(200, document());
      const released = { ...written, holder: "", preferredSuccessor: "orders-2", releasedEpoch: 7 };
      await kubernetes.updateLease({ ...released, resourceVersion: "69" }, timeout);
      assert.deepEqual(server.asked, [`PUT ${leases}/orders`]);
      const { metadata, spec } = sent() as { metadata: Record<string, unknown>; spec: Record<string, unknown> };
      assert.equal(metadata.resourceVersion, "69");
      assert.deepEqual(metadata.annotations, {
        "tidesql.io/preferred-successor": "orders-2",
        "tidesql.io/released-epoch": "7",
      });
      assert.ok(!("holderIdentity" in spec), "the API server refuses an empty holder");
    });

    for (const [what, status] of [
      ["was changed meanwhile", 409],
      ["was deleted meanwhile", 404],
    ] as const)
      it(`and has lost a race where it ${what}`, async () => {
        answers(status, { message: "the object has been modified" });
        await assert.rejects(kubernetes.updateLease({ ...written, resourceVersion: "69" }, timeout), Conflict);
      });

    it("and has lost a race where another has made it", async () => {
      answers(409);
      await assert.rejects(kubernetes.createLease(written, timeout), Conflict);
    });

    for (const status of [400, 403, 422, 429])
      it(`and knows that nothing was written after ${status}`, async () => {
        answers(status, { message: "no" });
        const failed = kubernetes.updateLease({ ...written, resourceVersion: "69" }, timeout);
        await assert.rejects(failed, (error: Error) => {
          assert.ok(error instanceof NotAccepted && !(error instanceof PodGone));
          assert.match(error.message, new RegExp(`updating the lease: the API server answered ${status}`));
          return true;
        });
      });

    it("and knows by 401 that its own pod is gone", async () => {
      answers(401);
      await assert.rejects(kubernetes.updateLease({ ...written, resourceVersion: "69" }, timeout), PodGone);
    });

    for (const status of [500, 503, 504])
      it(`and does not know what became of it after ${status}`, async () => {
        answers(status);
        await assert.rejects(kubernetes.updateLease({ ...written, resourceVersion: "69" }, timeout), (error: Error) => {
          assert.ok(!(error instanceof NotAccepted) && !(error instanceof Conflict), error.name);
          return true;
        });
      });

    it("and does not wait for ever", async () => {
      server.answer = () => undefined;
      await assert.rejects(kubernetes.createLease(written, 50), /no answer in 50 ms/);
    });
  });

  it("shows the token that its file holds now", async () => {
    answers(404);
    await kubernetes.readLease(timeout);
    assert.equal(server.last.headers.authorization, "Bearer token-1");
    writeFileSync(join(directory, "token"), "token-2\n");
    await kubernetes.readLease(timeout);
    assert.equal(server.last.headers.authorization, "Bearer token-2");
  });

  it("does not speak to a server that the cluster's authority does not know", async () => {
    const other = await ScriptedHttpServer.start(makeCertificate("localhost"));
    try {
      const place = { host: "localhost", port: String(other.port), directory };
      const options = { namespace: "shop", name: "orders", pod: "orders-0", podUid: "a", leaseDurationSeconds: 4 };
      const stranger = kubernetesApi({ ...options, log: () => undefined }, place);
      await assert.rejects(stranger.readLease(timeout), /self.signed certificate|unable to verify/i);
      assert.deepEqual(other.received, []);
    } finally {
      other.stop();
    }
  });

  it("reads what it must know of each pod", async () => {
    const running = { name: "tidesql", state: { running: {} } };
    answers(200, {
      items: [
        {
          metadata: {
            name: "orders-0",
            uid: "a",
            labels: { "tidesql.io/role": "primary", "tidesql.io/reads": "true", "controller-revision-hash": "r2" },
            annotations: { "tidesql.io/switchover": "any" },
            deletionTimestamp: "2026-11-29T12:00:00Z",
            deletionGracePeriodSeconds: 120,
          },
          status: { conditions: [{ type: "Ready", status: "True" }], containerStatuses: [running] },
        },
        {
          metadata: { name: "orders-1", uid: "b" },
          status: { containerStatuses: [{ name: "other", state: running }] },
        },
      ],
    });
    const [first, second] = await kubernetes.readPods(timeout);
    const selector = "app.kubernetes.io%2Fname%3Dtidesql%2Capp.kubernetes.io%2Finstance%3Dorders";
    assert.deepEqual(server.asked, [`GET ${pods}?labelSelector=${selector}`]);
    assert.deepEqual(first, {
      name: "orders-0",
      uid: "a",
      runs: true,
      role: "primary",
      reads: true,
      revision: "r2",
      ready: true,
      leaving: true,
      leavesWithinSeconds: 120,
      switchover: "any",
    });
    const none = { role: "none", reads: false, revision: "", switchover: "" };
    assert.deepEqual(second, { ...none, name: "orders-1", uid: "b", runs: false, ready: false, leaving: false });
  });

  for (const [role, labels] of [
    ["replica", { "tidesql.io/role": "replica", "tidesql.io/reads": "true" }],
    // The label by which it was read stays: the Services follow one change at a time.
    ["primary", { "tidesql.io/role": "primary" }],
    ["none", { "tidesql.io/role": null, "tidesql.io/reads": null }],
  ] as const)
    it(`labels a pod ${role}`, async () => {
      answers(200);
      await kubernetes.setRole("orders-1", role, timeout);
      assert.deepEqual(server.asked, [`PATCH ${pods}/orders-1`]);
      assert.equal(server.last.headers["content-type"], "application/merge-patch+json");
      assert.deepEqual(sent(), { metadata: { labels } });
    });

  it("takes a pod's readers and its requests away, and deletes it", async () => {
    answers(200);
    await kubernetes.endReads("orders-1", timeout);
    assert.deepEqual(sent(), { metadata: { labels: { "tidesql.io/reads": null } } });
    await kubernetes.clearRequests("orders-1", timeout);
    const nothing = { "tidesql.io/switchover": null };
    assert.deepEqual(sent(), { metadata: { annotations: nothing } });
    await kubernetes.deletePod("orders-1", timeout);
    assert.equal(server.asked.at(-1), `DELETE ${pods}/orders-1`);
    answers(404);
    await kubernetes.setRole("orders-1", "none", timeout);
    await kubernetes.endReads("orders-1", timeout);
    await kubernetes.clearRequests("orders-1", timeout);
    await kubernetes.deletePod("orders-1", timeout);
  });

  it("knows the StatefulSet's revision when its status has caught up", async () => {
    const set = (observedGeneration: number) => ({
      metadata: { generation: 3 },
      status: { observedGeneration, updateRevision: "r3" },
    });
    answers(200, set(3));
    assert.equal(await kubernetes.updateRevision(timeout), "r3");
    assert.deepEqual(server.asked, ["GET /apis/apps/v1/namespaces/shop/statefulsets/orders"]);
    answers(200, set(2));
    assert.equal(await kubernetes.updateRevision(timeout), undefined);
    answers(404);
    assert.equal(await kubernetes.updateRevision(timeout), "");
  });

  it("tells people of an event on its pod, and goes on where nobody takes it", async () => {
    const arrived = new Promise<void>(resolve => {
      server.answer = () => {
        resolve();
        return { status: 201, body: "{}" };
      };
    });
    kubernetes.event("Warning", "Fenced", "x".repeat(2000));
    await arrived;
    assert.deepEqual(server.asked, ["POST /api/v1/namespaces/shop/events"]);
    const { involvedObject, message, reason, type } = sent();
    const pod = { apiVersion: "v1", kind: "Pod", name: "orders-0", namespace: "shop", uid: "a" };
    assert.deepEqual({ involvedObject, reason, type }, { involvedObject: pod, reason: "Fenced", type: "Warning" });
    assert.equal(String(message).length, 1000);

    answers(403, { message: "forbidden" });
    const told = new Promise<void>(resolve => {
      const { push } = log;
      log.push = line => {
        resolve();
        return push.call(log, line);
      };
    });
    kubernetes.event("Normal", "Promoted", "primary in epoch 7");
    await told;
    assert.match(log[0] ?? "", /an event could not be written .*403/);
  });

  it("tells people again of an event that was not taken, as the same one", async () => {
    const names: unknown[] = [];
    const taken = new Promise<void>(resolve => {
      server.answer = ({ body }) => {
        names.push((JSON.parse(body) as { metadata: { name: unknown } }).metadata.name);
        if (names.length === 3) resolve();
        return names.length < 3 ? { status: 503, body: "{}" } : { status: 409, body: "{}" };
      };
    });
    kubernetes.event("Warning", "ForeignData", "the prefix belongs to another database");
    await taken;
    assert.equal(new Set(names).size, 1);
    assert.equal(typeof names[0], "string");
  });
});
