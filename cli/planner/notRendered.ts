/** Why the objects of a component cannot be told here. */
export class NotRendered extends Error {}
