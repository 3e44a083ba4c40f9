import * as pulumi from "@pulumi/pulumi";

/**
 * Changes a child resource before it is registered: for what a component's arguments do not cover. Return the changed arguments (and options), or nothing to keep
 * them as they are.
 */
export type Transform<Args> = (
  args: Args,
  opts: pulumi.CustomResourceOptions,
  name: string,
) => TransformResult<Args> | void;

/** What a {@link Transform} makes of a child. */
export interface TransformResult<Args> {
  /** The child's arguments. */
  args: Args;
  /** Its options. Default: unchanged. */
  opts?: pulumi.CustomResourceOptions;
}

/** The arguments and options of one child after the user's transform, if there is one. */
export function transformed<Args>(
  transform: Transform<Args> | undefined,
  name: string,
  args: Args,
  opts: pulumi.CustomResourceOptions,
): [string, Args, pulumi.CustomResourceOptions] {
  const changed = transform?.(args, opts, name);
  return changed ? [name, changed.args, changed.opts ?? opts] : [name, args, opts];
}
