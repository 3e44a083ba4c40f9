import * as aws from "@pulumi/aws";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { validateAwsTags } from "../core/awsTags";
import { validateAwsRegion } from "../core/awsRegion";
import { defaultDisabledEngines, ImageBuild, testedVersions, validateImageBuild } from "../core/imageBuild";
import { validateImageReference } from "../core/imageReference";
import { InputProblem } from "../core/inputProblem";
import { Architecture } from "../core/instanceTypes";
import { printable } from "../core/printable";
import { judgeArguments } from "../schema/malformed";
import { Transform } from "../transform";

/** Arguments of {@link Image}. */
export interface ImageArgs {
  /** AWS region of the repository, like `us-east-1`. Required unless there is an `existing` image. */
  region?: string;
  /** Default: the component's name. */
  repositoryName?: string;
  /** Release of TideSQL, the plugin. 4.5.7 or later of 4. Default 4.5.7. */
  tidesqlVersion?: string;
  /** Release of TidesDB, the engine. 9.3. Default 9.3.14. */
  tidesdbVersion?: string;
  /** Release of MariaDB, the server. 11.8.6 or later of 11.8. Default 11.8.6. */
  mariadbVersion?: string;
  /** Storage engines that are not compiled, by MariaDB's names. Default: ROCKSDB, MROONGA, SPIDER, CONNECT, OQGRAPH, COLUMNSTORE, SPHINX. */
  disabledEngines?: string[];
  /** Architecture of the nodes. Build on a machine of the same architecture: emulation takes hours. Default `amd64`. */
  architecture?: Architecture;
  /** Deletes the repository with the images in it. Default false: another stack may run one of them. */
  forceDelete?: boolean;
  /** Number of images that the repository keeps for a rollback. 1 to 1,000. Default 10. */
  imagesToKeep?: number;
  /** Tags of the repository. At most 40; no name begins with `aws:`. Default: none. */
  tags?: Record<string, string>;
  /** An existing image, preferably by digest: `repository@sha256:...`. Nothing is created. */
  existing?: pulumi.Input<string>;
}

/** One optional transform for each child of an Image. */
export interface ImageTransforms {
  /** In ECR. */
  repository?: Transform<aws.ecr.RepositoryArgs>;
  /** Says which images the repository keeps. */
  lifecyclePolicy?: Transform<aws.ecr.LifecyclePolicyArgs>;
  /** Builds the image and pushes it. */
  build?: Transform<docker.RegistryImageArgs>;
}

/** Options of {@link Image}. */
export interface ImageOptions extends pulumi.ComponentResourceOptions {
  /** Changes a child before it is registered. */
  transform?: ImageTransforms;
}

/** What an image is compiled from, with everything that was left out filled in. */
export function imageBuild(args: ImageArgs): ImageBuild {
  return {
    tidesqlVersion: args.tidesqlVersion ?? testedVersions.tidesqlVersion,
    tidesdbVersion: args.tidesdbVersion ?? testedVersions.tidesdbVersion,
    mariadbVersion: args.mariadbVersion ?? testedVersions.mariadbVersion,
    disabledEngines: args.disabledEngines ?? defaultDisabledEngines,
    architecture: args.architecture ?? Architecture.Amd64,
  };
}

/** Everything that is wrong with an Image's name and arguments, as far as it is known before anything is made. */
export function validateImageArgs(name: string, args: ImageArgs): InputProblem[] {
  return judgeArguments("Image", args, () => [
    ...validateAwsTags(args.tags),
    ...(args.existing === undefined ? madeProblems(name, args) : existingProblems(args, args.existing)),
  ]);
}

function madeProblems(name: string, args: ImageArgs): InputProblem[] {
  const { region, repositoryName = name, imagesToKeep } = args;
  const problems: InputProblem[] = [];
  if (region === undefined) {
    problems.push({ propertyPath: "region", reason: 'is missing: give it, or name an image in "existing"' });
  } else {
    problems.push(...validateAwsRegion(region));
  }
  if (!/^(?=.{2,256}$)[a-z0-9]+([._-][a-z0-9]+)*(\/[a-z0-9]+([._-][a-z0-9]+)*)*$/.test(repositoryName)) {
    problems.push({
      propertyPath: "repositoryName",
      reason: `"${printable(repositoryName)}" is not a valid ECR repository name: write lower-case letters, digits, "-", "_", "." and "/", at least 2`,
    });
  }
  if (imagesToKeep !== undefined && !(Number.isInteger(imagesToKeep) && imagesToKeep >= 1 && imagesToKeep <= 1000)) {
    problems.push({ propertyPath: "imagesToKeep", reason: `is ${imagesToKeep}: write a whole number from 1 to 1000` });
  }
  return [...problems, ...validateImageBuild(imageBuild(args))];
}

function existingProblems(args: ImageArgs, existing: pulumi.Input<string>): InputProblem[] {
  const alsoForExisting = ["existing", "region", "architecture", "tags"];
  const conflicts = Object.entries(args)
    .filter(([key, value]) => value !== undefined && !alsoForExisting.includes(key))
    .map(([key]) => ({
      propertyPath: key,
      reason: 'is for an image that is built, but "existing" names one: leave one of them out',
    }));
  return [...conflicts, ...(typeof existing === "string" ? validateImageReference("existing", existing) : [])];
}
