import { readFileSync } from "node:fs";
import { ManagerConfiguration } from "../../core/managerConfiguration";
import { ManagerConfigurationBody, parseNodes } from "../../core/managerConfigurationText";
import { podLayout } from "../../core/podLayout";
import { Log } from "./ports";

/**
 * The manager's configuration, as the ConfigMap is mounted.
 * The number of nodes is read at each use: the kubelet renews the file within a minute or two, and a change of it does not restart the pod. While the file cannot be read the last number holds.
 * @param read the text of a file
 * @throws Error at the start, when a file is missing or is not what it should be
 */
export function configurationFiles(
  log: Log,
  read: (file: string) => string = file => readFileSync(file, "utf8"),
): ManagerConfiguration {
  const body = JSON.parse(read(podLayout.managerConfiguration)) as ManagerConfigurationBody;
  const databaseId = read(podLayout.databaseId);
  if (databaseId === "") throw new Error(`${podLayout.databaseId} is empty`);
  let nodes = parseNodes(read(podLayout.nodes));
  const readNodes = () => {
    try {
      const now = parseNodes(read(podLayout.nodes));
      if (now !== nodes) log("info", "the number of nodes changed", { before: nodes, now });
      nodes = now;
    } catch (error) {
      log("warning", "the number of nodes could not be read", { error: String(error) });
    }
    return nodes;
  };
  return Object.defineProperty({ ...body, databaseId, nodes }, "nodes", { get: readNodes, enumerable: true });
}
