import { type Finding, type Given, type StackCheck, stackCheck } from "./check";
import { type Database, databaseOf } from "./model/database";
import { type Setting } from "./model/engineSettings";
import { isLongRunning } from "./model/kubernetes";
import { type Stack } from "./model/stack";

/** Declares a rule about workloads whose pods run TideSQL; other workloads satisfy it. */
export function databaseCheck<C extends object = Record<string, never>>(
  check: Omit<StackCheck<C>, "applies" | "evaluateInStack"> & {
    evaluateDatabase(this: void, database: Database, given: Given<C>, stack: Stack): Iterable<Finding>;
  },
): StackCheck<never> {
  const { evaluateDatabase, ...description } = check;
  return stackCheck<C>({
    ...(description as Omit<StackCheck<C>, "applies" | "evaluateInStack">),
    applies: isLongRunning,
    *evaluateInStack(workload, given, stack) {
      const database = databaseOf(workload, stack);
      if (database) yield* evaluateDatabase(database, given, stack);
    },
  });
}

/** Where an option was written, for a message: `ConfigMap orders-config, data["engine.cnf"], line 4`. */
export function placeOf({ source, line }: Setting): string {
  return `${source.resource.name}, ${source.path}, line ${line}`;
}

/** A finding about an option of the server, with the place where it is written, if it is. */
export function optionFinding(
  database: Database,
  setting: Setting | undefined,
  message: string,
  wayOut?: string,
): Finding {
  const where = setting ? ` (${placeOf(setting)})` : "";
  return { path: database.container.path, message: message.replace(/\.$/, `${where}.`), ...(wayOut && { wayOut }) };
}
