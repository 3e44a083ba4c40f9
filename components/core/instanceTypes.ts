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

/** What the name of an EC2 instance type tells of it, whether or not its figures are known here. */
export interface MachineType {
  /** Like `m5.large`. */
  name: string;
  architecture: Architecture;
  /** Whether it has local NVMe drives. */
  hasInstanceStore: boolean;
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
const burstableSizes = { medium: 2, large: 2, xlarge: 4, "2xlarge": 8 };

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
  c5: intel(2, undefined, {
    large: 2,
    xlarge: 4,
    "2xlarge": 8,
    "4xlarge": 16,
    "9xlarge": 36,
    "12xlarge": 48,
    "18xlarge": 72,
    "24xlarge": 96,
  }),
  c6g: graviton(2),
  c6i: intel(2, undefined, { ...intelSizes, "32xlarge": 128 }),
  c7g: graviton(2),
  c7i: intel(2, undefined, { ...intelSizes, "48xlarge": 192 }),
  m5: intel(4),
  m5d: intel(4, fifthGenerationDrives),
  m6i: intel(4, undefined, { ...intelSizes, "32xlarge": 128 }),
  m6id: intel(4, sixthGenerationDrives, { ...intelSizes, "32xlarge": 128 }),
  m6a: intel(4, undefined, { ...intelSizes, "32xlarge": 128, "48xlarge": 192 }),
  m6g: graviton(4),
  m7g: graviton(4),
  m7gd: graviton(4, sixthGenerationDrives),
  m7i: intel(4, undefined, { ...intelSizes, "48xlarge": 192 }),
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
  r6i: intel(8, undefined, { ...intelSizes, "32xlarge": 128 }),
  r6id: intel(8, sixthGenerationDrives, { ...intelSizes, "32xlarge": 128 }),
  r7i: intel(8, undefined, { ...intelSizes, "48xlarge": 192 }),
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

/** How EC2 names sizes. */
const sizePattern = /^(nano|micro|small|medium|large|\d*xlarge|metal(-\d+xl)?)$/;
/** How it names families: letters, the generation, letters for what the family has. */
const familyPattern = /^([a-z]+)(\d+)([a-z]*)(-[a-z0-9]+)?$/;

/**
 * What a type's name tells: EC2 writes a `g` behind the generation of a family with Graviton processors and a `d` behind that of one with drives of its own; families of storage machines (`i`, `d`, `h`) have them in
 * any case (Amazon EC2 User Guide, "Naming conventions").
 * @returns undefined for what is no type's name
 */
export function machineType(name: string): MachineType | undefined {
  const known = instanceType(name);
  if (known) return { name, architecture: known.architecture, hasInstanceStore: known.instanceStoreBytes > 0 };
  const [familyName = "", size = "", ...rest] = name.split(".");
  const [, letters = "", generation, has = ""] = familyPattern.exec(familyName) ?? [];
  if (generation === undefined || rest.length > 0 || !sizePattern.test(size)) return undefined;
  const isArm = has.includes("g") || familyName === "a1";
  return {
    name,
    architecture: isArm ? Architecture.Arm64 : Architecture.Amd64,
    hasInstanceStore: has.includes("d") || /^(i|im|is|d|h)$/.test(letters),
  };
}

/** What is wrong with an instance type's name, whether or not its figures are known here. */
export function validateInstanceType(propertyPath: string, name: string): InputProblem[] {
  if (machineType(name) !== undefined) return [];
  const reason = `"${printable(name)}" is not an EC2 instance type: ${sizesOf(name) ?? 'write one like "m5.large"'}`;
  return [{ propertyPath, reason }];
}

/**
 * What is wrong with an instance type that pods are to be sized by.
 * @param isSized whether the pod's memory and cores are given: then any type will do
 */
export function validateSizingType(propertyPath: string, name: string, isSized: boolean): InputProblem[] {
  const wrongName = validateInstanceType(propertyPath, name);
  if (wrongName.length > 0 || isSized || instanceType(name) !== undefined) return wrongName;
  const sizes = sizesOf(name);
  const reason = `"${printable(name)}" is not in this package's table of memory and cores: give sizing.memoryBytes and sizing.cpuCores, of a pod (three quarters of the machine's)${sizes === undefined ? "" : `, or choose a size that is: ${sizes}`}`;
  return [{ propertyPath, reason }];
}

function sizesOf(name: string): string | undefined {
  const family = name.split(".")[0]!;
  if (!Object.hasOwn(families, family)) return undefined;
  return `${family} comes as ${Object.keys(families[family]!.cpuCores).join(", ")}`;
}
