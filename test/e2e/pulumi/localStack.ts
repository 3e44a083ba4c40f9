import assert from "node:assert/strict";
import { Deployment } from "../deployment";
import { environment, Environment } from "../environment";
import { KubernetesObject } from "../kubernetes";
import { freshName, localDeployment, plainConfiguration, secretConfiguration } from "../localStack";
import { pluginsOn, pulumiVersion } from "./plugins";
import { Changes, PulumiStack } from "./stack";

const missing = pulumiVersion() === undefined ? "pulumi is not on the path" : undefined;

/** Pods that are replaced one after another become healthy within this, on a machine that runs all of it on two cores. Seconds. */
export const healthySeconds = 180;

interface Claim extends KubernetesObject {
  spec: { resources: { requests: { storage: string } } };
}

/** A stack like local, with one replica, on the cluster of the end-to-end tests, and its database as clients see it. */
export class LocalStack {
  /** Where each `up` writes a row. */
  private readonly table = "app.written";
  private rows = 0;

  private constructor(
    readonly prepared: Environment,
    readonly name: string,
    readonly stack: PulumiStack,
  ) {}

  static async make(context: Mocha.Context): Promise<LocalStack> {
    if (missing !== undefined) {
      console.log(`    NOT RUN: ${missing}`);
      context.skip();
    }
    const prepared = await environment();
    const name = freshName();
    const stack = await PulumiStack.make(name, "local", { KUBECONFIG: prepared.kubernetes.kubeconfig });
    const configuration = plainConfiguration(prepared, name, { nodes: 2 });
    await stack.configure(configuration);
    await stack.configure(secretConfiguration(prepared), true);
    for (const line of pluginsOn(process.env.PATH ?? "", ["kubernetes", "random", "tls"])) console.log(`    ${line}`);
    console.log(`    image ${prepared.engineImage}`);
    return new LocalStack(prepared, name, stack);
  }

  /** The database with so many pods, with the passwords and the certificate of now. */
  database(pods = 2): Deployment {
    return localDeployment(this.prepared, this.name, { nodes: pods });
  }

  /** Takes away whatever a test has left. */
  async remove(): Promise<void> {
    const { kubernetes } = this.prepared;
    await kubernetes.kubectl(["delete", "namespace", this.name, "--ignore-not-found", "--timeout=120s"]);
    await kubernetes.kubectl(["delete", "priorityclass", this.priorityClass, "--ignore-not-found"]);
    this.stack.remove();
  }

  get priorityClass(): string {
    return `tidesql.${this.name}.${this.name}`;
  }

  /** The pods' names and identities: a pod that was replaced has another one. */
  async podIdentities(): Promise<Record<string, string | undefined>> {
    const pods = await this.database().pods();
    return Object.fromEntries(pods.map(({ metadata: { name, uid } }) => [name, uid]));
  }

  /** What each claim asks for. */
  async claims(): Promise<Record<string, string>> {
    const claims = await this.prepared.kubernetes.list<Claim>("persistentvolumeclaims", this.name);
    return Object.fromEntries(claims.map(({ metadata, spec }) => [metadata.name, spec.resources.requests.storage]));
  }

  /** A resource of the stack as changes name it. @param part what follows the stack's name */
  named(kind: string, part: string): string {
    return `${kind} ${this.name}-${part}`;
  }

  /** `pulumi up`; then waits for the database, finds the rows that were written before, and writes one more. @param replace URNs of what is to be replaced */
  async up(replace?: string[]): Promise<Changes> {
    const changes = await this.stack.up(replace);
    const database = this.database();
    await database.healthy(healthySeconds);
    const expected = Array.from({ length: this.rows }, (_, index) => index);
    if (this.rows === 0) await database.query("primary", `CREATE TABLE ${this.table} (id BIGINT NOT NULL PRIMARY KEY)`);
    else assert.deepEqual((await database.ids("primary", this.table)).sort(), expected);
    await database.query("primary", `INSERT INTO ${this.table} (id) VALUES (${this.rows++})`);
    return changes;
  }

  /** An `up` that must replace every pod. @returns what was updated, components left out, and every other operation */
  async rollout(replace?: string[]): Promise<{ updated: string[]; others: Changes["byOperation"] }> {
    const before = await this.podIdentities();
    const { byOperation, errors } = await this.up(replace);
    assert.deepEqual(errors, []);
    const after = await this.podIdentities();
    assert.deepEqual(Object.keys(after), Object.keys(before));
    for (const [pod, uid] of Object.entries(before)) assert.notEqual(after[pod], uid, `${pod} was not replaced`);
    const { update = [], ...others } = byOperation;
    return { updated: update.filter(name => !/^Database /.test(name)), others };
  }
}
