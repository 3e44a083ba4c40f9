import { domainOf } from "../core/awsRegion";
import { parseImageReference } from "../core/imageReference";
import { InputProblem } from "../core/inputProblem";
import { Architecture, machineType } from "../core/instanceTypes";
import { NodeCapacity } from "../core/sizing";
import { printable } from "../core/printable";
import { defaultNodeImage } from "../nodeImage";

/** The pool that is made for a database, and the pods that it is to take. */
export interface PoolRequest {
  zones: number;
  nodesPerZone: number;
  /** The primary and its replicas. */
  pods: number;
  /** Whether no two pods may share a node. */
  oneEach: boolean;
  podMemoryBytes: number;
  /** A node's capacity; undefined where this package does not know the type. */
  node?: Pick<NodeCapacity, "memoryBytes">;
}

/** Share of a node's memory that pods can have: the kubelet, the system and its DaemonSets take the rest. */
const allocatableShare = 0.86;

/** Pods that could never be scheduled. */
export function roomProblems(request: PoolRequest): InputProblem[] {
  const { zones, nodesPerZone, pods, oneEach, podMemoryBytes, node } = request;
  const aNode = oneEach || !node ? 1 : Math.max(1, Math.floor((allocatableShare * node.memoryBytes) / podMemoryBytes));
  const nodes = zones * nodesPerZone;
  const room = nodes * aNode;
  if (pods <= room) return [];
  const needed = Math.ceil(pods / (zones * aNode));
  const why = oneEach ? "no two pods share one" : `${aNode} of that size fit one`;
  const reason = `is ${pods - 1}, which makes ${pods} pods with the primary, but the pool has ${nodes} nodes (${zones} zones, nodesPerZone ${nodesPerZone}) and ${why}: set cluster.nodesPerZone to ${needed}, or write at most ${room - 1}`;
  return [{ propertyPath: "replicas", reason }];
}

/** An image for other processors than the nodes'. */
export function architectureProblems(
  asked: Architecture | undefined,
  instanceTypeName: string | undefined,
): InputProblem[] {
  const nodes = instanceTypeName === undefined ? undefined : machineType(instanceTypeName)?.architecture;
  if (asked === undefined || nodes === undefined || asked === nodes) return [];
  const reason = `is "${asked}", but ${instanceTypeName} has ${nodes} processors, on which such an image does not start: leave it out, or choose another instanceType`;
  return [{ propertyPath: "image.architecture", reason }];
}

/** Images that nodes without a way to the internet are to pull. */
export interface PulledImages {
  region: string;
  /** Of the database, where it is there already and known. */
  existing?: string;
  /** Holds the Node binary. */
  nodeImage?: string;
}

/** Images outside ECR, where there is no NAT gateway: nodes reach ECR's endpoints in their VPC, and nothing else. */
export function unreachableImageProblems({
  region,
  existing,
  nodeImage = defaultNodeImage,
}: PulledImages): InputProblem[] {
  const registry = new RegExp(`^\\d{12}\\.dkr\\.ecr\\.${region}\\.${domainOf(region).replaceAll(".", "\\.")}/`);
  return Object.entries({ "image.existing": existing, nodeImage }).flatMap(([propertyPath, image]) => {
    if (image === undefined || registry.test(image)) return [];
    const repository = parseImageReference(image)?.repository ?? "";
    const reason = `is "${printable(image)}", which nodes cannot pull with network.natGateways "none": copy it into ECR in ${region} and name that copy, like "123456789012.dkr.ecr.${region}.${domainOf(region)}/${repository.split("/").at(-1)}@sha256:...", or choose natGateways "single"`;
    return [{ propertyPath, reason }];
  });
}
