import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { stringify } from "yaml";
import { run } from "./command";
import { projectFolder } from "./localStack";

const cache = join(projectFolder, "node_modules/.cache/tidesql-prometheus");

/**
 * The folder of `prometheus` and `promtool`: on the path, or Debian's package, unpacked in a cache.
 * @throws Error where neither is to be had
 */
export async function prometheusPrograms(): Promise<string> {
  const folders = [...(process.env.PATH ?? "").split(delimiter), join(cache, "usr/bin")];
  const found = () => folders.find(folder => existsSync(join(folder, "prometheus")));
  const present = found();
  if (present !== undefined) return present;
  mkdirSync(cache, { recursive: true });
  await run("apt-get", ["download", "prometheus"], { directory: cache });
  const archive = readdirSync(cache).find(file => file.endsWith(".deb"));
  assert.ok(archive, "apt-get download left no package");
  await run("dpkg-deb", ["--extract", join(cache, archive), cache]);
  rmSync(join(cache, archive));
  const unpacked = found();
  assert.ok(unpacked, "the package has no prometheus");
  return unpacked;
}

interface Rule {
  name: string;
  state: string;
  health: string;
  lastError?: string;
}

/** What of a pod Prometheus is told: Debian's build has no discovery in Kubernetes. */
export interface Target {
  namespace: string;
  pod: string;
  /** Host and port. */
  address: string;
}

/** A Prometheus that reads some pods and evaluates rules, both every second. */
export class Prometheus {
  private said = "";

  private constructor(
    private readonly process: ChildProcess,
    private readonly folder: string,
    private readonly address: string,
  ) {
    process.stderr?.on("data", text => (this.said = (this.said + String(text)).slice(-2000)));
  }

  /** @param rules path of the file with the rules */
  static async start(targets: Target[], rules: string): Promise<Prometheus> {
    const folder = mkdtempSync(join(tmpdir(), "prometheus-"));
    const configuration = {
      global: { scrape_interval: "1s", evaluation_interval: "1s" },
      rule_files: [rules],
      scrape_configs: [
        {
          job_name: "tidesql",
          static_configs: targets.map(({ address, ...labels }) => ({ targets: [address], labels })),
        },
      ],
    };
    writeFileSync(join(folder, "prometheus.yaml"), stringify(configuration));
    const address = `127.0.0.1:${await freePort()}`;
    const child = spawn(
      join(await prometheusPrograms(), "prometheus"),
      [
        `--config.file=${join(folder, "prometheus.yaml")}`,
        `--storage.tsdb.path=${join(folder, "data")}`,
        `--web.listen-address=${address}`,
      ],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    return new Prometheus(child, folder, address);
  }

  /** The values that a query gives now. @throws Error when Prometheus refuses it */
  async query(expression: string): Promise<{ metric: Record<string, string>; value: number }[]> {
    const { result } = await this.get<{ result: { metric: Record<string, string>; value: [number, string] }[] }>(
      `query?query=${encodeURIComponent(expression)}`,
    );
    return result.map(({ metric, value: [, value] }) => ({ metric, value: Number(value) }));
  }

  async rules(): Promise<Rule[]> {
    const { groups } = await this.get<{ groups: { rules: Rule[] }[] }>("rules");
    return groups.flatMap(({ rules }) => rules);
  }

  /** Names of the alerts that are firing. */
  async firing(): Promise<string[]> {
    return (await this.rules()).filter(({ state }) => state === "firing").map(({ name }) => name);
  }

  private async get<T>(path: string): Promise<T> {
    if (this.process.exitCode !== null) throw new Error(`prometheus has ended: ${this.said}`);
    const response = await fetch(`http://${this.address}/api/v1/${path}`);
    const answer = (await response.json()) as { status: string; data: T; error?: string };
    if (answer.status !== "success") throw new Error(answer.error);
    return answer.data;
  }

  async stop(): Promise<void> {
    if (this.process.exitCode === null) {
      const ended = new Promise(fulfil => this.process.once("exit", fulfil));
      this.process.kill();
      await ended;
    }
    rmSync(this.folder, { recursive: true });
  }
}

function freePort(): Promise<number> {
  return new Promise(fulfil => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => fulfil(typeof address === "object" && address ? address.port : 0));
    });
  });
}
