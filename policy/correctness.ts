import { Group, group } from "./check";
import { serverAccessChecks } from "./correctness/access";
import { configurationChecks } from "./correctness/configuration";
import { durabilityChecks } from "./correctness/durability";
import { roleChecks } from "./correctness/roles";
import { storageChecks } from "./correctness/storage";

/** What makes a TideSQL deployment lose acknowledged rows, or serve wrong ones. The facts behind the checks are in docs/engine.md. */
export const correctness = group(Group.correctness, [
  ...roleChecks,
  ...durabilityChecks,
  ...storageChecks,
  ...configurationChecks,
  ...serverAccessChecks,
]);
