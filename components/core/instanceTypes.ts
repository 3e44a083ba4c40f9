import { InputProblem } from "./inputProblem";
import { printable } from "./printable";
import { gibibyte } from "./quantities";
import { NodeCapacity } from "./sizing";

/** Instruction sets, as container platforms and EKS's images name them. */
export const Architecture = {
  /** Intel and AMD. */
  Amd64: "amd64",
  /** Graviton, and other machines with Arm's. */
  Arm64: "arm64",
} as const;
export type Architecture = (typeof Architecture)[keyof typeof Architecture];

/** An EC2 instance type. `instanceStoreBytes` is what its local NVMe drives hold together, 0 where it has none. */
export interface InstanceType extends NodeCapacity {
  /** Like `m5.large`. */
  name: string;
  architecture: Architecture;
}

/** Sizes of one family. */
interface Family {
  architecture: Architecture;
  memoryGiBPerCore: number;
  /** Virtual cores by size. */
  cpuCores: Record<string, number>;
  /** Local NVMe drives together by size, in GB (10^9 bytes), as EC2 states them. Families without drives have none. */
  instanceStoreGB?: Record<string, number>;
}

const bytesPerGB = 1e9;

const intelSizes = {
  large: 2,
  xlarge: 4,
  "2xlarge": 8,
  "4xlarge": 16,
  "8xlarge": 32,
  "12xlarge": 48,
  "16xlarge": 64,
  "24xlarge": 96,
};
const gravitonSizes = {
  medium: 1,
  large: 2,
  xlarge: 4,
  "2xlarge": 8,
  "4xlarge": 16,
  "8xlarge": 32,
  "12xlarge": 48,
  "16xlarge": 64,
};
const burstableSizes = { medium: 2, large: 2 };

const fifthGenerationDrives = {
  large: 75,
  xlarge: 150,
  "2xlarge": 300,
  "4xlarge": 600,
  "8xlarge": 1200,
  "12xlarge": 1800,
  "16xlarge": 2400,
  "24xlarge": 3600,
};
const sixthGenerationDrives = {
  medium: 59,
  large: 118,
  xlarge: 237,
  "2xlarge": 474,
  "4xlarge": 950,
  "8xlarge": 1900,
  "12xlarge": 2850,
  "16xlarge": 3800,
  "24xlarge": 5700,
  "32xlarge": 7600,
};

function intel(
  memoryGiBPerCore: number,
  instanceStoreGB?: Record<string, number>,
  cpuCores: Record<string, number> = intelSizes,
): Family {
  return { architecture: Architecture.Amd64, memoryGiBPerCore, cpuCores, instanceStoreGB };
}

function graviton(
  memoryGiBPerCore: number,
  instanceStoreGB?: Record<string, number>,
  cpuCores: Record<string, number> = gravitonSizes,
): Family {
  return { architecture: Architecture.Arm64, memoryGiBPerCore, cpuCores, instanceStoreGB };
}

/**
 * Families that suit a database or the small pool beside it (Amazon EC2 User Guide, "Amazon EC2 instance types" and the pages of each family, November 2026; the
 * same figures as `aws ec2 describe-instance-types` answers in VCpuInfo, MemoryInfo and InstanceStorageInfo).
 */
const families: Record<string, Family> = {
  m5: intel(4),
  m5d: intel(4, fifthGenerationDrives),
  m6i: intel(4, undefined, { ...intelSizes, "32xlarge": 128 }),
  m6id: intel(4, sixthGenerationDrives, { ...intelSizes, "32xlarge": 128 }),
  m6g: graviton(4),
  m7g: graviton(4),
  m7gd: graviton(4, sixthGenerationDrives),
  m8g: graviton(4, undefined, { ...gravitonSizes, "24xlarge": 96, "48xlarge": 192 }),
  m8gd: graviton(
    4,
    { ...sixthGenerationDrives, "48xlarge": 11400 },
    { ...gravitonSizes, "24xlarge": 96, "48xlarge": 192 },
  ),
  c5d: intel(
    2,
    {
      large: 50,
      xlarge: 100,
      "2xlarge": 200,
      "4xlarge": 400,
      "9xlarge": 900,
      "12xlarge": 1800,
      "18xlarge": 1800,
      "24xlarge": 3600,
    },
    { large: 2, xlarge: 4, "2xlarge": 8, "4xlarge": 16, "9xlarge": 36, "12xlarge": 48, "18xlarge": 72, "24xlarge": 96 },
  ),
  r5: intel(8),
  r5d: intel(8, fifthGenerationDrives),
  r6g: graviton(8),
  r6gd: graviton(8, sixthGenerationDrives),
  r7g: graviton(8),
  r7gd: graviton(8, sixthGenerationDrives),
  r8g: graviton(8, undefined, { ...gravitonSizes, "24xlarge": 96, "48xlarge": 192 }),
  r8gd: graviton(
    8,
    { ...sixthGenerationDrives, "48xlarge": 11400 },
    { ...gravitonSizes, "24xlarge": 96, "48xlarge": 192 },
  ),
  i3: intel(
    7.625,
    { large: 475, xlarge: 950, "2xlarge": 1900, "4xlarge": 3800, "8xlarge": 7600, "16xlarge": 15200 },
    { large: 2, xlarge: 4, "2xlarge": 8, "4xlarge": 16, "8xlarge": 32, "16xlarge": 64 },
  ),
  i4i: intel(
    8,
    {
      large: 468,
      xlarge: 937,
      "2xlarge": 1875,
      "4xlarge": 3750,
      "8xlarge": 7500,
      "12xlarge": 11250,
      "16xlarge": 15000,
      "24xlarge": 22500,
      "32xlarge": 30000,
    },
    { ...intelSizes, "32xlarge": 128 },
  ),
  t3: { architecture: Architecture.Amd64, memoryGiBPerCore: 4, cpuCores: burstableSizes },
  t4g: { architecture: Architecture.Arm64, memoryGiBPerCore: 4, cpuCores: burstableSizes },
};

/** Types whose memory is not in their family's proportion to the cores. GiB. */
const memoryExceptionsGiB: Record<string, number> = { "t3.medium": 4, "t4g.medium": 4 };

/** An instance type by its name; undefined for one that is not in the table. */
export function instanceType(name: string): InstanceType | undefined {
  const [familyName = "", size = "", ...rest] = name.split(".");
  const family = Object.hasOwn(families, familyName) ? families[familyName] : undefined;
  if (family === undefined || rest.length > 0 || !Object.hasOwn(family.cpuCores, size)) return undefined;
  const cpuCores = family.cpuCores[size]!;
  const memoryGiB = memoryExceptionsGiB[name] ?? family.memoryGiBPerCore * cpuCores;
  return {
    name,
    cpuCores,
    memoryBytes: memoryGiB * gibibyte,
    instanceStoreBytes: (family.instanceStoreGB?.[size] ?? 0) * bytesPerGB,
    architecture: family.architecture,
  };
}

/** Every known type, family by family. */
export function instanceTypes(): InstanceType[] {
  return Object.entries(families).flatMap(([family, { cpuCores }]) =>
    Object.keys(cpuCores).map(size => instanceType(`${family}.${size}`)!),
  );
}

/** What is wrong with an instance type's name. */
export function validateInstanceType(propertyPath: string, name: string): InputProblem[] {
  if (instanceType(name) !== undefined) return [];
  const family = name.split(".")[0]!;
  const wayOut = Object.hasOwn(families, family)
    ? `${family} comes as ${Object.keys(families[family]!.cpuCores).join(", ")}`
    : `choose one of the families ${Object.keys(families).join(", ")}, like "m5.large"`;
  return [
    {
      propertyPath,
      reason: `"${printable(name)}" is no instance type whose memory, cores and drives are known here: ${wayOut}`,
    },
  ];
}
