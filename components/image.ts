import { readFileSync } from "node:fs";
import path from "node:path";
import * as aws from "@pulumi/aws";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { buildArguments, imageTag, repositoryLifecycle } from "./core/imageBuild";
import { imageBuild, ImageArgs, ImageOptions, ImageTransforms, validateImageArgs } from "./image/arguments";
import { packageRoot } from "./packageRoot";
import { refuseInvalid } from "./refuse";
import { transformed } from "./transform";

export { ImageArgs, ImageOptions, ImageTransforms, validateImageArgs } from "./image/arguments";
export { Architecture } from "./core/instanceTypes";

/** Where the Dockerfile is, from the package's root. It is alone there: what is beside it would be sent to Docker. */
const buildFolder = path.join("components", "image", "build");

/** Enough to go back to after a bad upgrade. */
const defaultImagesToKeep = 10;

/** Twice what a build takes on a small machine. */
const buildTimeout = "90m";

/**
 * The image that database pods run: MariaDB with the TidesDB engine and its S3 connector, compiled from pinned releases and pushed to a repository of its own in ECR (immutable tags, scanned
 * on push, encrypted, the last ten images kept).
 *
 * It is compiled by the package's own Dockerfile on Debian 13, not by the TideSQL repository's on Ubuntu 24.04, whose libcurl 8.5 reports uploads of the WAL as failed: every commit with
 * durability `commit` took half a second. The build refuses a base with an older libcurl than 8.7.
 *
 * A build takes 20 to 40 minutes, needs Docker where Pulumi runs, and happens again when a version or the Dockerfile changes. With `existing` nothing is made: give an image by digest.
 *
 * Cost (us-east-1): $0.10 per GB and month.
 *
 * @example
 * const image = new Image("tidesql", { region: "us-east-1" });
 */
export class Image extends pulumi.ComponentResource {
  /** What pods are to run: by digest when it was built here. */
  public readonly reference: pulumi.Output<string>;
  /** Where other images of the same kind are to go. None for an existing image. */
  public readonly repositoryUrl?: pulumi.Output<string>;

  /** @throws pulumi.InputPropertiesError before anything is registered */
  constructor(name: string, args: ImageArgs, opts: ImageOptions = {}) {
    refuseInvalid(`Image "${name}"`, validateImageArgs(name, args));
    const { transform = {}, ...componentOptions } = opts;
    super("tidesql:index:Image", name, args, componentOptions);

    if (args.existing === undefined) {
      const repository = makeRepository(this, name, args, transform);
      this.repositoryUrl = repository.repositoryUrl;
      this.reference = build(this, name, args, repository, transform).repoDigest;
    } else {
      this.reference = pulumi.output(args.existing);
    }
    this.registerOutputs({ reference: this.reference, repositoryUrl: this.repositoryUrl });
  }
}

function makeRepository(
  parent: Image,
  name: string,
  { region, repositoryName = name, imagesToKeep = defaultImagesToKeep, tags }: ImageArgs,
  transform: ImageTransforms,
): aws.ecr.Repository {
  const repository = new aws.ecr.Repository(
    ...transformed(
      transform.repository,
      `${name}-repository`,
      {
        region,
        name: repositoryName,
        imageTagMutability: "IMMUTABLE",
        imageScanningConfiguration: { scanOnPush: true },
        encryptionConfigurations: [{ encryptionType: "AES256" }],
        // Every image in it can be built again.
        forceDelete: true,
        tags,
      },
      { parent },
    ),
  );
  new aws.ecr.LifecyclePolicy(
    ...transformed(
      transform.lifecyclePolicy,
      `${name}-lifecycle`,
      { region, repository: repository.name, policy: repositoryLifecycle(imagesToKeep) },
      { parent },
    ),
  );
  return repository;
}

function build(
  parent: Image,
  name: string,
  args: ImageArgs,
  repository: aws.ecr.Repository,
  transform: ImageTransforms,
): docker.Image {
  const contents = imageBuild(args);
  const folder = path.join(packageRoot(), buildFolder);
  const dockerfile = path.join(folder, "Dockerfile");
  const tag = imageTag(contents, readFileSync(dockerfile, "utf8"));
  return new docker.Image(
    ...transformed(
      transform.build,
      `${name}-image`,
      {
        imageName: pulumi.interpolate`${repository.repositoryUrl}:${tag}`,
        build: {
          context: fromWorkingDirectory(folder),
          dockerfile: fromWorkingDirectory(dockerfile),
          platform: `linux/${contents.architecture}`,
          args: buildArguments(contents),
        },
        buildOnPreview: false,
        registry: {
          server: repository.repositoryUrl.apply(url => url.split("/")[0]!),
          username: "AWS",
          password: registryPassword(parent, args.region!, repository),
        },
      },
      { parent, customTimeouts: { create: buildTimeout, update: buildTimeout } },
    ),
  );
}

/** Paths go into the state: absolute ones would differ from machine to machine, and build the image again on each. */
function fromWorkingDirectory(file: string): string {
  return path.relative(process.cwd(), file) || ".";
}

/** What ECR takes for the next twelve hours. Asking for it is a look-up, so a preview leaves it unknown; Docker's provider does not compare it. */
function registryPassword(parent: Image, region: string, repository: aws.ecr.Repository): pulumi.Output<string> {
  const password = repository.registryId.apply(registryId =>
    pulumi.runtime.isDryRun()
      ? (pulumi.unknown as unknown as string)
      : aws.ecr.getAuthorizationTokenOutput({ registryId, region }, { parent }).password,
  );
  return pulumi.secret(password);
}
