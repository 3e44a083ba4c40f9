import { createHash } from "node:crypto";
import { InputProblem } from "./inputProblem";
import { Architecture } from "./instanceTypes";
import { printable } from "./printable";

/** What an image is compiled from. */
export interface ImageBuild {
  tidesqlVersion: string;
  tidesdbVersion: string;
  mariadbVersion: string;
  /** MariaDB's name for each, upper case. */
  disabledEngines: string[];
  architecture: Architecture;
}

/** The versions that this package's configuration and protocol are written for. */
export const testedVersions = { tidesqlVersion: "4.5.7", tidesdbVersion: "9.3.14", mariadbVersion: "11.8.6" } as const;

/** Engines that a database on TidesDB has no use for, some of which take longer to compile than MariaDB itself. */
export const defaultDisabledEngines = ["ROCKSDB", "MROONGA", "SPIDER", "CONNECT", "OQGRAPH", "COLUMNSTORE", "SPHINX"];

/** MariaDB's own tables and temporary tables are in these, and the data in the last. */
const neededEngines = ["ARIA", "CSV", "INNOBASE", "INNODB", "MYISAM", "MYISAMMRG", "PERFSCHEMA", "TIDESDB"];

/** Where the sources are, and the recipe for them: the repository's own. */
export const sourceRepository = "https://github.com/tidesdb/tidesql.git";
export const dockerfile = "docker/ubuntu/Dockerfile";

/** The repository at the tag of a release, as Docker takes a remote context. */
export function remoteContext({ tidesqlVersion }: ImageBuild): string {
  return `${sourceRepository}#v${tidesqlVersion}`;
}

/** A range of versions that work: from `least`, and with the same first numbers as `series`. */
interface Requirement {
  property: keyof typeof testedVersions;
  series: number[];
  least: number[];
  /** Why others do not. */
  reason: string;
}

const requirements: Requirement[] = [
  {
    property: "tidesqlVersion",
    series: [4],
    least: [4, 5, 7],
    reason: "earlier ones lose tables that are made after a failover, and 5.0 has no object store",
  },
  {
    property: "tidesdbVersion",
    series: [9, 3],
    least: [9, 3, 0],
    reason: "no other has the object store that a failover needs",
  },
  {
    property: "mariadbVersion",
    series: [11, 8],
    least: [11, 8, 6],
    reason: "the plugin and the configuration are tested with this long-term series",
  },
];

/** What is wrong with a build's versions and engines. */
export function validateImageBuild(build: ImageBuild): InputProblem[] {
  return [
    ...requirements.flatMap(requirement => versionProblems(requirement, build[requirement.property])),
    ...build.disabledEngines.flatMap((engine, index) => {
      const reason = engineProblem(engine);
      return reason === undefined ? [] : [{ propertyPath: `disabledEngines[${index}]`, reason }];
    }),
  ];
}

/** Arguments of the Dockerfile: none is left to be the newest of its kind. */
export function buildArguments(build: ImageBuild): Record<string, string> {
  return {
    DISABLED_ENGINES: build.disabledEngines.join(","),
    MARIADB_VERSION: `mariadb-${build.mariadbVersion}`,
    TIDESDB_VERSION: `v${build.tidesdbVersion}`,
    WITH_S3: "1",
  };
}

/** A tag that says what is in an image and changes with everything that goes into it, since a repository with immutable tags refuses a second image of one name. */
export function imageTag(build: ImageBuild): string {
  const { tidesqlVersion, tidesdbVersion, mariadbVersion, architecture } = build;
  const contents = JSON.stringify([remoteContext(build), Object.entries(buildArguments(build)).sort(), architecture]);
  const fingerprint = createHash("sha256").update(contents).digest("hex").slice(0, 8);
  return `${tidesqlVersion}-tidesdb-${tidesdbVersion}-mariadb-${mariadbVersion}-${architecture}-${fingerprint}`;
}

/** ECR's lifecycle policy as JSON: what has no name goes after a day, and of the rest a few are kept to go back to. */
export function repositoryLifecycle(imagesToKeep: number): string {
  const expire = { type: "expire" };
  return JSON.stringify({
    rules: [
      {
        rulePriority: 1,
        description: "Images that lost their tag",
        selection: { tagStatus: "untagged", countType: "sinceImagePushed", countUnit: "days", countNumber: 1 },
        action: expire,
      },
      {
        rulePriority: 2,
        description: `All but the last ${imagesToKeep} images`,
        selection: { tagStatus: "any", countType: "imageCountMoreThan", countNumber: imagesToKeep },
        action: expire,
      },
    ],
  });
}

function versionProblems({ property, series, least, reason }: Requirement, version: string): InputProblem[] {
  const wayOut = `write ${least.join(".")} or later of ${series.join(".")}, like "${testedVersions[property]}": ${reason}`;
  if (!/^\d+\.\d+\.\d+$/.test(version)) {
    const shown = printable(version);
    return [
      { propertyPath: property, reason: `"${shown}" is not a released version (three numbers, no "v"): ${wayOut}` },
    ];
  }
  const numbers = version.split(".").map(Number);
  const isOfSeries = series.every((number, index) => numbers[index] === number);
  if (isOfSeries && compareVersions(numbers, least) >= 0) return [];
  return [{ propertyPath: property, reason: `is ${version}: ${wayOut}` }];
}

function compareVersions(left: number[], right: number[]): number {
  const differing = left.findIndex((number, index) => number !== right[index]);
  return differing < 0 ? 0 : left[differing]! - right[differing]!;
}

function engineProblem(engine: string): string | undefined {
  if (!/^[A-Z][A-Z0-9_]*$/.test(engine)) {
    return `"${printable(engine)}" is no engine: write MariaDB's name for it in upper case, like "ROCKSDB"`;
  }
  return neededEngines.includes(engine) ? `"${engine}" is needed by MariaDB or by the data: leave it out` : undefined;
}
