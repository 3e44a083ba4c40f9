import { Level, stackCheck } from "../check";
import { isDocument } from "../credentials/find";
import { databaseCheck, optionFinding } from "../databaseCheck";
import { commandLine, databaseOf } from "../model/database";
import { anyOf, type Field, forEach } from "../model/field";
import {
  allContainers,
  isLongRunning,
  isWorkload,
  ofKind,
  podSpec,
  podTemplate,
  sameNamespace,
  selects,
} from "../model/kubernetes";
import { mountsOf, sourcesOf } from "../model/mounts";
import { commandsOf, variablesOf } from "../model/programs";
import { isOn } from "../model/serverOptions";
import { type Stack } from "../model/stack";
import { carriedTexts, hasScripts, type NamedText } from "../model/texts";

/** The assignment that makes a replica the primary. */
const promotion = /\btidesdb_promote_primary[`'"\\]{0,2}\s{0,200}:?=\s{0,200}["'\\]{0,2}([^\s"'\\;]{1,20})/gi;

/** An assignment whose option is in a variable of the shell. */
const assignedByVariable = /\bSET\s{1,20}(?:GLOBAL\s{1,20}|@@GLOBAL\.)\$\{?\w/i;

/** Whether a text promotes: it assigns any value but those that mean no, or names the option and sets one by a variable. */
function promotes(text: string): boolean {
  if (assignedByVariable.test(text) && /\btidesdb_promote_primary\b/i.test(text)) return true;
  return [...text.matchAll(promotion)].some(([, value]) => !/^(?:OFF|0|FALSE|DEFAULT)$/i.test(value!));
}

/** A text with what stands under it. */
type Script = Pick<NamedText, "name" | "field" | "text">;

/** Every text of a resource that may be run: those that are made to hold scripts, commands with their variables filled in, and any other that names the option. */
function* scriptsIn(resource: Field): Generator<Script> {
  const carried = carriedTexts(resource);
  yield* carried;
  const seen = new Set(carried.map(({ field }) => field.path));
  for (const field of resource.texts()) {
    if (/tidesdb_promote_primary/i.test(field.text ?? "") && !seen.has(field.path)) {
      yield { name: field.path, field, text: field.text ?? "" };
    }
  }
  if (!isWorkload(resource.resource.type)) return;
  for (const container of allContainers(resource)) {
    const given = [...container.at("command").items, ...container.at("args").items];
    for (const command of commandsOf(given, variablesOf(container))) {
      const [first] = command;
      const text = command.map(word => word.text).join(" ");
      if (first && !promotes(first.source.text ?? "")) yield { name: first.source.path, field: first.source, text };
    }
  }
}

/** How people call what takes writes. */
const primaryName = /(^|[-_.])(primary|writer?|rw|master|leader)([-_.]|$)/i;

/** The server as process 1: as the command itself, or in place of the shell. */
const runsServerItself = /^\S*\b(?:mariadbd|mysqld)(?=\s|$)|\bexec\s+\S*(?:mariadbd|mysqld)\b/;

/** A shell that starts the manager, and does not give it its place. */
const managerBehindShell = /^\S*\b(?:ba|da|a|z|k)?sh\s(?!.*\bexec\s[^;&|]*manager\.c?js)/s;

/** Whether every workload that mounts the object runs the manager, whose bundle contains the promotion. */
function isOnlyForManager(object: Field, stack: Stack): boolean {
  const users = stack.where(isWorkload).filter(workload => mounts(workload, object, stack));
  return users.length > 0 && users.every(workload => databaseOf(workload, stack)?.runsManager === true);
}

function mounts(workload: Field, object: Field, stack: Stack): boolean {
  return anyOf(
    allContainers(workload).flatMap(container => mountsOf(workload, container)),
    ({ volume }) =>
      volume !== undefined && anyOf(sourcesOf(workload, volume, stack), source => source.object === object),
  );
}

/** Who may write, and how that changes. */
export const roleChecks = [
  databaseCheck({
    id: "correctness-second-writer",
    description: "A database pod starts as a replica; only the manager promotes it.",
    why: "A pod that starts with tidesdb_replica_mode=OFF writes beside the primary that was promoted in its place, and the rows acknowledged there are gone.",
    fix: "tidesdb_replica_mode=ON for every pod, with a manager that promotes one of them under a Lease (new Database(...) does)",
    level: Level.mandatory,
    *evaluateDatabase(database) {
      const { settings, runsManager } = database;
      const setting = settings.seen("tidesdb_replica_mode");
      if (setting ? isOn(setting.value) : runsManager) return;
      if (!setting) settings.get("tidesdb_replica_mode");
      yield optionFinding(
        database,
        setting,
        `The pod may start as a second writer: tidesdb_replica_mode is ${setting ? "OFF" : "not set, which means OFF"}.`,
      );
    },
  }),

  stackCheck({
    id: "correctness-failover-script",
    description: "No script promotes a replica.",
    why: "A script cannot know that the old primary is dead: two writers overwrite each other's WAL object, and acknowledged rows are lost.",
    fix: "delete it: a manager in each pod promotes under a Lease, after the old primary's time is over (new Database(...) does)",
    level: Level.mandatory,
    applies: type => hasScripts(type) || /^(kubernetes|aws):/.test(type),
    *evaluateInStack(resource, _given, stack) {
      yield* forEach(scriptsIn(resource), function* ({ name, field, text }) {
        if (isDocument(name) || !promotes(text)) return;
        if (isOnlyForManager(resource, stack)) return;
        yield {
          path: field.path,
          message: `${name} promotes a replica with SET GLOBAL tidesdb_promote_primary.`,
        };
      });
    },
  }),

  stackCheck({
    id: "correctness-primary-service",
    description: "The Service for writes selects the pod that is the primary now.",
    why: "A label that is fixed in the pod's template does not move with a promotion: clients go on to the old primary, or nowhere.",
    fix: "a selector with a label that the manager moves to the primary (tidesql.io/role: primary)",
    level: Level.mandatory,
    applies: ofKind("Service"),
    *evaluateInStack(service, _given, stack) {
      const selector = service.at("spec", "selector");
      const values = [...selector.texts()].map(({ text }) => text ?? "");
      const isForWrites = [service.resource.name, ...values].some(text => primaryName.test(text));
      if (!isForWrites || service.at("spec", "clusterIP").text === "None") return;
      const isFixed = anyOf(stack.where(isLongRunning), workload => {
        const labels = podTemplate(workload).at("metadata", "labels");
        return (
          sameNamespace(workload, service) &&
          selects(selector, labels, false) &&
          databaseOf(workload, stack) !== undefined
        );
      });
      if (!isFixed) return;
      yield {
        path: selector.path,
        message: "The Service selects pods by labels that never change.",
      };
    },
  }),

  databaseCheck({
    id: "correctness-replica-read-only",
    description: "Replicas refuse writes with read_only.",
    why: "Without it a write on a replica fails with error 1207, which no client can tell from a real one; with it the error says read-only.",
    fix: "read_only=ON in the option file; whatever promotes a pod sets it OFF there (the manager does)",
    level: Level.advisory,
    *evaluateDatabase(database) {
      const { settings, runsManager } = database;
      if (runsManager || !settings.isOn("tidesdb_replica_mode", false) || settings.isOn("read_only", false)) return;
      yield optionFinding(database, undefined, "A replica answers writes with a misleading error.");
    },
  }),

  databaseCheck<{ minSeconds: number }>({
    id: "correctness-termination-grace",
    description: "A database pod has time to stop in order.",
    why: "Whatever the pod has not shipped when its time is over stays on its disk, and the replica that takes over lacks it.",
    fix: "terminationGracePeriodSeconds: 120",
    level: Level.mandatory,
    development: { level: Level.advisory },
    configuration: {
      minSeconds: {
        type: "integer",
        minimum: 1,
        default: 30,
        description: "Least terminationGracePeriodSeconds. Seconds. Kubernetes takes 30 where nothing is said.",
      },
    },
    *evaluateDatabase({ workload }, { minSeconds }) {
      const grace = podSpec(workload).at("terminationGracePeriodSeconds");
      if ((grace.number ?? minSeconds) >= minSeconds) return;
      yield { path: grace.path, message: `The pod is killed ${grace.text} s after it is told to stop.` };
    },
  }),

  databaseCheck({
    id: "correctness-orderly-stop",
    description: "Process 1 of a database pod passes SIGTERM on to the server.",
    why: "The image's entrypoint is a shell without a trap: every stop is a kill after the grace period, with what was not shipped left on the disk.",
    fix: "a manager as process 1 (new Database(...) has one), or exec mariadbd in place of the entrypoint",
    level: Level.advisory,
    *evaluateDatabase(database) {
      const { container, runsManager } = database;
      const line = commandLine(container);
      if (runsManager ? !managerBehindShell.test(line) : runsServerItself.test(line)) return;
      yield {
        path: container.at("command").path,
        message: "The server does not receive SIGTERM when the pod is stopped.",
      };
    },
  }),
];
