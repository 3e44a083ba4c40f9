import { type Field } from "./field";

/**
 * `aws:s3/bucketVersioningV2:BucketVersioningV2` is `s3:BucketVersioning`: the service and the kind, without the generation that some of the provider's types carry.
 * Undefined for types of other providers.
 */
export function awsKindOf(type: string): string | undefined {
  const [, service, kind] = /^aws:([\w-]+)(?:\/\w+)?:(\w+?)(?:V2)?$/.exec(type) ?? [];
  return service === undefined ? undefined : `${service}:${kind}`;
}

/** A condition on types: AWS resources of these kinds, written as `s3:Bucket`. */
export function ofAwsKind(...kinds: string[]): (type: string) => boolean {
  return type => {
    const kind = awsKindOf(type);
    return kind !== undefined && kinds.includes(kind);
  };
}

/** A condition on types: any of several conditions. */
export function anyType(...conditions: ((type: string) => boolean)[]): (type: string) => boolean {
  return type => conditions.some(condition => condition(type));
}

/** The cluster components of the `eks` package, by the last part of their token. */
export function ofEksKind(...kinds: string[]): (type: string) => boolean {
  return type => kinds.some(kind => type === `eks:index:${kind}`);
}

/** A control plane, of either package. */
export const isEksCluster = anyType(ofAwsKind("eks:Cluster"), ofEksKind("Cluster"));

/** A group of nodes, of either package. */
export const isNodeGroup = anyType(
  ofAwsKind("eks:NodeGroup"),
  ofEksKind("ManagedNodeGroup", "NodeGroup", "NodeGroupV2"),
);

/** Whether a range of addresses is all there are. */
export function isEveryone(cidr: string | undefined): boolean {
  return cidr === "0.0.0.0/0" || cidr === "::/0";
}

/** The text of user data: base64 of MIME parts or of a script, or plain. */
export function userDataText(field: Field): string {
  const text = field.text ?? "";
  if (!/^[A-Za-z0-9+/\s]{16,}={0,2}\s*$/.test(text)) return text;
  const plain = Buffer.from(text, "base64").toString("utf8");
  return plain.includes("\uFFFD") ? text : plain;
}
