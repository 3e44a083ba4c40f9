import { decoded } from "../credentials/encoding";
import { anyType, ofAwsKind, userDataText } from "./aws";
import { type Field } from "./field";
import { allContainers, isWorkload, ofKind } from "./kubernetes";
import { filesOf } from "./mounts";

/** A text of a resource with the name that it stands under. */
export interface NamedText {
  name: string;
  field: Field;
  /** What is to be read: decoded where the input is base64. */
  readonly text: string;
}

/** Resources of the `command` package, which run a shell command from the program. */
export const isCommand = (type: string): boolean => type.startsWith("command:");

/** A condition on types: resources whose inputs hold files or scripts. */
export const hasScripts = anyType(isWorkload, isCommand, ofKind("ConfigMap", "Secret"));

/** A condition on types: machines with user data, of the `aws` and `eks` packages. */
export const hasUserData = anyType(ofAwsKind("ec2:LaunchTemplate", "ec2:Instance", "ec2:LaunchConfiguration"), type =>
  type.startsWith("eks:index:"),
);

/** The files of a ConfigMap or Secret. */
export function filesIn(object: Field): NamedText[] {
  return filesOf(object).map(file => ({
    name: file.name,
    field: file.content,
    get text() {
      // What is packed is no text to a server, and still one to anyone who looks.
      return file.text === "" ? (decoded(file.content.text ?? "") ?? "") : file.text;
    },
  }));
}

/** The environment variables of a workload's containers that have a value of their own. */
export function variablesIn(workload: Field): NamedText[] {
  return allContainers(workload).flatMap(container =>
    container
      .at("env")
      .items.filter(variable => variable.at("value").firstUnknown ?? variable.at("value").isPresent)
      .map(variable => named(variable.at("name").text ?? "", variable.at("value"))),
  );
}

/** The commands and arguments of a workload's containers, or of a command resource. */
export function commandsIn(resource: Field): NamedText[] {
  const commands = isCommand(resource.resource.type)
    ? ["create", "update", "delete"].map(name => resource.at(name))
    : allContainers(resource).flatMap(container => [
        ...container.at("command").items,
        ...container.at("args").items,
        ...hooksOf(container).flatMap(hook => hook.at("exec", "command").items),
      ]);
  return commands.map(command => named(command.path, command));
}

/** The headers of HTTP requests that the kubelet sends to a workload's containers. */
export function headersIn(workload: Field): NamedText[] {
  return allContainers(workload)
    .flatMap(hooksOf)
    .flatMap(hook => hook.at("httpGet", "httpHeaders").items)
    .map(header => named(header.at("name").text ?? "", header.at("value")));
}

/** What the kubelet runs in a container, or asks it, beside the command: probes and hooks. */
function hooksOf(container: Field): Field[] {
  const probes = ["livenessProbe", "readinessProbe", "startupProbe"].map(name => container.at(name));
  return [...probes, container.at("lifecycle", "postStart"), container.at("lifecycle", "preStop")];
}

/** The user data of a machine, decoded. */
export function userDataIn(machine: Field): NamedText[] {
  return ["userData", "userDataBase64", "nodeUserData", "nodeUserDataOverride", "bootstrapExtraArgs"].map(name =>
    named(name, machine.at(name), userDataText),
  );
}

/** Every place of a resource that is made to carry configuration or scripts, and so may carry a credential. */
export function carriedTexts(resource: Field): NamedText[] {
  const { type } = resource.resource;
  return [
    ...(ofKind("ConfigMap", "Secret")(type) ? filesIn(resource) : []),
    ...(isWorkload(type) ? variablesIn(resource) : []),
    ...(isWorkload(type) || isCommand(type) ? commandsIn(resource) : []),
    ...(hasUserData(type) ? userDataIn(resource) : []),
  ];
}

function named(name: string, field: Field, read: (field: Field) => string = plain): NamedText {
  return {
    name,
    field,
    get text() {
      return read(field);
    },
  };
}

function plain(field: Field): string {
  return field.text ?? "";
}
