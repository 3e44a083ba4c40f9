import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import fc from "fast-check";
import { parse } from "yaml";
import { ManifestDirectory } from "../../cli/manifestDirectory";
import { manifestsOf } from "../../cli/manifests";
import { PlanError } from "../../cli/planner/planError";
import { planProgram } from "../../cli/planner/planProgram";
import { planStack } from "../../cli/planner/planStack";
import { fixture } from "./fixtures/fixture";

interface KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string };
  stringData?: Record<string, string>;
  data?: Record<string, string>;
}

const planOf = (program: () => unknown) => planProgram(program, { project: "shop", stack: "test" });

async function objectsOf(program: () => unknown): Promise<KubernetesObject[]> {
  return manifestsOf(await planOf(program)).map(
    ({ content }) => parse(content, { version: "1.1" }) as KubernetesObject,
  );
}

describe("manifests of a plan", () => {
  it("are its Kubernetes objects, in an order in which they can be created", async () => {
    const manifests = manifestsOf(await planStack({ directory: fixture, stack: "local" }));
    const names = manifests.map(({ fileName }) => fileName);
    assert.deepEqual([...names].sort(), names);
    assert.equal(names[0], "1-namespace-shop.yaml");
    assert.deepEqual(
      new Set(names.map(name => name.slice(2))),
      new Set([
        "namespace-shop.yaml",
        "secret-orders-users.yaml",
        "configmap-orders-config.yaml",
        "statefulset-orders.yaml",
      ]),
    );
  });

  it("hold Secrets in clear: they are there to be applied", async () => {
    const objects = await objectsOf(() => {
      const password = pulumi.secret("correct horse");
      new kubernetes.core.v1.Secret("users", { metadata: { name: "users" }, stringData: { app: password } });
    });
    assert.deepEqual(objects[0]?.stringData, { app: "correct horse" });
  });

  it("read back as what the program gave, in both versions of YAML", async () => {
    const tricky = fc.oneof(
      fc.constantFrom(
        "yes",
        "no",
        "on",
        "null",
        "~",
        "012",
        "1e3",
        "0x1f",
        "1_000",
        "12:30:45",
        "2026-11-01",
        "- a",
        "a: b",
        "#",
        "|",
        " x ",
        " \n",
        "a\n \nb",
      ),
      fc.string({ unit: "grapheme" }),
      fc.string({ unit: fc.constantFrom("a", "\n", " ", "\t", ":", "'", '"', "\\", "#") }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.stringMatching(/^[a-z.]{1,8}$/), tricky, { maxKeys: 5, noNullPrototype: true }),
        async data => {
          const plan = await planOf(
            () => void new kubernetes.core.v1.ConfigMap("map", { metadata: { name: "map" }, data }),
          );
          const { content } = manifestsOf(plan)[0]!;
          for (const version of ["1.1", "1.2"] as const) {
            assert.deepEqual((parse(content, { version }) as KubernetesObject).data, { ...data });
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it("are in the namespace of their provider when they name none, unless they belong to none", async () => {
    const objects = await objectsOf(() => {
      const provider = new kubernetes.Provider("provider", { namespace: "shop" });
      new kubernetes.core.v1.ConfigMap("here", { metadata: { name: "here" } }, { provider });
      new kubernetes.core.v1.ConfigMap("there", { metadata: { name: "there", namespace: "other" } }, { provider });
      new kubernetes.core.v1.Namespace("shop", { metadata: { name: "shop" } }, { provider });
    });
    assert.deepEqual(Object.fromEntries(objects.map(({ metadata }) => [metadata.name, metadata.namespace])), {
      here: "shop",
      there: "other",
      shop: undefined,
    });
  });

  it("are refused altogether while a value of one is not known, with its name and place", async () => {
    const plan = await planStack({ directory: fixture, stack: "prod" });
    assert.throws(
      () => manifestsOf(plan),
      error => error instanceof PlanError && /object-store .*: stringData is not known/.test(error.message),
    );
  });

  it("are refused for an object whose name Pulumi would make up", async () => {
    const plan = await planOf(() => void new kubernetes.core.v1.ConfigMap("nameless", { data: {} }));
    assert.throws(() => manifestsOf(plan), /nameless/);
  });

  it("are refused for what is not an object", async () => {
    const plan = await planOf(() => void new kubernetes.helm.v3.Release("chart", { chart: "redis" }));
    assert.throws(() => manifestsOf(plan), /chart \(kubernetes:helm\.sh\/v3:Release\)/);
  });
});

describe("a folder of manifests", () => {
  let parent: string;
  let folder: string;

  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), "tidesql-manifests-"));
    folder = join(parent, "out", "here");
  });

  afterEach(() => rmSync(parent, { recursive: true, force: true }));

  const mode = (...path: string[]) => statSync(join(folder, ...path)).mode & 0o777;
  const manifest = (fileName: string, content = `name: ${fileName}\n`) => ({ fileName, content });
  const yamlFiles = () => readdirSync(folder).filter(name => name.endsWith(".yaml"));

  it("is made with its parents, and nobody else can read it", () => {
    const mask = process.umask(0);
    try {
      new ManifestDirectory(folder).write([manifest("1-a.yaml"), manifest("2-b.yaml")]);
    } finally {
      process.umask(mask);
    }
    assert.equal(mode(), 0o700);
    assert.equal(mode("1-a.yaml"), 0o600);
    assert.equal(mode(".tidesql-plan"), 0o600);
    assert.deepEqual(yamlFiles(), ["1-a.yaml", "2-b.yaml"]);
  });

  it("is closed to others when it is there and empty", () => {
    mkdirSync(folder, { recursive: true });
    chmodSync(folder, 0o755);
    new ManifestDirectory(folder).write([manifest("1-a.yaml")]);
    assert.equal(mode(), 0o700);
  });

  it("holds nothing else that kubectl would take for an object", () => {
    new ManifestDirectory(folder).write([manifest("1-a.yaml")]);
    assert.deepEqual(
      readdirSync(folder).filter(name => /\.(ya?ml|json)$/.test(name)),
      ["1-a.yaml"],
    );
  });

  it("is written again: changed files are replaced, former ones removed", () => {
    new ManifestDirectory(folder).write([manifest("1-a.yaml"), manifest("2-b.yaml")]);
    new ManifestDirectory(folder).write([manifest("1-b.yaml"), manifest("2-b.yaml", "new: true\n")]);
    assert.deepEqual(yamlFiles(), ["1-b.yaml", "2-b.yaml"]);
    assert.equal(readFileSync(join(folder, "2-b.yaml"), "utf8"), "new: true\n");
  });

  const refuses = (manifests: ReturnType<typeof manifest>[], message: RegExp) =>
    assert.throws(
      () => new ManifestDirectory(folder).write(manifests),
      error => error instanceof PlanError && message.test(error.message),
    );

  it("keeps a file that somebody else wrote, and writes nothing then", () => {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, "2-b.yaml"), "theirs");
    refuses([manifest("1-a.yaml"), manifest("2-b.yaml")], /2-b\.yaml/);
    assert.deepEqual(readdirSync(folder), ["2-b.yaml"]);
    assert.equal(readFileSync(join(folder, "2-b.yaml"), "utf8"), "theirs");
  });

  it("keeps a file that somebody changed, also one that would be removed", () => {
    new ManifestDirectory(folder).write([manifest("1-a.yaml"), manifest("2-b.yaml")]);
    writeFileSync(join(folder, "2-b.yaml"), "by hand");
    refuses([manifest("2-b.yaml", "new")], /2-b\.yaml/);
    refuses([manifest("1-a.yaml")], /2-b\.yaml/);
    assert.equal(readFileSync(join(folder, "2-b.yaml"), "utf8"), "by hand");
    assert.ok(existsSync(join(folder, "1-a.yaml")));
  });

  it("leaves other files in it alone", () => {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, "notes.txt"), "mine");
    new ManifestDirectory(folder).write([manifest("1-a.yaml")]);
    assert.equal(readFileSync(join(folder, "notes.txt"), "utf8"), "mine");
  });

  it("does not write through a link that somebody laid", () => {
    const target = join(parent, "target");
    writeFileSync(target, "untouched");
    new ManifestDirectory(folder).write([manifest("1-a.yaml")]);
    rmSync(join(folder, "1-a.yaml"));
    symlinkSync(target, join(folder, ".1-a.yaml.new"));
    new ManifestDirectory(folder).write([manifest("1-a.yaml")]);
    assert.equal(readFileSync(target, "utf8"), "untouched");
  });

  it("is refused when others can read what is in it, and when it is a file", () => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "notes.txt"), "mine");
    chmodSync(folder, 0o755);
    refuses([manifest("1-a.yaml")], /chmod 700/);
    rmSync(folder, { recursive: true });
    writeFileSync(folder, "");
    refuses([manifest("1-a.yaml")], /is a file/);
  });

  it("keeps the passwords of the last time, so that applying it again changes none", async () => {
    const passwords = async () => {
      const directory = new ManifestDirectory(folder);
      const plan = await planStack({ directory: fixture, stack: "local", made: directory.made });
      directory.write(manifestsOf(plan));
      const file = yamlFiles().find(name => name.includes("secret-orders-users"));
      return (parse(readFileSync(join(folder, file!), "utf8")) as KubernetesObject).stringData?.app;
    };
    const first = await passwords();
    assert.match(first ?? "", /^.{24}$/);
    assert.equal(await passwords(), first);
  });

  it("says so when what it remembers is damaged, instead of making new passwords", () => {
    new ManifestDirectory(folder).write([manifest("1-a.yaml")]);
    writeFileSync(join(folder, ".tidesql-plan"), "{");
    refuses([manifest("1-a.yaml")], /damaged/);
  });
});
