import { Secret, type PlannedRecord, type PlannedValue } from "./values";

/** What a provider computed for a resource. */
export interface Creation {
  id: string;
  outputs: PlannedRecord;
}

/** Makes a resource of the given type from its inputs, all of them known and in clear. Undefined for a type that it does not make. */
export type LocalProvider = (type: string, inputs: Record<string, unknown>) => Creation | undefined;

/** The outputs with those wrapped that the provider's schema calls sensitive. */
export function withSecrets(outputs: Record<string, PlannedValue>, ...secretNames: string[]): PlannedRecord {
  const entries = Object.entries(outputs);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, secretNames.includes(name) ? new Secret(value) : value]),
  );
}
