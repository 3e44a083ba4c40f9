import { ManagerConfiguration } from "./managerConfiguration";

/** The text of `manager.json`. Keys are sorted, so that a difference between two texts is one between two configurations. */
export function managerConfigurationText(configuration: ManagerConfiguration): string {
  return `${JSON.stringify(sorted(configuration), undefined, 2)}\n`;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}
