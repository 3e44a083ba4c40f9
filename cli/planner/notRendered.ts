/** Why the objects of a component cannot be told here. */
export class NotRendered extends Error {}

/** The program that would render them is not installed. */
export class NotInstalled extends NotRendered {
  /** @param command the program's name */
  constructor(command: string) {
    super(`${command} is not installed here`);
  }
}
