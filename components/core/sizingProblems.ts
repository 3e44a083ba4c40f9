import { InputProblem } from "./inputProblem";
import { gibibyte, inMebibytes } from "./quantities";
import {
  besidesEngine,
  dataShareOfInstanceStore,
  deriveSizing,
  largestDataVolumeBytes,
  largestWriteBuffer,
  leastEngineShareOfNode,
  SizingRequest,
  smallestDataVolumeBytes,
  smallestWriteBuffer,
  writeBuffersInMemory,
} from "./sizing";

/** Everything that is wrong with a request, with the properties' names as in the Database component's arguments. */
export function validateSizing(request: SizingRequest): InputProblem[] {
  const wrongNumbers = numberProblems(request);
  if (wrongNumbers.length > 0) return wrongNumbers;
  const wrongValues = [...storageProblems(request), ...writeBufferProblems(request)];
  return wrongValues.length > 0 ? wrongValues : podProblems(request);
}

function numberProblems(request: SizingRequest): InputProblem[] {
  const problems: InputProblem[] = [];
  const bytes = [
    "memoryBytes",
    "blockCacheBytes",
    "writeBufferBytes",
    "maxMemoryBytes",
    "temporaryVolumeBytes",
  ] as const;
  for (const key of bytes) {
    const value = request[key];
    if (value !== undefined && !(Number.isSafeInteger(value) && value > 0)) {
      problems.push({ propertyPath: `sizing.${key}`, reason: `is ${value}: write a whole number of bytes above 0` });
    }
  }
  for (const key of ["cpuCores", "cpuLimitCores"] as const) {
    const value = request[key];
    if (value !== undefined && !(Number.isFinite(value) && value >= 0.001)) {
      problems.push({
        propertyPath: `sizing.${key}`,
        reason: `is ${value}: write a number of cores above 0, like 0.5 or 2`,
      });
    }
  }
  const counts = [
    ["flushThreads", 64],
    ["compactionThreads", 64],
    ["maxConnections", 100_000],
  ] as const;
  for (const [key, most] of counts) {
    const value = request[key];
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= 1 && value <= most)) {
      problems.push({ propertyPath: `sizing.${key}`, reason: `is ${value}: write a whole number from 1 to ${most}` });
    }
  }
  const { dataVolumeBytes: data } = request;
  if (data !== undefined && !(data >= smallestDataVolumeBytes && data <= largestDataVolumeBytes)) {
    problems.push({
      propertyPath: "storage.sizeGiB",
      reason: `is ${data / gibibyte}: write a whole number from 1 to ${largestDataVolumeBytes / gibibyte}; the volume holds all the data`,
    });
  }
  return problems;
}

function storageProblems({ node, onInstanceStore, dataVolumeBytes }: SizingRequest): InputProblem[] {
  if (!onInstanceStore) return [];
  if (node?.instanceStoreBytes === 0) {
    return [
      {
        propertyPath: "storage.kind",
        reason:
          'is "nvme", but sizing.instanceType has no NVMe drives: choose a type that has (i4i, m8gd, m5d, r5d, ...), or kind "volume"',
      },
    ];
  }
  if (node === undefined && dataVolumeBytes === undefined) {
    return [
      {
        propertyPath: "storage.sizeGiB",
        reason: 'has to be given with kind "nvme" where sizing.instanceType is not: the size of the drives is unknown',
      },
    ];
  }
  const room = node && Math.floor(dataShareOfInstanceStore * node.instanceStoreBytes);
  if (room !== undefined && dataVolumeBytes !== undefined && dataVolumeBytes > room) {
    return [
      {
        propertyPath: "storage.sizeGiB",
        reason: `asks for more than ${Math.floor(room / gibibyte)} GiB, four fifths of the type's NVMe drives: the rest holds images, logs and temporary files`,
      },
    ];
  }
  return [];
}

function writeBufferProblems({ writeBufferBytes }: SizingRequest): InputProblem[] {
  if (writeBufferBytes === undefined) return [];
  const propertyPath = "sizing.writeBufferBytes";
  const size = inMebibytes(writeBufferBytes);
  if (writeBufferBytes < smallestWriteBuffer) {
    const reason = `is ${size}: with so little, each flush makes a file of a few rows, and most requests to the bucket are for these. Write at least ${inMebibytes(smallestWriteBuffer)}`;
    return [{ propertyPath, reason }];
  }
  if (writeBufferBytes > largestWriteBuffer) {
    const reason = `is ${size}: a takeover replays up to so much before it accepts writes. Write at most ${inMebibytes(largestWriteBuffer)}`;
    return [{ propertyPath, reason }];
  }
  return [];
}

function podProblems(request: SizingRequest): InputProblem[] {
  const { node } = request;
  const sizing = deriveSizing(request);
  const { memoryBytes, blockCacheBytes, writeBufferBytes, maxMemoryBytes, maxConnections } = sizing;
  const { cpuRequestCores, cpuLimitCores } = sizing;
  const problems: InputProblem[] = [];
  if (node && memoryBytes > node.memoryBytes) {
    problems.push({
      propertyPath: "sizing.memoryBytes",
      reason: `is ${inMebibytes(memoryBytes)}, more than the ${inMebibytes(node.memoryBytes)} of the instance type`,
    });
  }
  if (node && cpuRequestCores > node.cpuCores) {
    problems.push({
      propertyPath: "sizing.cpuCores",
      reason: `is ${cpuRequestCores}, more than the ${node.cpuCores} cores of the instance type`,
    });
  }
  if (cpuLimitCores < cpuRequestCores) {
    problems.push({
      propertyPath: "sizing.cpuLimitCores",
      reason: `is ${cpuLimitCores}, below the ${cpuRequestCores} cores that are requested: raise it, or lower cpuCores`,
    });
  }
  const needed = writeBuffersInMemory * writeBufferBytes + blockCacheBytes;
  const besides = besidesEngine(memoryBytes, maxConnections);
  if (maxMemoryBytes < needed) {
    const asked = request.maxMemoryBytes === undefined ? "sizing.memoryBytes" : "sizing.maxMemoryBytes";
    problems.push({
      propertyPath: asked,
      reason: `leaves the engine ${inMebibytes(Math.max(0, maxMemoryBytes))}, but ${writeBuffersInMemory} write buffers of ${inMebibytes(writeBufferBytes)} and a block cache of ${inMebibytes(blockCacheBytes)} take ${inMebibytes(needed)}: raise it, or lower blockCacheBytes, writeBufferBytes or maxConnections`,
    });
  } else if (maxMemoryBytes + besides > memoryBytes) {
    problems.push({
      propertyPath: "sizing.maxMemoryBytes",
      reason: `is ${inMebibytes(maxMemoryBytes)}: with the ${inMebibytes(besides)} of the manager, MariaDB and ${maxConnections} connections that is more than the pod's ${inMebibytes(memoryBytes)}`,
    });
  }
  const least = node ? Math.ceil(leastEngineShareOfNode * node.memoryBytes) : 0;
  if (maxMemoryBytes < least) {
    problems.push({
      propertyPath: request.maxMemoryBytes === undefined ? "sizing.memoryBytes" : "sizing.maxMemoryBytes",
      reason: `leaves the engine ${inMebibytes(Math.max(0, maxMemoryBytes))}, but the engine takes at least 5 % of the machine's memory, ${inMebibytes(least)} on this type, and the pod would be killed: raise it, or choose a smaller type`,
    });
  }
  return problems;
}
