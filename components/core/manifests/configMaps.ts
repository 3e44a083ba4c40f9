import { configurationKeys } from "../managerConfigurationText";
import { DatabaseNames } from "../names";
import { objectMetadata } from "./metadata";

/**
 * The engine's and the manager's configuration; nothing in it is secret.
 * @typeParam Text a string, or what becomes one when the plan is carried out
 */
export function configurationManifest<Text>(
  names: DatabaseNames<Text>,
  texts: { engine: Text; manager: Text; databaseId: Text },
) {
  return {
    apiVersion: "v1" as const,
    kind: "ConfigMap" as const,
    metadata: objectMetadata(names.configuration, names),
    data: {
      [configurationKeys.engine]: texts.engine,
      [configurationKeys.manager]: texts.manager,
      [configurationKeys.databaseId]: texts.databaseId,
      [configurationKeys.nodes]: String(names.pods.length),
    },
  };
}

/** The manager's program, which the database container runs as process 1, and what the command line runs beside it. */
export function managerManifest<Text>(
  names: DatabaseNames<Text>,
  scripts: { manager: string; watchdog: string; inspect: string },
) {
  return {
    apiVersion: "v1" as const,
    kind: "ConfigMap" as const,
    metadata: objectMetadata(names.manager, names),
    data: { "manager.js": scripts.manager, "watchdog.js": scripts.watchdog, "inspect.js": scripts.inspect },
  };
}
