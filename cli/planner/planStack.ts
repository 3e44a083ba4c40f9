import type { MadeValues } from "./localProviders";
import type { Plan } from "./plan";
import { PlanError } from "./planError";
import { planProgram } from "./planProgram";
import { findProgram } from "./program";
import { fullKey, readConfiguration, readProject, setValue } from "./project";
import type { Secret } from "./values";

/** Which stack to plan, and what differs from its files. */
export interface StackRequest {
  /** A folder of the project. Default: the current one. */
  directory?: string;
  /** Default: `prod`, or the only stack there is. */
  stack?: string;
  /**
   * Configuration that replaces the stack's, secrets as `Secret`. `replicas` is short for `<project>:replicas`, and `passwords.app` is the part `app` of a structured
   * value.
   */
  config?: Record<string, string | Secret>;
  /** Passwords, keys and certificates of an earlier plan, to be used again. What is made now is added to it. */
  made?: MadeValues;
}

/** The stack that is planned when none is named. */
const defaultStack = "prod";

/**
 * Plans a stack of the Pulumi project in a folder: the program that `pulumi up` runs, with the stack's configuration.
 * @throws PlanError when project, stack or program cannot be read; ProgramError when the program refuses
 */
export async function planStack(request: StackRequest = {}): Promise<Plan> {
  const started = performance.now();
  const project = readProject(request.directory ?? process.cwd());
  const stack = request.stack ?? chooseStack(project.stacks);
  const config = readConfiguration(project, stack);
  for (const [key, value] of Object.entries(request.config ?? {})) setValue(config, fullKey(project.name, key), value);
  const program = findProgram(project);
  const plan = await planProgram(program.run, {
    project: project.name,
    stack,
    config,
    made: request.made,
    directory: program.directory,
  });
  return { ...plan, elapsedMilliseconds: performance.now() - started };
}

function chooseStack(stacks: string[]): string {
  const [only, ...others] = stacks;
  if (only === undefined || stacks.includes(defaultStack)) return defaultStack;
  if (others.length === 0) return only;
  throw new PlanError(`There are several stacks: name one of ${stacks.join(", ")} with --stack.`);
}
