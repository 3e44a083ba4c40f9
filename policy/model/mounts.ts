import { type Field, NotYetKnown } from "./field";
import { kindOf, nameOf, ofKind, podSpec, sameNamespace } from "./kubernetes";
import { type Stack } from "./stack";

/** A volume as a container sees it. */
export interface Mount {
  path: string;
  subPath: string | undefined;
  readOnly: boolean;
  /** The mount in the container. */
  field: Field;
  /** The volume in the pod; a StatefulSet's claim template counts as one. Undefined when the pod has no volume of that name. */
  volume: Field | undefined;
  /** `persistentVolumeClaim`, `emptyDir`, `configMap`, `secret`, `projected`, `hostPath`, `csi`, ... */
  kind: string | undefined;
}

/** The volumes that a container of a workload mounts. */
export function mountsOf(workload: Field, container: Field): Mount[] {
  const volumes = podSpec(workload).at("volumes").items;
  const claims = workload.at("spec", "volumeClaimTemplates").items;
  return container.at("volumeMounts").items.map(field => {
    const name = field.at("name").text;
    const claim = claims.find(template => nameOf(template) === name);
    const volume = claim ?? volumes.find(candidate => candidate.at("name").text === name);
    return {
      path: (field.at("mountPath").text ?? "").replace(/\/+$/, ""),
      subPath: field.at("subPath").text,
      readOnly: field.at("readOnly").flag ?? false,
      field,
      volume,
      kind: claim ? "persistentVolumeClaim" : volume?.entries.map(([key]) => key).find(key => key !== "name"),
    };
  });
}

/** The mount that holds a path: the longest one that is a prefix of it. */
export function mountHolding(mounts: readonly Mount[], path: string): Mount | undefined {
  const holding = mounts.filter(
    mount => mount.path !== "" && (path === mount.path || path.startsWith(`${mount.path}/`)),
  );
  return holding.sort((one, other) => other.path.length - one.path.length)[0];
}

/** A ConfigMap or Secret that a volume takes files from. */
export interface VolumeSource {
  kind: "ConfigMap" | "Secret";
  /** The input that names it. */
  reference: Field;
  /** The object, when it is part of the program. */
  object: Field | undefined;
  /** The entries that the volume takes, with the paths that it gives them. Empty for all of them. */
  items: Field[];
}

/** The ConfigMaps and Secrets behind a volume. */
export function sourcesOf(workload: Field, volume: Field, stack: Stack): VolumeSource[] {
  const parts = [volume, ...volume.at("projected", "sources").items];
  return parts.flatMap(part => [
    ...sourceAt(workload, part.at("configMap"), part.at("configMap", "name"), "ConfigMap", stack),
    ...sourceAt(workload, part.at("secret"), secretName(part), "Secret", stack),
  ]);
}

/** A volume names its Secret `secretName`, a projected source `name`. */
function secretName(part: Field): Field {
  const plain = part.at("secret", "secretName");
  return plain.isPresent ? plain : part.at("secret", "name");
}

function sourceAt(
  workload: Field,
  part: Field,
  reference: Field,
  kind: VolumeSource["kind"],
  stack: Stack,
): VolumeSource[] {
  if (!part.isPresent) return [];
  const candidates = stack.where(ofKind(kind));
  const object = candidates.find(
    candidate =>
      stack.refersTo(reference, candidate, candidates, target => target.at("metadata", "name")) &&
      sameNamespace(candidate, workload),
  );
  return [{ kind, reference, object, items: part.at("items").items }];
}

/** A file of a ConfigMap or Secret. */
export interface ObjectFile {
  name: string;
  content: Field;
  /** The content, decoded where it is binary. */
  readonly text: string;
}

/** The files of a ConfigMap or Secret. A content that is not yet known throws when it is read. */
export function filesOf(object: Field): ObjectFile[] {
  const isSecretObject = kindOf(object.resource.type) === "Secret";
  const plain = object.at(isSecretObject ? "stringData" : "data").entries;
  const encoded = object.at(isSecretObject ? "data" : "binaryData").entries;
  return [
    ...plain.map(([name, content]) => file(name, content, text => text)),
    ...encoded.map(([name, content]) => file(name, content, decoded)),
  ];
}

function file(name: string, content: Field, decode: (text: string) => string): ObjectFile {
  return {
    name,
    content,
    get text() {
      return decode(content.text ?? "");
    },
  };
}

/** The text behind base64, or nothing when it is not text. */
export function decoded(base64: string): string {
  const text = Buffer.from(base64, "base64").toString("utf8");
  return text.includes("\0") ? "" : text;
}

/** What to throw when a needed object is not part of the program. */
export function outsideTheProgram({ kind, reference }: VolumeSource): NotYetKnown {
  return new NotYetKnown(
    reference.resource.urn,
    reference.path,
    `${kind} ${reference.text ?? ""} is not part of this program, so what it says is not seen`,
  );
}
