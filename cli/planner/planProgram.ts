import { randomUUID } from "node:crypto";
import { InputPropertiesError, InputPropertyError, runtime, RunError } from "@pulumi/pulumi";
import { captureConsole } from "./consoleCapture";
import { exposedSecrets } from "./exposure";
import { LockedValues } from "./lockedValues";
import type { MadeValues } from "./localProviders";
import { connect, PlanningMonitor } from "./monitor";
import type { Plan } from "./plan";
import { PlanError, ProgramError } from "./planError";
import { KnownSecrets } from "./redaction";
import { placeInProgram, shortenStackTraces } from "./stackTraces";
import { partsOf, type PlannedRecord, secretPaths } from "./values";

/** The surroundings in which a program is planned. */
export interface ProgramSettings {
  project: string;
  stack: string;
  /** Default `organization`, as without Pulumi Cloud. */
  organization?: string;
  /**
   * Configuration with full keys: `orders:replicas`, `aws:region`. A secret is a `Secret`; one whose value nobody can read here is `new Secret(unknown)`, and stays
   * an unknown secret wherever the program passes it on.
   */
  config?: PlannedRecord;
  /** Passwords, keys and certificates of an earlier plan, to be used again. What is made now is added to it. */
  made?: MadeValues;
  /** Where the program runs. Default: the current folder. */
  directory?: string;
}

export { ProgramError };

/** The SDK's state is one per process, so plans queue up. */
let previous: Promise<unknown> = Promise.resolve();

/**
 * Runs a program under an engine that only takes down what it would create, and returns the plan. Nothing is looked up and nothing is created.
 * @param program What a Pulumi program's main module does; it returns the stack's outputs.
 * @throws ProgramError when the program throws, rejects a value that it passed on, or asks for what a plan cannot know.
 */
export function planProgram(program: () => unknown, settings: ProgramSettings): Promise<Plan> {
  const plan = previous.then(() => planNow(program, settings));
  previous = plan.catch(() => undefined);
  return plan;
}

async function planNow(program: () => unknown, settings: ProgramSettings): Promise<Plan> {
  const started = performance.now();
  const { project, stack, organization = "organization", config = {}, made = {} } = settings;
  const locked = new LockedValues(randomUUID());
  const secrets = new KnownSecrets();
  for (const word of [project, stack, ...plainTexts(config)]) secrets.allow(word);
  secrets.add(config);
  const withoutLockedValues = locked.withoutThem.bind(locked);
  const monitor = new PlanningMonitor({ project, stack, secrets, made, withoutLockedValues });

  const redact = (text: string) => secrets.redact(locked.redact(text));
  const captured = captureConsole(message => monitor.diagnostics.push(message));
  const watch = watchForFailure();
  const traces = shortenStackTraces();
  const showAgain = locked.hideFrom(config);
  const callersDirectory = process.cwd();
  try {
    process.chdir(settings.directory ?? callersDirectory);
    connect(monitor, project, stack, organization);
    const texts = Object.entries(config).map(([key, value]) => [key, locked.textOf(value)]);
    const secretKeys = Object.keys(config).filter(key => secretPaths(config[key] ?? null).length > 0);
    runtime.setAllConfig(Object.fromEntries(texts) as Record<string, string>, secretKeys);
    await Promise.race([watch.failure, complete(program)]);
    if (monitor.refusal) throw monitor.refusal;
  } catch (error) {
    const cause = monitor.refusal ?? error;
    const message = messageOf(cause);
    const lines = [message, locked.wayOut(message, config)].filter(line => line !== undefined);
    throw new ProgramError(redact(lines.join("\n")), cause, redacted(monitor.diagnostics, redact));
  } finally {
    await watch.stop();
    monitor.close();
    traces.restore();
    showAgain();
    process.chdir(callersDirectory);
    // What a failed program left unfinished would be reported as leaked when the process ends.
    runtime.resetOptions("project", "stack", 0, "", "", false, organization);
    captured.restore();
  }
  const unseen = monitor.finish();
  const resources = [...monitor.resources.values()];
  monitor.diagnostics.push(...exposedSecrets(resources, config));
  return {
    project,
    stack,
    resources,
    outputs: resources[0]?.outputs ?? {},
    diagnostics: redacted(monitor.diagnostics, redact),
    unseen: unseen.map(part => ({ ...part, reason: redact(part.reason) })),
    redact,
    elapsedMilliseconds: performance.now() - started,
  };
}

function plainTexts(config: PlannedRecord): string[] {
  return [...partsOf(config)].flatMap(({ value, isSecret }) => (typeof value === "string" && !isSecret ? [value] : []));
}

async function complete(program: () => unknown): Promise<void> {
  await runtime.runInPulumiStack(async () => (await program()) as Record<string, unknown>);
  await runtime.disconnect();
  await turnsOfTheEventLoop(2);
}

function redacted(diagnostics: Plan["diagnostics"], redact: (text: string) => string): Plan["diagnostics"] {
  return diagnostics.map(({ severity, message }) => ({ severity, message: redact(message) }));
}

/** The message alone where a component refuses what its user wrote; an error of the program's own also gets the place in it. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof PlanError || isRefusal(error)) {
    // A refusal of an output reaches its user by way of the resource that takes it.
    return error.message.replace(/^(error serializing property "[^"]*": )+/, "");
  }
  const isMistake = [TypeError, ReferenceError, RangeError, SyntaxError].some(type => error instanceof type);
  const message = isMistake ? `${error.name}: ${error.message}` : error.message;
  const place = placeInProgram(error);
  return place === undefined ? message : `${message}\n${place}`;
}

/** By their names too: a program may have an SDK of its own. */
function isRefusal(error: Error): boolean {
  return (
    error instanceof RunError ||
    error instanceof InputPropertyError ||
    error instanceof InputPropertiesError ||
    ["RunError", "InputPropertyError", "InputPropertiesError"].includes(error.constructor.name)
  );
}

/**
 * The SDK reports a failed registration, and a program a failed `apply`, as a rejection that nobody handles. While a program runs, such rejections are its own;
 * a program that waits for something that never comes leaves the event loop empty.
 */
function watchForFailure(): { failure: Promise<never>; stop: () => Promise<void> } {
  let fail: (error: unknown) => void = () => undefined;
  const failure = new Promise<never>((_, reject) => (fail = reject));
  failure.catch(() => undefined);
  const stuck = () => fail(new PlanError("The program never ends: it waits for a value that no resource gives."));
  const others = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", fail);
  process.once("beforeExit", stuck);
  const stop = async () => {
    // One failure rejects much that depends on it, some of it a few turns later.
    await turnsOfTheEventLoop(10);
    process.off("unhandledRejection", fail);
    process.off("beforeExit", stuck);
    for (const listener of others) process.on("unhandledRejection", listener);
  };
  return { failure, stop };
}

async function turnsOfTheEventLoop(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise(resolve => setImmediate(resolve));
}
