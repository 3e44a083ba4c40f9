import { decoded, withDecodedParts } from "../credentials/encoding";
import { type Field } from "./field";

/**
 * `aws:s3/bucketVersioningV2:BucketVersioningV2` is `s3:BucketVersioning`: the service and the kind, without the generation that some of the provider's types carry.
 * Undefined for types of other providers.
 */
export function awsKindOf(type: string): string | undefined {
  if (!kinds.has(type)) {
    const [, service, kind] = /^aws:([\w-]+)(?:\/\w+)?:(\w+?)(?:V2)?$/.exec(type) ?? [];
    kinds.set(type, service === undefined ? undefined : `${service}:${kind}`);
  }
  return kinds.get(type);
}

/** The kinds of the types that were asked for: every policy asks for each resource's. */
const kinds = new Map<string, string | undefined>();

/** A condition on types: AWS resources of these kinds, written as `s3:Bucket`. */
export function ofAwsKind(...wanted: string[]): (type: string) => boolean {
  return type => {
    const kind = awsKindOf(type);
    return kind !== undefined && wanted.includes(kind);
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

/** A shorter prefix than any network has that is not the internet: the largest that were ever given out are /8, and /19 in IPv6. */
const shortestPrefix = { 4: 8, 6: 16 };

/**
 * Whether a range of addresses lets strangers in: all that there are, or a part of the internet so large that it is nobody's network. Two halves of the world are the
 * world.
 */
export function isEveryone(cidr: string | undefined): boolean {
  const [, address = "", length] = /^\s*([\da-f.:]+)\/(\d{1,3})\s*$/i.exec(cidr ?? "") ?? [];
  if (length === undefined) return false;
  return Number(length) < shortestPrefix[address.includes(":") ? 6 : 4];
}

/** The text of user data: plain, or base64 of a script, of MIME parts or of either in gzip. */
export function userDataText(field: Field): string {
  const text = field.text ?? "";
  return withDecodedParts(decoded(text) ?? text);
}
