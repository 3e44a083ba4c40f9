import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { checks } from "../policy/checks";
import { configurationFaults, type PackConfiguration } from "../policy/configuration";
import type { Verdict } from "../policy/judge";
import { isRecord } from "../policy/model/resource";
import type { Preset } from "../policy/preset";
import { judgePlan } from "./judgePlan";
import type { Plan } from "./planner/plan";
import { PlanError } from "./planner/planError";

/** How a stack is judged. */
export interface VerdictSettings {
  /** Default `production`. */
  preset?: Preset;
  /** Configuration of the policies. Default: `Pulumi.<stack>.policies.json`, if there is one. */
  configurationFile?: string;
  /** Where that is. Default: the current folder. */
  directory?: string;
}

/**
 * What the policies say of a stack today, by its own configuration of them.
 * @throws PlanError when the configuration cannot be used
 */
export function verdictOn(plan: Plan, { preset, configurationFile, directory = "." }: VerdictSettings): Verdict {
  const ofStack = join(directory, `Pulumi.${plan.stack}.policies.json`);
  const configuration = readConfiguration(configurationFile ?? (existsSync(ofStack) ? ofStack : undefined));
  return judgePlan(plan, { preset, configuration, today: new Date().toISOString().slice(0, 10) });
}

function readConfiguration(file: string | undefined): PackConfiguration {
  if (file === undefined) return {};
  const configuration = parseFile(file);
  const faults = configurationFaults(checks, configuration);
  if (faults.length > 0) {
    throw new PlanError(`${file} cannot be used:\n${faults.map(fault => `  ${fault}`).join("\n")}`);
  }
  return configuration;
}

function parseFile(file: string): PackConfiguration {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new PlanError(`${file} cannot be read: ${(error as Error).message}`);
  }
  if (isRecord(value)) return value as PackConfiguration;
  throw new PlanError(`${file} is not a JSON object of policies.`);
}
