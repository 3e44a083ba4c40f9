import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EngineEvent, LocalWorkspace, OpType, Stack } from "@pulumi/pulumi/automation";
import { projectFolder } from "../localStack";

/** What a run of the command line did, or wants to do. */
export interface Changes {
  /** By operation: `update` and the like, each with the names of its resources in order. What stays as it is and what is only read is left out. */
  byOperation: Partial<Record<OpType, string[]>>;
  /** What is shown as an error. */
  errors: string[];
}

/** What a run did that had nothing to do. */
export const none: Changes = { byOperation: {}, errors: [] };

/** Operations that change nothing. */
const quiet: readonly string[] = ["same", "read", "refresh", "remove-pending-replace"];

/** One stack of this repository with the Pulumi command line, its settings in a copy of another stack's and its state in a temporary folder. */
export class PulumiStack {
  private constructor(
    private readonly stack: Stack,
    private readonly settings: string,
    private readonly folders: string[],
  ) {}

  /**
   * @param name of the stack that is made
   * @param likeStack whose settings are copied
   * @param environment of the command line
   */
  static async make(name: string, likeStack: string, environment: Record<string, string>): Promise<PulumiStack> {
    const settings = join(projectFolder, `Pulumi.${name}.yaml`);
    const folders = ["state", "home"].map(kind => mkdtempSync(join(tmpdir(), `tidesql-pulumi-${kind}-`)));
    const [state = "", home = ""] = folders;
    copyFileSync(join(projectFolder, `Pulumi.${likeStack}.yaml`), settings);
    const envVars = {
      PULUMI_BACKEND_URL: `file://${state}`,
      PULUMI_CONFIG_PASSPHRASE: "end to end",
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_HOME: home,
      ...environment,
    };
    const stack = await LocalWorkspace.createStack({ stackName: name, workDir: projectFolder }, { envVars });
    return new PulumiStack(stack, settings, folders);
  }

  /** Removes settings and state; what the stack has made stays. */
  remove(): void {
    rmSync(this.settings, { force: true });
    for (const folder of this.folders) rmSync(folder, { recursive: true, force: true });
  }

  /** Sets configuration, by keys of the project or full ones; paths like `engineSettings.long_query_time` lead into structures. */
  async configure(values: Record<string, string>, secret = false): Promise<void> {
    const all = Object.entries(values).map(([key, value]) => [key, { value, secret }] as const);
    await this.stack.setAllConfig(Object.fromEntries(all), true);
  }

  /** `pulumi preview`. */
  preview(): Promise<Changes> {
    return watched(onEvent => this.stack.preview({ onEvent }));
  }

  /** `pulumi up`. @param replace URNs of what is to be replaced */
  up(replace: string[] = []): Promise<Changes> {
    return watched(onEvent => this.stack.up({ onEvent, replace }));
  }

  /** `pulumi refresh`. */
  refresh(): Promise<Changes> {
    return watched(onEvent => this.stack.refresh({ onEvent }));
  }

  /** `pulumi destroy`. */
  destroy(): Promise<Changes> {
    return watched(onEvent => this.stack.destroy({ onEvent }));
  }

  /** The resources of the state: URN, type, inputs, outputs. */
  async resources(): Promise<StateResource[]> {
    const { deployment } = (await this.stack.exportStack()) as { deployment: { resources?: StateResource[] } };
    return deployment.resources ?? [];
  }

  /** What is there, each with the identity that its provider gave it. */
  async identities(): Promise<string[]> {
    return (await this.resources()).filter(({ id }) => id !== undefined).map(({ urn, id }) => `${urn} ${id}`);
  }

  /** The settings' file as it is now. */
  settingsText(): string {
    return readFileSync(this.settings, "utf8");
  }
}

/** A resource as the state holds it. */
export interface StateResource {
  urn: string;
  type: string;
  id?: string;
  protect?: boolean;
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
}

/** A run that failed, with what it had done until then. */
export class RunFailed extends Error {
  constructor(
    message: string,
    readonly changes: Changes,
  ) {
    super(message);
  }
}

/** What a run says that must fail. @throws when it does not, or for another reason */
export async function failureOf(run: () => Promise<unknown>): Promise<RunFailed> {
  try {
    await run();
  } catch (error) {
    if (error instanceof RunFailed) return error;
    throw error;
  }
  throw new Error("the run was expected to fail");
}

async function watched(run: (onEvent: (event: EngineEvent) => void) => Promise<unknown>): Promise<Changes> {
  const changes: Changes = { byOperation: {}, errors: [] };
  const onEvent = ({ resourcePreEvent, diagnosticEvent }: EngineEvent) => {
    if (diagnosticEvent?.severity === "error") changes.errors.push(diagnosticEvent.message);
    const { op, urn } = resourcePreEvent?.metadata ?? {};
    if (op === undefined || urn === undefined || quiet.includes(op)) return;
    (changes.byOperation[op] ??= []).push(nameOf(urn));
  };
  try {
    await run(onEvent);
  } catch (error) {
    throw new RunFailed(error instanceof Error ? error.message : String(error), sorted(changes));
  }
  return sorted(changes);
}

function sorted({ byOperation, errors }: Changes): Changes {
  for (const names of Object.values(byOperation)) names.sort();
  return { byOperation, errors };
}

/** The last part of a URN, with its type: `StatefulSet tidesql-stateful-set`. */
export function nameOf(urn: string): string {
  const [, , types = "", name = ""] = urn.split("::");
  const type = types.split("$").at(-1) ?? "";
  return `${type.split(":").at(-1)} ${name}`;
}
