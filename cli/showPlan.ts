import { ManifestDirectory } from "./manifestDirectory";
import { manifestsOf } from "./manifests";
import { mermaidOf } from "./mermaid";
import type { PlanOptions, Streams } from "./plan";
import { planAsJson } from "./planJson";
import type { Plan } from "./planner/plan";
import { planStack } from "./planner/planStack";
import { Secret } from "./planner/values";
import { reportOf } from "./report";
import { terminalOf } from "./terminal";
import { verdictOn } from "./verdict";

/**
 * Plans the stack, writes the manifests if they are wanted, and prints the plan with what the policies say of it.
 * @throws PlanError, ProgramError
 */
export async function showPlan(options: PlanOptions, { out, error }: Streams): Promise<void> {
  const { stack, directory } = options;
  const folder = options.manifests === undefined ? undefined : new ManifestDirectory(options.manifests);
  const secrets = Object.entries(options.secrets).map(([key, value]) => [key, new Secret(value)] as const);
  const config = { ...options.config, ...Object.fromEntries(secrets) };
  const plan = await planStack({ stack, directory, config, made: folder?.made });
  const manifests = folder && manifestsOf(plan);
  if (manifests) folder.write(manifests);
  out.write(shown(plan, options, out));
  if (manifests) {
    const what = `${manifests.length} objects to ${options.manifests}`;
    error.write(`Wrote ${what}. Secrets in them are in clear: keep the folder to yourself.\n`);
  }
}

function shown(plan: Plan, { directory, json, mermaid, usage }: PlanOptions, out: Streams["out"]): string {
  if (mermaid) return mermaidOf(plan);
  const verdict = verdictOn(plan, { directory });
  // Since the process began: Node's own start and the loading of the SDKs are part of what one waits for.
  return json ? planAsJson(plan, verdict, usage) : reportOf(plan, verdict, terminalOf(out), performance.now(), usage);
}
