import { type Check } from "./check";
import { type PackConfiguration } from "./configuration";

/** Environments that the pack knows. `production` is the pack as it stands; `development` lets a developer work on one node, with plain passwords nowhere all the same. */
export const Preset = { production: "production", development: "development" } as const;
export type Preset = (typeof Preset)[keyof typeof Preset];

/** A preset as a configuration: what differs from the checks' own defaults. */
export function presetConfiguration(preset: Preset, checks: readonly Check[]): PackConfiguration {
  if (preset === Preset.production) return {};
  const result: PackConfiguration = {};
  for (const { id, development } of checks) {
    if (!development) continue;
    const { level, configuration } = development;
    result[id] = {
      ...(level === undefined ? {} : { enforcementLevel: level }),
      ...(configuration as object | undefined),
    };
  }
  return result;
}

/** One configuration laid over another, property by property; exemptions of both hold. */
export function overlaid(below: PackConfiguration, above: PackConfiguration): PackConfiguration {
  const result: PackConfiguration = { ...below };
  for (const [id, setting] of Object.entries(above)) {
    const lower = asObject(below[id]);
    const upper = asObject(setting);
    result[id] = { ...lower, ...upper, exemptions: [...(lower.exemptions ?? []), ...(upper.exemptions ?? [])] };
  }
  return result;
}

function asObject(setting: PackConfiguration[string] | undefined) {
  return typeof setting === "string" ? { enforcementLevel: setting } : (setting ?? {});
}
