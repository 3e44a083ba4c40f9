import { type Finding, Group, group, Level, resourceCheck, stackCheck } from "./check";
import { anyType, ofAwsKind } from "./model/aws";
import { exampleValues } from "./credentials/credential";
import { credentialsInText, credentialsUnder, isProgramFile } from "./credentials/find";
import { credentialByName } from "./credentials/names";
import { inputSecretsCheck } from "./secretInputs";
import { type Field, forEach } from "./model/field";
import { allContainers, containerName, isWorkload, kindOf, ofKind, podTemplate } from "./model/kubernetes";
import { isSecret } from "./model/resource";
import { secretSearch, secretTexts } from "./model/secretTexts";
import {
  carriedTexts,
  commandsIn,
  filesIn,
  hasScripts,
  hasUserData,
  headersIn,
  isCommand,
  type NamedText,
  userDataIn,
  variablesIn,
} from "./model/texts";

/** One finding for each credential in each of the texts. */
function* credentialsIn(what: string, texts: Iterable<NamedText>, find: typeof credentialsUnder): Generator<Finding> {
  yield* forEach(texts, function* ({ name, field, text }) {
    for (const { sign, line } of find(name, text)) {
      const place = text.includes("\n") ? `${what} ${name}, line ${line},` : `${what} ${name}`;
      yield { path: field.path, message: `${place} holds a credential: ${sign}.` };
    }
  });
}

/** The text of a part, or none when it is not known yet. */
function known(part: NamedText | undefined): string {
  return !part || part.field.firstUnknown ? "" : part.text;
}

function entriesOf(parent: Field): NamedText[] {
  return parent.entries.map(([name, field]) => ({
    name,
    field,
    get text() {
      return field.text ?? "";
    },
  }));
}

/** An account for everything, everywhere, or with rights that lead there. */
const allPrivileges =
  /\bGRANT\s[^;]{0,300}?\b(?:ALL|SUPER|FILE|CREATE\s{1,4}USER|GRANT\s{1,4}OPTION|SET\s{1,4}USER|READ_ONLY\s{1,4}ADMIN|READ\s{1,4}ONLY\s{1,4}ADMIN)\b[^;]{0,300}?\sON\s{1,4}`?\*`?\.`?\*`?\s{1,4}TO\b/i;
/** An account that may hand on its rights everywhere. */
const grantable =
  /\bGRANT\s[^;]{0,300}?\sON\s{1,4}`?\*`?\.`?\*`?\s{1,4}TO\b[^;]{0,300}?\bWITH\s{1,4}GRANT\s{1,4}OPTION\b/i;

/** Inputs that hold credentials by their nature. */
const credentialInputs: readonly [applies: (type: string) => boolean, input: string][] = [
  [ofKind("Secret"), "stringData"],
  [ofKind("Secret"), "data"],
  [ofAwsKind("secretsmanager:SecretVersion"), "secretString"],
  [ofAwsKind("secretsmanager:SecretVersion"), "secretBinary"],
];

/** The inputs that ought to be encrypted in Pulumi's state: by the kind of resource, and by their names. Those that are not yet known count: whether they are secrets is. */
function inputsToEncrypt(resource: Field): Field[] {
  if (!resource.isPresent) return [];
  const { type } = resource.resource;
  const byKind = credentialInputs
    .filter(([applies]) => applies(type))
    .flatMap(([, input]) => leaves(resource.at(input)));
  const isSecureParameter = ofAwsKind("ssm:Parameter")(type) && resource.at("type").text === "SecureString";
  const parameter = isSecureParameter ? leaves(resource.at("value")) : [];
  const isNamed = (field: Field) => credentialByName(field.key, field.text ?? "") !== undefined;
  const byName = kindOf(type) === undefined ? [...resource.texts()].filter(isNamed) : [];
  return [...byKind, ...parameter, ...byName];
}

/** The values directly below an input, or the input itself when it is one value. */
function leaves(field: Field): Field[] {
  if (field.isUnknown) return [field];
  if (!field.isPresent) return [];
  return field.entries.length > 0 ? field.entries.map(([, entry]) => entry) : field.text === undefined ? [] : [field];
}

/** The parts of a resource that hold one of the published examples; the carried texts are read decoded. */
function* examplesIn(resource: Field): Generator<Field> {
  const isExample = (text: string) => exampleValues.some(value => text.includes(value));
  const carried = carriedTexts(resource);
  const places = new Set(carried.map(({ field }) => field.path));
  for (const field of resource.texts()) {
    if (isExample(field.text ?? "") && !places.has(field.path)) yield field;
  }
  yield* forEach(carried, ({ field, text }) => (isExample(text) ? [field] : []));
}

/** No credential is where people, logs and states can read it. */
export const secrets = group(Group.secrets, [
  resourceCheck({
    id: "secrets-in-config-map",
    description: "No ConfigMap holds a credential.",
    why: "Anyone who may look at the namespace reads its ConfigMaps; they are neither encrypted nor audited.",
    fix: "a Secret with a new value, mounted as a file, and only the file's path in the ConfigMap",
    level: Level.mandatory,
    applies: ofKind("ConfigMap"),
    *evaluate(configMap) {
      yield* credentialsIn("Entry", filesIn(configMap), credentialsUnder);
    },
  }),

  resourceCheck({
    id: "secrets-in-environment",
    description: "No environment variable holds a credential as plain text.",
    why: "The environment is part of the pod's manifest, and every process of the container inherits it and may log it.",
    fix: "a Secret with a new value, mounted as a file, and only the file's path in the variable",
    level: Level.mandatory,
    applies: isWorkload,
    *evaluate(workload) {
      yield* credentialsIn("Variable", variablesIn(workload), credentialsUnder);
      yield* credentialsIn("Header", headersIn(workload), (name, text) => credentialsInText(`${name}: ${text}`));
    },
  }),

  resourceCheck({
    id: "secrets-in-arguments",
    description: "No command or argument holds a credential.",
    why: "Arguments are part of the pod's manifest, and `ps` shows them to every process of the node.",
    fix: "a Secret with a new value, mounted as a file, and only the file's path in the argument",
    level: Level.mandatory,
    applies: anyType(isWorkload, isCommand),
    *evaluate(resource) {
      const parts = commandsIn(resource);
      yield* credentialsIn("Argument", parts, (_name, text) => credentialsInText(text));
      yield* forEach(parts.slice(1), function* ({ name, field, text }) {
        const before = known(parts[parts.findIndex(part => part.field === field) - 1]);
        const [, option] = /^--?([A-Za-z][\w-]*)$/.exec(before) ?? [];
        if (option === undefined || text.startsWith("-") || !credentialByName(option, text)) return;
        yield { path: field.path, message: `Argument ${name} holds a credential: the value of --${option}.` };
      });
    },
  }),

  resourceCheck({
    id: "secrets-in-metadata",
    description: "No label or annotation holds a credential.",
    why: "Labels and annotations are copied into events, metrics and logs.",
    fix: "a Secret with a new value, and at most its name here",
    level: Level.mandatory,
    applies: type => kindOf(type) !== undefined,
    *evaluate(object) {
      const pods = isWorkload(object.resource.type) ? [podTemplate(object).at("metadata")] : [];
      yield* forEach([object.at("metadata"), ...pods], function* (metadata) {
        yield* credentialsIn("Annotation", entriesOf(metadata.at("annotations")), credentialsUnder);
        yield* credentialsIn("Label", entriesOf(metadata.at("labels")), credentialsUnder);
      });
    },
  }),

  resourceCheck({
    id: "secrets-in-user-data",
    description: "No user data of a machine holds a credential.",
    why: "Every process on the machine can read user data, and so can every user who may describe instances.",
    fix: "an instance role, or a secret of AWS Secrets Manager that the machine reads when it starts",
    level: Level.mandatory,
    applies: hasUserData,
    *evaluate(machine) {
      yield* credentialsIn("Input", userDataIn(machine), (_name, text) => credentialsInText(text));
    },
  }),

  inputSecretsCheck,

  resourceCheck({
    id: "secrets-example-values",
    description: "No value is one of the published guide's examples.",
    why: "Everyone who read the guide knows its passwords, in a Secret as well as elsewhere.",
    fix: "a value of your own, from `pulumi config set --secret` or from random.RandomPassword",
    level: Level.mandatory,
    applies: () => true,
    *evaluate(resource) {
      for (const { path } of examplesIn(resource)) {
        yield {
          path,
          message: `${path} holds an example value of the published guide.`,
        };
      }
    },
  }),

  resourceCheck({
    id: "secrets-encrypted-in-state",
    description: "Inputs that hold a credential are Pulumi secrets.",
    why: "What is not marked as a secret stands readable in the state, in plans and in logs.",
    fix: "pulumi.secret(<value>), or config.requireSecret(<key>)",
    level: Level.remediate,
    applies: () => true,
    *evaluate(top) {
      const { resource } = top;
      const inputs = inputsToEncrypt(top).filter(({ path }) => !isSecret(resource, path));
      for (const { path } of inputs) {
        yield {
          path,
          message: `${path} holds a credential and is not marked as a secret.`,
        };
      }
    },
    repair: field =>
      inputsToEncrypt(field)
        .filter(({ path }) => !isSecret(field.resource, path))
        .map(({ keys }) => ({ path: keys, secret: true })),
  }),

  stackCheck({
    id: "secrets-repeated-in-plain",
    description: "A value that is a secret in one resource is nowhere in another as plain text.",
    why: "A secret is as secret as the worst kept copy of it.",
    fix: "a reference to the Secret, or pulumi.secret(...) around the value",
    level: Level.mandatory,
    applies: () => true,
    *evaluateInStack(top, _given, stack) {
      if (stack.once(secretTexts).size === 0) return;
      const ownerOfSecretIn = stack.once(secretSearch);
      for (const field of top.texts()) {
        const owner = ownerOfSecretIn(field.text ?? "");
        if (owner === undefined || isSecret(top.resource, field.path)) continue;
        yield {
          path: field.path,
          message: `A secret of ${owner} stands here as plain text.`,
        };
      }
      const isSecretObject = ofKind("Secret")(top.resource.type);
      const open = isSecretObject ? [] : carriedTexts(top).filter(({ field }) => !isSecret(top.resource, field.path));
      for (const { field } of open) void field.value;
    },
  }),

  resourceCheck({
    id: "secrets-as-files",
    description: "Containers read Secrets as files, not as environment variables.",
    why: "A file can be rotated while the pod runs, and child processes and crash reports do not inherit it.",
    fix: "a volume of the Secret, mounted read-only",
    level: Level.advisory,
    development: { level: Level.disabled },
    applies: isWorkload,
    *evaluate(workload) {
      yield* forEach(allContainers(workload), function* (container) {
        const variables = container
          .at("env")
          .items.filter(variable => variable.at("valueFrom", "secretKeyRef").isPresent);
        const sources = container.at("envFrom").items.filter(source => source.at("secretRef").isPresent);
        for (const { path } of [...variables, ...sources]) {
          yield {
            path,
            message: `Container ${containerName(container)} takes a Secret into its environment.`,
          };
        }
      });
    },
  }),

  resourceCheck({
    id: "secrets-account-privileges",
    description: "No account is granted all privileges, or administrative ones, on all databases.",
    why: "Such an account reads the engine's S3 keys with SHOW VARIABLES, and hands its rights on.",
    fix: "GRANT SELECT, INSERT, UPDATE, DELETE ON <database>.* TO <user>: what the account needs, where it needs it",
    level: Level.mandatory,
    applies: hasScripts,
    *evaluate(resource) {
      yield* forEach(carriedTexts(resource), function* ({ name, field, text }) {
        if (isProgramFile(name)) return;
        const [grant] = allPrivileges.exec(text) ?? grantable.exec(text) ?? [];
        if (grant === undefined) return;
        const rights = /\bALL\b/i.test(grant) ? "ALL PRIVILEGES" : "administrative rights";
        yield { path: field.path, message: `An account is granted ${rights} ON *.*.` };
      });
    },
  }),
]);
