import { type Finding, Level, resourceCheck } from "./check";
import { credentialsInText, credentialsUnder } from "./credentials/find";
import { credentialByName } from "./credentials/names";
import { ofAwsKind } from "./model/aws";
import { type Field, forEach } from "./model/field";
import { isWorkload, kindOf, ofKind, podSpec } from "./model/kubernetes";
import { isSecret } from "./model/resource";
import { hasUserData, isCommand } from "./model/texts";

/** Kinds whose values are encrypted, or only name a secret elsewhere: SealedSecret, ExternalSecret, SecretProviderClass and so on. */
const isKindOfSecrets = (type: string): boolean => /Secret/.test(kindOf(type) ?? "");

/** Places that policies of their own look at. */
const judgedElsewhere: readonly (readonly [applies: (type: string) => boolean, keys: RegExp])[] = [
  [ofKind("ConfigMap"), /^(?:data|binaryData)$/],
  [type => kindOf(type) !== undefined, /^(?:metadata|status|apiVersion|kind)$/],
  [isCommand, /^(?:create|update|delete)$/],
  [hasUserData, /userdata|bootstrapextraargs/i],
];

/** Kinds that describe other kinds: thousands of fields, and no values. */
const isSchema = ofKind("CustomResourceDefinition");

/** Types whose inputs Pulumi itself makes, or that run a program as it stands. */
const isOfPulumi = (type: string): boolean => type.startsWith("pulumi:");

/** Stands for a value that is not known yet, where the name decides. */
const anyCredential = "Any-Credential-1";

/** Credentials in the inputs of any resource: by the names of fields, in pairs of `name` and `value`, and in texts. */
function* credentialsBelow(field: Field, isObject: boolean): Generator<Finding> {
  if (field.isUnknown) {
    if (credentialByName(field.key, anyCredential) && !isSecret(field.resource, field.path)) void field.value;
    return;
  }
  if (field.text !== undefined) {
    const [found] = isObject ? credentialsUnder(field.key, field.text) : credentialsInText(field.text);
    if (found) yield { path: field.path, message: `${field.path} holds a credential: ${found.sign}.` };
    return;
  }
  const isNamed = credentialIn(field);
  if (isNamed !== undefined) {
    const finding = namedValue(field);
    if (finding) yield finding;
    return;
  }
  const children = Array.isArray(field.value)
    ? field.items
    : field.entries.filter(([key]) => !isKeyOfSecret(key, field)).map(([, child]) => child);
  yield* forEach(children, child => credentialsBelow(child, isObject));
}

/** `secretKey` beside the name of a Secret is the key in it: `secretSelector: { secretName: users, secretKey: app }`. */
function isKeyOfSecret(key: string, field: Field): boolean {
  if (!/^secret_?key$/i.test(key)) return false;
  const name = field.at("name");
  return field.at("secretName").isPresent || (/secret/i.test(field.key) && name.isPresent);
}

/** Why the `value` of an object is a credential by its `name`. */
function credentialIn(field: Field): string | undefined {
  const name = namedBy(field);
  const value = field.at("value");
  return name === undefined ? undefined : credentialByName(name, value.isUnknown ? anyCredential : (value.text ?? ""));
}

/** A credential in the `value` of an object by its `name`, unless Pulumi encrypts it. */
function namedValue(field: Field): Finding | undefined {
  const isNamed = credentialIn(field);
  const value = field.at("value");
  if (isNamed === undefined || isSecret(field.resource, value.path)) return undefined;
  void value.value;
  return { path: value.path, message: `${value.path} holds a credential: ${isNamed}.` };
}

/** A parameter that AWS keeps encrypted; whether Pulumi does is judged by secrets-encrypted-in-state. */
function isSecureString(parameter: Field): boolean {
  return ofAwsKind("ssm:Parameter")(parameter.resource.type) && parameter.at("type").text === "SecureString";
}

/** The name that an object of a `name` (or `key`) and a `value` gives its value. */
function namedBy(field: Field): string | undefined {
  const names = ["name", "key", "Name", "Key"].map(key => field.at(key)).filter(name => !name.isUnknown);
  const value = field.at("value");
  return value.isUnknown || value.isPresent ? names.find(name => name.text !== undefined)?.text : undefined;
}

/** Credentials anywhere that no policy of its own looks at: custom resources, values of charts, task definitions, functions. */
export const inputSecretsCheck = resourceCheck({
  id: "secrets-in-inputs",
  description: "No other input of a resource holds a credential as plain text.",
  why: "It stands readable in the cluster or the cloud, in Pulumi's state and in every diff.",
  fix: "a reference to a Secret, or pulumi.secret(<value>) where the resource itself keeps it encrypted",
  level: Level.mandatory,
  applies: type => !isKindOfSecrets(type) && !isSchema(type) && !isOfPulumi(type),
  *evaluate(top) {
    if (!top.isPresent) return;
    const { resource } = top;
    const isObject = kindOf(resource.type) !== undefined;
    // What pods run and read is judged by secrets-in-environment and secrets-in-arguments.
    const pods = isWorkload(resource.type) && podSpec(top).isPresent ? podSpec(top).path : "\n";
    const named = isSecureString(top) ? undefined : namedValue(top);
    if (named) yield named;
    for (const [key, field] of top.entries) {
      if (judgedElsewhere.some(([applies, keys]) => applies(resource.type) && keys.test(key))) continue;
      // What is named as a credential in the inputs of other resources is judged by secrets-encrypted-in-state.
      for (const finding of credentialsBelow(field, isObject)) {
        if (!isSecret(resource, finding.path) && !finding.path.startsWith(pods)) yield finding;
      }
    }
  },
});
