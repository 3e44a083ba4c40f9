import { ManagerConfiguration } from "./managerConfiguration";

/**
 * What `manager.json` does not say, since it is in keys of its own beside it. The identity is unknown until it is made, and one unknown in a text makes all of the text unknown to anyone who judges a
 * preview; the number of pods changes while they run.
 */
export type ManagerConfigurationValues = Pick<ManagerConfiguration, "databaseId" | "nodes">;

/** The rest of the manager's configuration. */
export type ManagerConfigurationBody = Omit<ManagerConfiguration, keyof ManagerConfigurationValues>;

/** Keys of the ConfigMap, and so names of the files that the manager reads. */
export const configurationKeys = {
  engine: "engine.cnf",
  manager: "manager.json",
  databaseId: "databaseId",
  nodes: "nodes",
} as const;

/** The text of `manager.json`. Keys are sorted, so that a difference between two texts is one between two configurations. */
export function managerConfigurationText(configuration: ManagerConfigurationBody): string {
  return `${JSON.stringify(sorted(configuration), undefined, 2)}\n`;
}

/** The number of pods as its key holds it. @throws Error when it is not a whole number from 1 */
export function parseNodes(text: string): number {
  const nodes = Number(text);
  if (!Number.isSafeInteger(nodes) || nodes < 1) throw new Error(`the number of nodes is "${text.slice(0, 20)}"`);
  return nodes;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}
