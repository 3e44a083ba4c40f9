import { randomUUID } from "node:crypto";

const folder = "conditional-write-probe/";
/** What was written before each process had a key of its own. */
const shared = "conditional-write-probe";

/** A key for one look at whether the store honours conditions. Nodes that start together must not meet at one: the first to delete it would make the others' conditions hold. */
export function newProbeKey(): string {
  return `${folder}${randomUUID()}`;
}

/** Whether an object is such a look's, of a process that goes on or has died: it is nobody's data. */
export function isProbe(key: string): boolean {
  return key === shared || key.startsWith(folder);
}
