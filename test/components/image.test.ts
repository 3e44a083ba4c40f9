import * as assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { describe, it } from "mocha";
import { Architecture, Image, ImageArgs } from "../../components/image";
import { at, record, Recording, refusals, text, valueOf } from "./mocks";

const region = "us-east-1";
const type = {
  build: "docker:index/registryImage:RegistryImage",
  lifecycle: "aws:ecr/lifecyclePolicy:LifecyclePolicy",
  repository: "aws:ecr/repository:Repository",
};
const lookUp = "aws:ecr/getAuthorizationToken:getAuthorizationToken";
const digest = `sha256:${"a".repeat(64)}`;

function recordImage(args: ImageArgs = { region }): Promise<Recording<Image>> {
  return record(() => new Image("tidesql", args), { answer: () => ({ password: "token-of-ecr", userName: "AWS" }) });
}

describe("an image that is built", () => {
  it("goes to a repository whose tags do not move, that scans and encrypts", async () => {
    const made = await recordImage();
    const { inputs } = made.one(type.repository);
    assert.equal(inputs.imageTagMutability, "IMMUTABLE");
    assert.equal(at(inputs, "imageScanningConfiguration.scanOnPush"), true);
    assert.equal(at(inputs, "encryptionConfigurations[0].encryptionType"), "AES256");
    assert.match(text(made.one(type.lifecycle).inputs, "policy"), /"countNumber":10/);
  });

  it("is of pinned versions, with S3, without the engines that nobody needs, for the nodes' architecture", async () => {
    const { inputs } = (await recordImage({ region, architecture: Architecture.Arm64 })).one(type.build);
    assert.equal(at(inputs, "build.platform"), "linux/arm64");
    assert.equal(at(inputs, "build.remoteContext"), "https://github.com/tidesdb/tidesql.git#v4.5.7");
    assert.equal(at(inputs, "build.dockerfile"), "docker/ubuntu/Dockerfile");
    assert.equal(
      at(inputs, "build.useLegacyBuilder"),
      true,
      "buildx would build the local folder instead of the repository",
    );
    const args = at(inputs, "build.buildArgs") as Record<string, string>;
    assert.deepEqual([args.TIDESDB_VERSION, args.MARIADB_VERSION, args.WITH_S3], ["v9.3.14", "mariadb-11.8.6", "1"]);
    assert.match(args.DISABLED_ENGINES!, /^ROCKSDB,/);
    assert.match(text(inputs, "name"), /\/tidesql:4\.5\.7-tidesdb-9\.3\.14-mariadb-11\.8\.6-arm64-[0-9a-f]{8}$/);
  });

  it("is handed on by digest", async () => {
    const { result } = await recordImage();
    const repository = "123456789012.dkr.ecr.us-east-1.amazonaws.com/tidesql";
    assert.equal(await valueOf(result.reference), `${repository}@${digest}`);
    assert.equal(await valueOf(result.repositoryUrl!), repository);
  });

  it("is pushed with a password that lasts for hours, as a secret", async () => {
    const made = await recordImage();
    const build = made.one(type.build);
    assert.equal(at(build.inputs, "authConfig.password"), "token-of-ecr");
    assert.equal(at(build.inputs, "authConfig.address"), "https://123456789012.dkr.ecr.us-east-1.amazonaws.com");
    assert.ok(build.secrets.includes("authConfig.password") || build.secrets.includes("authConfig"));
    assert.deepEqual(made.invokes, [{ token: lookUp, inputs: { registryId: "123456789012", region } }]);
  });

  it("has the time that compiling takes", async () => {
    assert.equal((await recordImage()).one(type.build).createTimeout, "90m");
  });

  it("is the same on every machine: nothing in the state says where the package is", async () => {
    const { inputs } = (await recordImage()).one(type.build);
    assert.ok(!isAbsolute(text(inputs, "build.context")));
    // The provider looks for the Dockerfile in the local folder before it sends Docker to the repository.
    assert.ok(existsSync(join(text(inputs, "build.context"), text(inputs, "build.dockerfile"))));
  });

  it("is not built again because the registry's password or the working directory changed", async () => {
    const { ignoreChanges } = (await recordImage()).one(type.build);
    assert.deepEqual([...ignoreChanges].sort(), ["authConfig", "build"]);
  });

  it("is another resource when anything in it changes", async () => {
    const names = [{ region }, { region, tidesqlVersion: "4.5.8" }, { region, disabledEngines: ["ROCKSDB"] }];
    const built: string[] = [];
    for (const args of names) built.push((await recordImage(args)).one(type.build).name);
    assert.equal(new Set(built).size, built.length);
  });

  it("stays in its repository when the stack is destroyed, unless that is switched on", async () => {
    assert.equal((await recordImage()).one(type.repository).inputs.forceDelete, false);
    assert.equal((await recordImage({ region, forceDelete: true })).one(type.repository).inputs.forceDelete, true);
  });
});

describe("planning an image", () => {
  it("looks nothing up, on a new stack and on one whose repository is there", async () => {
    const program = (): Image => new Image("tidesql", { region });
    const fresh = await record(program, { preview: true });
    assert.deepEqual(fresh.invokes, []);
    const known = { registryId: "123456789012", repositoryUrl: "123456789012.dkr.ecr.us-east-1.amazonaws.com/tidesql" };
    const again = await record(program, {
      preview: true,
      computed: ({ type: kind }) => (kind === type.repository ? known : undefined),
    });
    assert.deepEqual(again.invokes, []);
    assert.match(text(again.one(type.build).inputs, "name"), /^123456789012\./);
  });
});

describe("an image that exists", () => {
  it("makes nothing", async () => {
    const used = await record(() => new Image("tidesql", { existing: `tidesql@${digest}` }));
    assert.deepEqual(
      used.resources.map(({ type: kind }) => kind),
      ["tidesql:index:Image"],
    );
    assert.equal(await valueOf(used.result.reference), `tidesql@${digest}`);
  });
});

describe("bad input to an image", () => {
  const paths = async (args: ImageArgs, name = "tidesql"): Promise<string[]> =>
    (await refusals(() => new Image(name, args))).map(({ propertyPath }) => propertyPath);

  it("is refused before anything is registered, by the property's path", async () => {
    assert.deepEqual(await paths({}), ["region"]);
    assert.deepEqual(await paths({ region: "mars" }), ["region"]);
    assert.deepEqual(await paths({ region }, "TideSQL"), ["repositoryName"]);
    assert.deepEqual(await paths({ region, tidesqlVersion: "5.0.0" }), ["tidesqlVersion"]);
    assert.deepEqual(await paths({ region, tidesdbVersion: "10.0.0" }), ["tidesdbVersion"]);
    assert.deepEqual(await paths({ region, disabledEngines: ["TIDESDB"] }), ["disabledEngines[0]"]);
    assert.deepEqual(await paths({ region, architecture: "sparc" as Architecture }), ["architecture"]);
    assert.deepEqual(await paths({ region, imagesToKeep: 0 }), ["imagesToKeep"]);
  });

  it("is refused when the image that exists moves, or is to be built", async () => {
    assert.deepEqual(await paths({ existing: "tidesql:latest" }), ["existing"]);
    assert.deepEqual(await paths({ existing: "tidesql" }), ["existing"]);
    assert.deepEqual(await paths({ existing: `tidesql@${digest}`, tidesqlVersion: "4.5.7" }), ["tidesqlVersion"]);
  });
});
