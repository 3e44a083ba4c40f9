import type { Diagnostic, PlannedResource } from "./plan";
import { KnownSecrets } from "./redaction";
import { partsOf, Secret, unknown, type PlannedRecord } from "./values";

/**
 * Warnings for every plain input that holds a secret: Pulumi would write it in clear into its state. Only values that are secret from the start count (secrets
 * of the configuration, passwords and keys that were made), since a Secret of Kubernetes also holds what is no secret at all.
 */
export function exposedSecrets(resources: readonly PlannedResource[], config: PlannedRecord): Diagnostic[] {
  const secrets = new KnownSecrets();
  secrets.add(config);
  for (const { outputs } of resources.filter(isMadeHere)) secrets.add(outputs);
  // The manager's program is in a ConfigMap of each database: a look at it is enough.
  const looked = new Map<string, boolean>();
  const isExposed = (text: string) => {
    const known = looked.get(text) ?? secrets.isIn(text);
    looked.set(text, known);
    return known;
  };
  return resources.flatMap(resource =>
    [...partsOf(resource.inputs)]
      .filter(({ value, isSecret }) => !isSecret && typeof value === "string" && isExposed(value))
      .map(({ path }) => ({
        severity: "warning",
        message: `${path} of ${resource.name} (${resource.type}) holds a secret in plain: wrap it with pulumi.secret, or pass it as an output.`,
      })),
  );
}

function isMadeHere({ type, outputs }: PlannedResource): boolean {
  const isLocal = type.startsWith("random:") || type.startsWith("tls:");
  return isLocal && Object.values(outputs).some(output => output instanceof Secret && output.reveal() !== unknown);
}
