import { type Field } from "./field";
import { ofKind, sameNamespace } from "./kubernetes";
import { type Stack } from "./stack";

/** A variable of a container's environment with the input that holds its value: the container's own, or a ConfigMap's entry. */
export interface Variable {
  name: string;
  value: string;
  source: Field;
}

/** The environment of a container as far as the program shows it: what Kubernetes takes whole from ConfigMaps comes before what is named, so that the last of a name counts. */
export function environmentOf(workload: Field, container: Field, stack: Stack): Variable[] {
  const entriesOf = (name: Field) => {
    const object = stack
      .where(ofKind("ConfigMap"))
      .find(candidate => isNamed(candidate, name) && sameNamespace(candidate, workload));
    return object && !object.at("data").isUnknown ? object.at("data") : undefined;
  };
  const whole = container.at("envFrom").items.flatMap(part => {
    const prefix = part.at("prefix");
    const reference = part.at("configMapRef", "name");
    if (part.firstUnknown || !reference.isPresent) return [];
    const entries = entriesOf(reference)?.entries ?? [];
    return entries.flatMap(([key, source]) => variable(`${prefix.text ?? ""}${key}`, source));
  });
  const named = container.at("env").items.flatMap(part => {
    if (part.at("name").isUnknown) return [];
    const name = part.at("name").text ?? "";
    const reference = part.at("valueFrom", "configMapKeyRef");
    if (reference.isUnknown || reference.firstUnknown || !reference.isPresent) return variable(name, part.at("value"));
    const source = entriesOf(reference.at("name"))?.at(reference.at("key").text ?? "");
    return source ? variable(name, source) : [];
  });
  return [...whole, ...named];
}

function isNamed(object: Field, reference: Field): boolean {
  const name = object.at("metadata", "name");
  return !name.firstUnknown && !reference.firstUnknown && name.isPresent && name.text === reference.text;
}

function variable(name: string, source: Field): Variable[] {
  return source.isUnknown || source.text === undefined ? [] : [{ name, value: source.text, source }];
}
