import path from "node:path";
import * as aws from "@pulumi/aws";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { buildArguments, dockerfile, imageTag, remoteContext, repositoryLifecycle } from "./core/imageBuild";
import { imageBuild, ImageArgs, ImageOptions, ImageTransforms, validateImageArgs } from "./image/arguments";
import { packageRoot } from "./packageRoot";
import { checkedOptions } from "./options";
import { refuseInvalid } from "./refuse";
import { transformed } from "./transform";

export { ImageArgs, ImageOptions, ImageTransforms, validateImageArgs } from "./image/arguments";
export { Architecture } from "./core/instanceTypes";

/** The provider wants a local folder with a file of the Dockerfile's name, although it tells Docker to read the repository. */
const placeholderFolder = path.join("components", "image", "context");

/** Enough to go back to after a bad upgrade. */
const defaultImagesToKeep = 10;

/** Twice what a build takes on a small machine. */
const buildTimeout = "90m";

/**
 * The image that database pods run: MariaDB with the TidesDB engine and its S3 connector, built by the TideSQL repository's own Dockerfile at a release's tag, with pinned releases of the
 * engine and the server, and pushed to a repository of its own in ECR (immutable tags, scanned on push, encrypted, the last ten images kept).
 *
 * A build takes 20 to 40 minutes, longer than everything else together, needs Docker where Pulumi runs, and happens again when a version changes. With `existing` nothing is made: give an
 * image by digest.
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
    const { transform = {}, ...componentOptions } = checkedOptions(`Image "${name}"`, opts);
    super("tidesql:index:Image", name, args, componentOptions);

    if (args.existing === undefined) {
      const repository = makeRepository(this, name, args, transform);
      this.repositoryUrl = repository.repositoryUrl;
      this.reference = build(this, name, args, repository, transform);
    } else {
      this.reference = pulumi.output(args.existing);
    }
    this.registerOutputs({ reference: this.reference, repositoryUrl: this.repositoryUrl });
  }
}

function makeRepository(
  parent: Image,
  name: string,
  { region, repositoryName = name, imagesToKeep = defaultImagesToKeep, forceDelete = false, tags }: ImageArgs,
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
        forceDelete,
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

/** @returns the image by digest */
function build(
  parent: Image,
  name: string,
  args: ImageArgs,
  repository: aws.ecr.Repository,
  transform: ImageTransforms,
): pulumi.Output<string> {
  const contents = imageBuild(args);
  const tag = imageTag(contents);
  const image = new docker.RegistryImage(
    ...transformed(
      transform.build,
      // Named by what is in it: another image is another resource, whose build is not the ignored one of the last.
      `${name}-${tag}`,
      {
        name: pulumi.interpolate`${repository.repositoryUrl}:${tag}`,
        build: {
          context: fromWorkingDirectory(path.join(packageRoot(), placeholderFolder)),
          remoteContext: remoteContext(contents),
          // Through Docker's API, by BuildKit as well: the provider's other way, buildx, builds the local folder and never looks at the remote context.
          useLegacyBuilder: true,
          dockerfile,
          platform: `linux/${contents.architecture}`,
          buildArgs: buildArguments(contents),
        },
        authConfig: {
          address: repository.repositoryUrl.apply(url => `https://${url.split("/")[0]!}`),
          username: "AWS",
          password: registryPassword(parent, args.region!, repository),
        },
        // Its tag is never given to another image, and the lifecycle removes what nobody needs.
        keepRemotely: true,
      },
      // A new password of the registry, or another working directory, is no reason to build again.
      {
        parent,
        ignoreChanges: ["authConfig", "build"],
        customTimeouts: { create: buildTimeout, update: buildTimeout },
      },
    ),
  );
  return pulumi.interpolate`${repository.repositoryUrl}@${image.sha256Digest}`;
}

/** Paths go into the state: absolute ones would differ from machine to machine, and build the image again on each. */
function fromWorkingDirectory(file: string): string {
  return path.relative(process.cwd(), file) || ".";
}

/** What ECR takes for the next twelve hours. Asking for it is a look-up, so a preview leaves it unknown. */
function registryPassword(parent: Image, region: string, repository: aws.ecr.Repository): pulumi.Output<string> {
  const password = repository.registryId.apply(registryId =>
    pulumi.runtime.isDryRun()
      ? (pulumi.unknown as unknown as string)
      : aws.ecr.getAuthorizationTokenOutput({ registryId, region }, { parent }).password,
  );
  return pulumi.secret(password);
}
