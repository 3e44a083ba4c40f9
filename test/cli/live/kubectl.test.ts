import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { failureOf, KubectlError, kubectlOnPath } from "../../../cli/live/kubectl";

/** Plays kubectl: its first own argument says what happens. It writes down its arguments and, when it forwards, its process. */
const script = `
const { appendFileSync } = require("node:fs");
const own = process.argv.slice(2);
appendFileSync(process.env.KUBECTL_CALLS, JSON.stringify(own) + "\\n");
const [verb] = own.filter(word => !word.startsWith("--"));
const acts = {
  get: () => console.log('{"items":[]}'),
  forbidden: () => { console.error('Error from server (Forbidden): pods is forbidden: User "eve" cannot list'); process.exit(1); },
  gone: () => { console.error('Error from server (NotFound): namespaces "x" not found'); process.exit(1); },
  broken: () => process.exit(3),
  hang: () => setInterval(() => undefined, 1000),
  "port-forward": () => {
    if (own.includes("pod/none")) { console.error("error: unable to forward port because pod is not running"); process.exit(1); }
    console.log("Forwarding from 127.0.0.1:40123 -> 3306");
    setTimeout(() => { if (own.includes("pod/short")) { console.error("lost connection to pod"); process.exit(1); } }, 50);
    setInterval(() => undefined, 1000);
  },
};
acts[verb]();
`;

describe("kubectl", () => {
  let folder: string;
  let before: NodeJS.ProcessEnv;

  beforeEach(() => {
    before = { ...process.env };
    folder = mkdtempSync(join(tmpdir(), "tidesql-kubectl-"));
    const program = join(folder, "kubectl");
    writeFileSync(`${program}.cjs`, script);
    writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" "${program}.cjs" "$@"\n`);
    chmodSync(program, 0o755);
    process.env.PATH = `${folder}:${dirname(process.execPath)}:/usr/bin:/bin`;
    process.env.KUBECTL_CALLS = join(folder, "calls");
  });

  afterEach(() => {
    process.env = before;
    rmSync(folder, { recursive: true, force: true });
  });

  const calls = () =>
    readFileSync(join(folder, "calls"), "utf8")
      .trim()
      .split("\n")
      .map(line => JSON.parse(line) as string[]);

  const problemOf = async (call: Promise<unknown>) => {
    const error = await call.then(
      () => assert.fail("it was to fail"),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof KubectlError);
    return error;
  };

  it("is passed the cluster and the arguments as they are", async () => {
    const answer = await kubectlOnPath({ kubeconfig: "/a b", context: "c;d" }).run(["get", "pods", "$(x)"]);
    assert.equal(answer, '{"items":[]}\n');
    assert.deepEqual(calls(), [["--kubeconfig=/a b", "--context=c;d", "get", "pods", "$(x)"]]);
  });

  it("says what is in the way, in its own words", async () => {
    const kubectl = kubectlOnPath({});
    assert.equal((await problemOf(kubectl.run(["forbidden"]))).problem, "forbidden");
    assert.equal((await problemOf(kubectl.run(["gone"]))).problem, "notFound");
    const broken = await problemOf(kubectl.run(["broken"]));
    assert.deepEqual([broken.problem, broken.message], ["failed", "kubectl failed without a message"]);
  });

  it("is not waited for longer than it may take", async () => {
    assert.equal((await problemOf(kubectlOnPath({}).run(["hang"], 300))).problem, "timeout");
  });

  it("is missed by name when it is not there", async () => {
    process.env.PATH = join(folder, "nothing");
    const error = await problemOf(kubectlOnPath({}).run(["get"]));
    assert.equal(error.problem, "missing");
    assert.match(error.message, /kubectl is not on the PATH/);
    assert.equal((await problemOf(kubectlOnPath({}).forward("shop", "pod/orders-0", 3306))).problem, "missing");
  });

  it("forwards a port until it is closed, or until it ends", async () => {
    const kubectl = kubectlOnPath({});
    const forward = await kubectl.forward("shop", "service/orders-primary", 3306);
    assert.equal(forward.localPort, 40123);
    assert.deepEqual(calls()[0], [
      "port-forward",
      "--address=127.0.0.1",
      "-n",
      "shop",
      "service/orders-primary",
      ":3306",
    ]);
    forward.close();
    await forward.ended;
    const short = await kubectl.forward("shop", "pod/short", 3306, 3307);
    assert.equal(await short.ended, "lost connection to pod");
    assert.equal(calls()[1]?.at(-1), "3307:3306");
  });

  it("says why it forwards nothing", async () => {
    const error = await problemOf(kubectlOnPath({}).forward("shop", "pod/none", 3306));
    assert.match(error.message, /pod is not running/);
  });

  it("says how to name a cluster where kubectl knows none, without the log of kubectl's library", () => {
    const line = (second: number) =>
      `E1129 23:15:${second}.868948    8183 memcache.go:265] "Unhandled Error" err="couldn't get current server API group list: connection refused"\n`;
    const said = `${line(11)}${line(12)}The connection to the server localhost:8080 was refused - did you specify the right host or port?\n`;
    assert.equal(
      failureOf(said).message,
      "The connection to the server localhost:8080 was refused - did you specify the right host or port? kubectl knows no cluster: name one with --kubeconfig or --context.",
    );
    assert.match(failureOf(line(11)).message, /connection refused/);
  });
});
