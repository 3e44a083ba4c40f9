import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, it } from "mocha";
import { runImportGuide } from "../../../cli/importGuide/importGuide";
import { judgePlan } from "../../../cli/judgePlan";
import { planStack } from "../../../cli/planner/planStack";
import { Secret } from "../../../cli/planner/values";
import { surroundingsOf, FakeCluster, today } from "../live/fakeCluster";

const root = resolve(__dirname, "../../..");
const guide = join(__dirname, "guide");
const shop = join(__dirname, "shop");
const image = `registry.example/tidesql@sha256:${"3f".repeat(32)}`;

async function importGuide(...argv: string[]) {
  const { surroundings, written } = surroundingsOf(new FakeCluster());
  const code = await runImportGuide(argv, surroundings);
  return { code, ...written };
}

interface Answer {
  name: string;
  program: string;
  commands: string[];
  changes: string[];
  notTakenOver: string[];
}

async function answerOf(...argv: string[]): Promise<Answer> {
  const { code, out, error } = await importGuide(...argv, "--json");
  assert.equal(code, 0, error);
  return JSON.parse(out) as Answer;
}

/** Values that stand in the files and may not be printed. */
const secretsIn = (folder: string) => {
  const text = readdirSync(folder)
    .map(file => readFileSync(join(folder, file), "utf8"))
    .join("\n");
  const shapes = [/_(?:access|secret)_key ?= ?(\S+)/g, /MYSQL_PASSWORD, value: "([^"]+)"/g, /IDENTIFIED BY '([^']+)'/g];
  return [...new Set(shapes.flatMap(shape => [...text.matchAll(shape)].map(([, secret]) => secret!)))];
};

describe("tidesql import-guide", function () {
  this.timeout(60_000);
  const folders: string[] = [];

  /** A folder with these files. */
  function folderOf(files: Record<string, string>): string {
    const folder = mkdtempSync(join(tmpdir(), "tidesql-import-"));
    folders.push(folder);
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
    return folder;
  }

  /** Plans the program as it was printed, with the configuration that its commands ask for. */
  async function planned(program: string, commands: string[]) {
    const plain: Record<string, string> = { image, bucket: "shop-data", storeAuthority: "-----BEGIN CERTIFICATE-----" };
    const asked = commands.filter(command => !command.startsWith("npm"));
    const config = asked.map((command): [string, string | Secret] => {
      const [, isSecret, key = ""] = /^pulumi config set( --secret)? (\w+)/.exec(command) ?? [];
      return [key, isSecret ? new Secret(`Secret-${key}-1`) : plain[key]!];
    });
    const folder = folderOf({
      "Pulumi.yaml": "name: shop\nruntime: nodejs\nmain: index.ts\n",
      "index.ts": program,
    });
    mkdirSync(join(folder, "node_modules"));
    for (const scope of ["@pulumi"])
      symlinkSync(join(root, "node_modules", scope), join(folder, "node_modules", scope));
    const self = join(folder, "node_modules/pulumi-tidesql");
    mkdirSync(self);
    writeFileSync(join(self, "index.js"), `module.exports = require(${JSON.stringify(join(root, "index.ts"))});`);
    return planStack({ directory: folder, stack: "prod", config: Object.fromEntries(config) });
  }

  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  });

  describe("of the guide's deployment", () => {
    it("prints a program that plans, and that the policies have nothing to say of", async () => {
      const { program, commands } = await answerOf(guide);
      const plan = await planned(program, commands);
      const verdict = judgePlan(plan, { today: today.toISOString().slice(0, 10) });
      assert.deepEqual(verdict.findings, []);
      const statefulSet = plan.resources.find(({ type }) => type === "kubernetes:apps/v1:StatefulSet");
      const spec = statefulSet?.inputs.spec as { replicas: number };
      assert.equal(spec.replicas, 3);
      assert.ok(plan.resources.some(({ name }) => name === "tidesql"));
    });

    it("is, as it prints, a TypeScript file with everything else in comments", async () => {
      const { out } = await importGuide(guide);
      const { program } = await answerOf(guide);
      assert.equal(out, program);
      const [first] = out.split("\n");
      assert.match(first!, /^\/\/ The database of .*guide as a program\. 9 objects were read/);
    });

    it("says what changes, and why, one line for each", async () => {
      const { changes, notTakenOver } = await answerOf(guide);
      for (const expected of [
        /latest.*every node runs the same engine/,
        /one StatefulSet of 3 identical pods in place of tidesql-primary and tidesql-replica/,
        /endpoint is s3\.us-east-1\.amazonaws\.com: the global one answers with redirects/,
        /access key in ConfigMap tidesdb-primary-config becomes a secret/,
        /durability interval in place of tidesdb_objstore_wal_sync_threshold=1M/,
        /write_buffer_size=128M is left out/,
        /local_cache_max=512M is left out/,
        /Deployment tidesql-failover-controller is dropped/,
        /password in MYSQL_PASSWORD of Deployment tidesql-failover-controller is not needed/,
        /bucket of its own, not tidesdb-production/,
        /pods request 4 GiB and 2 cores/,
        /none was in the files: add databases and users/,
      ]) {
        assert.equal(changes.filter(change => expected.test(change)).length, 1, String(expected));
      }
      assert.deepEqual(notTakenOver, [], "each object of the guide has a successor");
    });

    it("takes the tuning over that is a choice", async () => {
      const { program } = await answerOf(guide);
      assert.match(program, /sizing: \{ blockCacheBytes: 256 \* 1024 \*\* 2, flushThreads: 4, compactionThreads: 4 \}/);
      assert.match(program, /storage: \{ storageClassName: "gp3", sizeGiB: 100 \}/);
      assert.match(program, /replicas: 2,/);
    });
  });

  describe("of a deployment that differs from the guide's", () => {
    it("prints a program that plans; the policies see the choices that it keeps", async () => {
      const { program, commands } = await answerOf(shop);
      const verdict = judgePlan(await planned(program, commands), { today: "2026-06-01" });
      const policies = [...new Set(verdict.findings.map(({ policy }) => policy))];
      assert.deepEqual(policies.sort(), ["replicas-minimum"]);
    });

    it("takes over what the component has an argument for", async () => {
      const { name, program } = await answerOf(shop);
      assert.equal(name, "shop-db");
      for (const expected of [
        'image: "registry.example/tidesql:4.5.7-1"',
        'endpoint: "minio.storage.svc:9000"',
        'bucket: "databases"',
        "pathStyle: true",
        'durability: "commit"',
        'instanceType: "m5.xlarge"',
        "memoryBytes: 8 * 1024 ** 3",
        "cpuCores: 1.5",
        'engineSettings: { max_allowed_packet: "64M", innodb_buffer_pool_size: "64M" }',
        'tolerations: [{ key: "dedicated"',
        'imagePullSecrets: ["registry"]',
        'clients: [{ podLabels: {} }, { cidr: "10.1.0.0/16" }]',
        'grants: [{ database: "shop", privileges: ["SELECT", "INSERT", "UPDATE"] }]',
      ]) {
        assert.ok(program.includes(expected), expected);
      }
    });

    it("leaves out what the component refuses, with its reason", async () => {
      const { changes, program } = await answerOf(shop);
      for (const expected of [
        /^the user monitor is not taken over: "ALL PRIVILEGES"/,
        /a grant of the user shop_app is not taken over: "SUPER" is refused/,
        /databases\[1\] is not taken over: "mysql" is MariaDB's own/,
        /^log_bin is left out: nothing reads a binary log here/,
      ]) {
        assert.ok(
          changes.some(change => expected.test(change)),
          String(expected),
        );
      }
      assert.ok(!program.includes("monitorPassword"));
    });

    it("lists the objects that it does not take over, and where they stand", async () => {
      assert.deepEqual((await answerOf(shop)).notTakenOver, [
        "HorizontalPodAutoscaler shop-db (all.yml:86): the managers have to know one another; change replicas instead",
        "Deployment web (all.yml:94): nothing in it belongs to the database",
        "an object without a kind (all.yml:103): it is no Kubernetes object",
      ]);
    });
  });

  for (const folder of [guide, shop]) {
    it(`prints none of the secrets in ${folder.split("/").pop()}, and asks for those that are needed`, async () => {
      const secrets = secretsIn(folder);
      assert.ok(secrets.length >= 3, secrets.join());
      const answer = await answerOf(folder);
      const { out } = await importGuide(folder);
      for (const secret of secrets) assert.ok(!(JSON.stringify(answer) + out).includes(secret), secret);
      assert.ok(answer.commands.some(command => command.startsWith("pulumi config set --secret accessKeyId")));
      assert.ok(answer.commands.some(command => command.startsWith("pulumi config set --secret secretAccessKey")));
    });
  }

  describe("chooses the durability by the WAL's settings", () => {
    const variant = (options: string) =>
      folderOf({
        "all.yaml": readFileSync(join(guide, "primary.yaml"), "utf8").replace(
          "tidesdb_objstore_wal_sync_threshold=1M",
          options,
        ),
      });
    for (const [options, durability] of [
      ["tidesdb_objstore_wal_sync_on_commit=ON", 'durability: "commit"'],
      ["tidesdb_objstore_wal_sync_threshold=64M", 'durability: "threshold",\n  walSyncThresholdBytes: 64 * 1024 ** 2'],
      ["tidesdb_objstore_wal_sync_threshold=16", 'durability: "interval"'],
      ["tidesdb_objstore_wal_sync_threshold=0", 'durability: "interval"'],
      ["skip-external-locking", 'durability: "interval"'],
    ] as const) {
      it(`${options} is ${durability.split(",")[0]}`, async () => {
        assert.ok((await answerOf(variant(options))).program.includes(durability));
      });
    }
  });

  it("takes a name and a namespace, and refuses those that Kubernetes would", async () => {
    const { program } = await answerOf(guide, "--name", "orders", "--namespace", "shop");
    assert.match(program, /new Database\("orders", \{[^]*namespace: "shop"/);
    for (const wrong of [
      ["--name", "Orders"],
      ["--name", "orders-replica"],
      ["--namespace", "kube-system"],
    ]) {
      const { code, error } = await importGuide(guide, ...wrong);
      assert.equal(code, 2);
      assert.match(error, /^--name(space)?: /);
    }
  });

  it("takes templates inside of texts for texts", async () => {
    const rules = "kind: ConfigMap\nmetadata: { name: rules }\ndata:\n  a.yml: |\n    summary: {{ $labels.pod }}\n";
    const files = { "a.yaml": readFileSync(join(guide, "primary.yaml"), "utf8"), "rules.yaml": rules };
    const { notTakenOver } = await answerOf(folderOf(files));
    assert.deepEqual(notTakenOver, ["ConfigMap rules (rules.yaml:1): nothing in it belongs to the database"]);
  });

  it("lets nothing that stands in a file leave its comment", async () => {
    const evil = readFileSync(join(guide, "primary.yaml"), "utf8")
      .replace("<your-ecr-registry>/tidesql:latest", '"tidesql\\nprocess.exit(1)\\u2028process.exit(2):latest"')
      .replaceAll("REPLACE_WITH_", "another-")
      .replaceAll("tidesdb-primary-config", '"config\\nprocess.exit(3)"');
    const { out, code } = await importGuide(
      folderOf({ "a.yaml": `${evil}---\nkind: X\nmetadata: { name: "a\\nprocess.exit(4)" }\n` }),
    );
    assert.equal(code, 0);
    const lines = out.split(/[\n\u2028]/);
    assert.ok(lines.some(line => line.includes("process.exit")));
    assert.deepEqual(
      lines.filter(line => line.includes("process.exit") && !line.startsWith("//")),
      [],
    );
  });

  describe("refuses", () => {
    const server = readFileSync(join(guide, "primary.yaml"), "utf8");
    const cases: [string, () => string, RegExp][] = [
      [
        "bad YAML, with file and line",
        () => folderOf({ "a.yaml": server, "b.yaml": "kind: ConfigMap\ndata:\n  a: [1\nb: 2\n" }),
        /b\.yaml:4: /,
      ],
      [
        "a template that is not rendered",
        () => folderOf({ "a.yaml": "kind: {{ .Values.kind }}\n" }),
        /a\.yaml:1: is a template/,
      ],
      [
        "a template with a control structure",
        () => folderOf({ "a.yaml": "{{- if .Values.x }}\nkind: ConfigMap\n{{- end }}\n" }),
        /a\.yaml:1: /,
      ],
      ["a key that is there twice", () => folderOf({ "a.yaml": "a: 1\nb: 2\na: 3\n" }), /a\.yaml:3: .*unique/],
      [
        "aliases that explode",
        () =>
          folderOf({ "a.yaml": `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [${"*a,".repeat(9)}]\nc: [${"*b,".repeat(99)}]\n` }),
        /a\.yaml:1: .*alias/i,
      ],
      ["a folder without YAML", () => folderOf({ "README.md": "" }), /no \.yaml or \.yml file/],
      ["a folder that is not there", () => "/nowhere/at/all", /\/nowhere\/at\/all/],
      [
        "files without a database",
        () => folderOf({ "a.yaml": "kind: ConfigMap\nmetadata: { name: a }\n" }),
        /nothing to import/,
      ],
      [
        "two databases",
        () => folderOf({ "a.yaml": server, "b.yaml": server.replaceAll("tidesql-primary", "orders-primary") }),
        /Several workloads write \(tidesql-primary, orders-primary\)/,
      ],
    ];
    for (const [what, prepare, message] of cases) {
      it(what, async () => {
        const { code, out, error } = await importGuide(prepare());
        assert.equal(code, 1, out);
        assert.equal(out, "");
        assert.match(error, message);
        assert.doesNotMatch(error, /\n +at /);
      });
    }

    it("a command line without a folder", async () => {
      assert.equal((await importGuide()).code, 2);
      assert.match((await importGuide(guide, "--frobnicate")).error, /--frobnicate[^]*Usage: tidesql import-guide/);
    });
  });
});
