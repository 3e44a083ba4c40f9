import { type ManagerConfiguration } from "../../components/core/managerConfiguration";
import { type Setting } from "./engineSettings";
import { type MountedFile } from "./mountedFiles";
import { isRecord } from "./resource";

/** The manager's own configuration, beside the option file. */
export const managerFile = "manager.json";

/** What the manager's own configuration says of the server; the option files have the last word. */
export function settingsOfManager({ content: source, text }: MountedFile): Setting[] {
  const configuration = managerConfiguration(text);
  if (!configuration) return [];
  const { objectStore, requireTls } = configuration;
  const options: [string, unknown][] = [
    ["require_secure_transport", requireTls === true ? "ON" : requireTls === false ? "OFF" : undefined],
    ["tidesdb_s3_endpoint", objectStore?.endpoint],
    ["tidesdb_s3_bucket", objectStore?.bucket],
    ["tidesdb_s3_prefix", objectStore?.prefix],
    ["tidesdb_s3_use_ssl", objectStore?.useTls === undefined ? undefined : objectStore.useTls ? "ON" : "OFF"],
  ];
  return options.flatMap(([name, value]) => (typeof value === "string" ? [{ name, value, source, line: 1 }] : []));
}

/** The manager's configuration in a text, undefined where it holds none. */
export function managerConfiguration(text: string): Partial<ManagerConfiguration> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) && (value.objectStore === undefined || isRecord(value.objectStore)) ? value : undefined;
  } catch {
    return undefined;
  }
}
