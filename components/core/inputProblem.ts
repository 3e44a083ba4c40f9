/** One thing wrong with a component's arguments. Core functions return these; the resource layer throws them all at once, before it registers anything. */
export interface InputProblem {
  /** Path of the property as the user wrote it: `users[1].name`, `objectStore.endpoint`. */
  propertyPath: string;
  /** What is wrong with it, and what to write instead. Never holds a secret's value. */
  reason: string;
}

/** The same problems as seen from an enclosing argument: `endpoint` in `objectStore` becomes `objectStore.endpoint`. */
export function under(parent: string, problems: InputProblem[]): InputProblem[] {
  return problems.map(({ propertyPath, reason }) => ({
    propertyPath:
      propertyPath === "" ? parent : propertyPath.startsWith("[") ? parent + propertyPath : `${parent}.${propertyPath}`,
    reason,
  }));
}
