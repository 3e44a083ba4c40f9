import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { NotInstalled, NotRendered } from "./notRendered";

/** What `helm template` is told of a chart. */
export interface Chart {
  /** Name of the release. */
  release: string;
  /** A folder, an archive, or a name in the repository. */
  chart: string;
  namespace?: string;
  /** Default: the newest. */
  version?: string;
  /** URL of a repository. Default: those that Helm is set up with. */
  repository?: string;
  /** Files with values, the last one counts. */
  valueFiles: readonly string[];
  /** Laid over those of the files. */
  values: unknown;
  /** Further arguments. */
  flags: readonly string[];
}

/** Rendering takes longer where a chart has to be fetched first. Milliseconds. */
const longestRendering = 60_000;

/**
 * The manifests of a chart, as `helm template` renders them, which is what the provider does too.
 * @throws NotRendered when Helm is not installed or refuses the chart
 */
export function templated(chart: Chart): string {
  const option = (flag: string, value: string | undefined) => (value === undefined ? [] : [flag, value]);
  const args = [
    "template",
    chart.release,
    chart.chart,
    ...option("--namespace", chart.namespace),
    ...option("--version", chart.version),
    ...option("--repo", chart.repository),
    ...chart.valueFiles.flatMap(file => ["--values", file]),
    "--values",
    "-",
    ...chart.flags,
  ];
  return run("helm", args, JSON.stringify(chart.values));
}

/**
 * The manifests of a folder with a kustomization, by `kustomize` or by the one in `kubectl`.
 * @throws NotRendered when it is not a folder at hand, when neither is installed, or when they refuse it
 */
export function kustomized(directory: string): string {
  if (!existsSync(directory)) throw new NotRendered(`${directory} is not a folder here`);
  try {
    return run("kustomize", ["build", directory]);
  } catch (error) {
    if (!(error instanceof NotInstalled)) throw error;
    return run("kubectl", ["kustomize", directory]);
  }
}

/**
 * A chart as `kubernetes.helm.v3.Chart` asks its provider for it.
 * @param json what the SDK sends: the component's arguments with `_` for capitals
 */
export function olderChart(json: string): Chart {
  const given = JSON.parse(json) as Record<string, unknown>;
  const text = (name: string) => (typeof given[name] === "string" ? given[name] : undefined);
  const fetching = (given.fetch_opts ?? {}) as Record<string, unknown>;
  const repository = text("repo");
  const chart = text("path") ?? [repository, text("chart")].filter(part => part !== undefined).join("/");
  return {
    release: text("release_name") ?? "release",
    chart,
    namespace: text("namespace"),
    version: text("version") ?? (typeof fetching.version === "string" ? fetching.version : undefined),
    repository: typeof fetching.repo === "string" ? fetching.repo : undefined,
    valueFiles: [],
    values: given.values ?? {},
    flags: [
      ...(given.include_test_hook_resources === true ? [] : ["--skip-tests"]),
      ...(given.skip_crd_rendering === true ? [] : ["--include-crds"]),
      ...(text("kube_version") === undefined ? [] : ["--kube-version", text("kube_version")!]),
      ...(Array.isArray(given.api_versions) && given.api_versions.length > 0
        ? ["--api-versions", given.api_versions.join(",")]
        : []),
    ],
  };
}

function run(command: string, args: readonly string[], input = ""): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    input,
    encoding: "utf8",
    timeout: longestRendering,
    maxBuffer: 64 * 1024 ** 2,
  });
  if (error && "code" in error && error.code === "ENOENT") throw new NotInstalled(command);
  if (error || status !== 0) throw new NotRendered(`${command} fails: ${firstError(stderr) || error?.message}`);
  return stdout;
}

/** The first line that says what is wrong. Helm warns before it fails. */
function firstError(text: string | null): string {
  const lines = (text ?? "").trim().split("\n");
  return lines.find(line => /^error\b/i.test(line)) ?? lines[0] ?? "";
}
