import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, it } from "mocha";
import { healthySeconds, LocalStack } from "./localStack";
import { failureOf, nameOf, none } from "./stack";

describe("the stack local with the Pulumi command line, in a real cluster", function () {
  this.bail(true);
  let local: LocalStack;

  before("make the stack", async function () {
    local = await LocalStack.make(this);
  });

  after("remove it", async () => {
    await local?.remove();
  });

  it("is made, and its database takes writes", async () => {
    const { byOperation, errors } = await local.up();
    assert.deepEqual(errors, []);
    assert.deepEqual(Object.keys(byOperation), ["create"]);
    assert.deepEqual(await local.claims(), { [`data-${local.name}-0`]: "2Gi", [`data-${local.name}-1`]: "2Gi" });
  });

  it("is not changed by a second up, nor by a refresh, although the managers label their pods", async () => {
    assert.deepEqual(await local.stack.up(), none);
    assert.deepEqual(await local.stack.refresh(), none);
    assert.deepEqual(await local.stack.up(), none);
  });

  it("keeps every pod when the number of replicas changes", async () => {
    const before = await local.podIdentities();
    await local.stack.configure({ replicas: "2" });
    const more = await local.stack.up();
    assert.deepEqual(more.byOperation.create, [local.named("PersistentVolumeClaimPatch", "data-2")]);
    assert.deepEqual(
      more.byOperation.update,
      [
        local.named("ConfigMap", "config"),
        `Database ${local.name}`,
        local.named("Role", "role"),
        local.named("StatefulSet", "stateful-set"),
      ].sort(),
    );
    await local.database(3).healthy(healthySeconds);
    assert.deepEqual(without(await local.podIdentities(), `${local.name}-2`), before);
    await local.stack.configure({ replicas: "1" });
    const fewer = await local.up();
    assert.deepEqual(fewer.byOperation.delete, [local.named("PersistentVolumeClaimPatch", "data-2")]);
    assert.deepEqual(await local.podIdentities(), before);
    assert.equal((await local.claims())[`data-${local.name}-2`], "2Gi", "a claim may hold the only copy: it stays");
  });

  it("grows volumes by their claims alone, while all pods stay", async () => {
    const before = await local.podIdentities();
    await local.stack.configure({ volumeGiB: "3" });
    const { byOperation } = await local.up();
    const claims = [0, 1].map(pod => local.named("PersistentVolumeClaimPatch", `data-${pod}`));
    assert.deepEqual(byOperation, { update: [`Database ${local.name}`, ...claims].sort() });
    assert.deepEqual(without(await local.claims(), `data-${local.name}-2`), {
      [`data-${local.name}-0`]: "3Gi",
      [`data-${local.name}-1`]: "3Gi",
    });
    assert.deepEqual(await local.podIdentities(), before);
    assert.deepEqual(await local.stack.refresh(), none);
    assert.deepEqual(await local.stack.up(), none);
  });

  it("refuses in its preview to shrink a volume, and says so", async () => {
    await local.stack.configure({ volumeGiB: "1" });
    const refused = await failureOf(() => local.stack.preview());
    assert.match(refused.changes.errors.join("\n"), /field can not be less than/);
    await local.stack.configure({ volumeGiB: "3" });
  });

  it("brings a former replica's volume to the size of the others when the replica comes back", async () => {
    await local.stack.configure({ replicas: "2" });
    const { byOperation } = await local.stack.up();
    assert.deepEqual(byOperation.create, [local.named("PersistentVolumeClaimPatch", "data-2")]);
    await local.database(3).healthy(healthySeconds);
    assert.equal((await local.claims())[`data-${local.name}-2`], "3Gi");
    await local.stack.configure({ replicas: "1" });
    await local.up();
  });

  it("finds its data again with an up after a destroy by mistake", async () => {
    const refused = await failureOf(() => local.stack.destroy());
    assert.match(refused.changes.errors.join("\n"), /because it is protected/);
    const left = (await local.stack.resources()).map(({ urn }) => nameOf(urn));
    for (const kept of [local.named("PrivateKey", "ca-key"), local.named("RandomUuid", "id")])
      assert.ok(left.includes(kept), `${kept} is not among ${left.join(", ")}`);
    const { errors } = await local.up();
    assert.deepEqual(errors, []);
    assert.deepEqual(await local.stack.up(), none);
  });

  it("is taken down once its protection is lifted, which changes no pod", async () => {
    const before = await local.podIdentities();
    await local.stack.configure({ deletionProtection: "false" });
    await local.up();
    assert.deepEqual(await local.podIdentities(), before);
    assert.deepEqual((await local.stack.destroy()).errors, []);
    assert.deepEqual(await local.stack.resources(), []);
    const left = await local.prepared.kubernetes.kubectl(["get", "namespace", local.name, "--ignore-not-found"]);
    assert.equal(left.trim(), "");
  });
});

describe("the pods of the stack local, replaced with the Pulumi command line in a real cluster", function () {
  this.bail(true);
  let local: LocalStack;

  before("make the stack", async function () {
    local = await LocalStack.make(this);
    await local.up();
  });

  after("remove it", async () => {
    await local?.remove();
  });
  it("replaces the pods for another size of them", async () => {
    await local.stack.configure({ cpuCores: "0.3" });
    const { updated, others } = await local.rollout();
    assert.ok(updated.includes(local.named("StatefulSet", "stateful-set")), updated.join(", "));
    assert.deepEqual(others, {});
  });

  it("replaces the pods for an engine setting, which the engine then has", async () => {
    await local.stack.configure({ "engineSettings.wait_timeout": "1234" });
    const { updated, others } = await local.rollout();
    assert.deepEqual(updated, [local.named("ConfigMap", "config"), local.named("StatefulSet", "stateful-set")]);
    assert.deepEqual(others, {});
    const sql = "SHOW GLOBAL VARIABLES LIKE 'wait_timeout'";
    assert.deepEqual(await local.database().query("primary", sql), [{ Variable_name: "wait_timeout", Value: "1234" }]);
  });

  it("replaces the pods for a user's password, which logs in then", async () => {
    const password = `Changed-${randomBytes(6).toString("hex")}`;
    await local.stack.configure({ "passwords.app": password }, true);
    const { updated, others } = await local.rollout();
    assert.equal((await local.prepared.kubernetes.secret(`${local.name}-users`, local.name)).app, password);
    assert.deepEqual(
      updated,
      [
        local.named("Secret", "connection-app"),
        local.named("Secret", "users"),
        local.named("StatefulSet", "stateful-set"),
      ].sort(),
    );
    assert.deepEqual(others, { delete: [local.named("RandomPassword", "password-app")] });
  });

  it("replaces the certificate, and the pods with it, and keeps its authority", async () => {
    const { kubernetes } = local.prepared;
    const before = await kubernetes.secret(`${local.name}-tls`, local.name);
    const certificate = (await local.stack.resources()).find(({ type }) => type.endsWith(":LocallySignedCert"))!.urn;
    const { updated, others } = await local.rollout([certificate]);
    assert.deepEqual(updated, [local.named("Secret", "tls"), local.named("StatefulSet", "stateful-set")]);
    assert.deepEqual(Object.keys(others), ["create-replacement", "replace", "delete-replaced"]);
    const after = await kubernetes.secret(`${local.name}-tls`, local.name);
    assert.equal(after["ca.crt"], before["ca.crt"]);
    assert.notEqual(after["tls.crt"], before["tls.crt"]);
  });

  it("replaces the pods for another image", async function () {
    const image = await local.prepared.sandbox?.imageUnderAnotherName(local.prepared.engineImage);
    if (image === undefined) {
      console.log("    NOT RUN: on a cluster that is not the sandbox there is no second image");
      return this.skip();
    }
    await local.stack.configure({ image });
    const { updated, others } = await local.rollout();
    assert.deepEqual(updated, [local.named("StatefulSet", "stateful-set")]);
    assert.deepEqual(others, {});
    for (const { spec } of await local.database().pods())
      assert.ok(spec.containers.some(container => container.image === image));
  });
});

describe("an up of the stack local that fails half-way, in a real cluster", function () {
  this.bail(true);
  let local: LocalStack;

  before("make the stack", async function () {
    local = await LocalStack.make(this);
  });

  after("remove it", async () => {
    await local?.remove();
  });

  it("goes on where it was", async () => {
    const { kubernetes } = local.prepared;
    const priorityClass = {
      apiVersion: "scheduling.k8s.io/v1",
      kind: "PriorityClass",
      metadata: { name: local.priorityClass, labels: { "app.kubernetes.io/instance": "another" } },
      value: 1,
    };
    await kubernetes.kubectl(["create", "-f", "-"], { input: JSON.stringify(priorityClass) });
    const refused = await failureOf(() => local.stack.up());
    assert.match(refused.changes.errors.join("\n"), /already exists/);
    const before = await local.stack.identities();
    assert.ok(before.length > 0);
    await kubernetes.kubectl(["delete", "priorityclass", local.priorityClass]);
    assert.deepEqual((await local.stack.up()).errors, []);
    await local.database().healthy(healthySeconds);
    const after = await local.stack.identities();
    for (const made of before) assert.ok(after.includes(made), `${made} was made again`);
    assert.deepEqual(await local.stack.up(), none);
    await local.stack.configure({ deletionProtection: "false" });
    await local.stack.up();
    await local.stack.destroy();
  });
});

function without<T>(values: Record<string, T>, key: string): Record<string, T> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => name !== key));
}
