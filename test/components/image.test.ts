import * as assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { isAbsolute } from "node:path";
import { describe, it } from "mocha";
import { Architecture, Image, ImageArgs } from "../../components/image";
import { podLayout } from "../../components/core/podLayout";
import { at, record, Recording, refusals, text, valueOf } from "./mocks";

const region = "us-east-1";
const type = {
  build: "docker:index/image:Image",
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
    const args = at(inputs, "build.args") as Record<string, string>;
    assert.deepEqual([args.TIDESQL_VERSION, args.TIDESDB_VERSION, args.MARIADB_VERSION], ["4.5.7", "9.3.14", "11.8.6"]);
    assert.equal(args.TIDESQL_REPOSITORY, "https://github.com/tidesdb/tidesql.git");
    assert.equal(args.WITH_S3, "1");
    assert.match(args.DISABLED_ENGINES!, /^ROCKSDB,/);
    assert.match(text(inputs, "imageName"), /\/tidesql:4\.5\.7-tidesdb-9\.3\.14-mariadb-11\.8\.6-arm64-[0-9a-f]{8}$/);
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
    assert.equal(at(build.inputs, "registry.password"), "token-of-ecr");
    assert.equal(at(build.inputs, "registry.server"), "123456789012.dkr.ecr.us-east-1.amazonaws.com");
    assert.ok(build.secrets.includes("registry.password") || build.secrets.includes("registry"));
    assert.deepEqual(made.invokes, [{ token: lookUp, inputs: { registryId: "123456789012", region } }]);
  });

  it("has the time that compiling takes", async () => {
    assert.equal((await recordImage()).one(type.build).createTimeout, "90m");
  });

  it("is the same on every machine: nothing in the state says where the package is", async () => {
    const { inputs } = (await recordImage()).one(type.build);
    for (const key of ["context", "dockerfile"]) assert.ok(!isAbsolute(text(inputs, `build.${key}`)), key);
    assert.match(readFileSync(text(inputs, "build.dockerfile"), "utf8"), /^FROM/m);
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
    assert.match(text(again.one(type.build).inputs, "imageName"), /^123456789012\./);
  });

  it("starts no build", async () => {
    const plan = await record(() => new Image("tidesql", { region }), { preview: true });
    assert.equal(plan.one(type.build).inputs.buildOnPreview, false);
  });
});

describe("the Dockerfile", () => {
  const dockerfile = readFileSync("components/image/build/Dockerfile", "utf8");

  it("declares every argument that the component gives, and uses it", async () => {
    const args = at((await recordImage()).one(type.build).inputs, "build.args") as Record<string, string>;
    for (const name of Object.keys(args)) {
      assert.match(dockerfile, new RegExp(`^ARG ${name}\\b`, "m"), name);
      assert.ok(dockerfile.includes(`\${${name}}`), name);
    }
  });

  it("runs as the user that pods run as", () => {
    const users = [...dockerfile.matchAll(/^USER (.*)$/gm)].map(([, user]) => user);
    assert.deepEqual(users, [`${podLayout.userId}:${podLayout.groupId}`]);
    assert.ok(dockerfile.lastIndexOf("USER") > dockerfile.lastIndexOf("RUN"));
  });

  it("refuses a libcurl that breaks commits, and leaves the compilers behind", () => {
    assert.match(dockerfile, /dpkg --compare-versions .*libcurl.* ge 8\.7/);
    const [, run = ""] = dockerfile.split(/^FROM .*(?<!AS build)$/m);
    assert.match(run, /COPY --from=build/);
    assert.doesNotMatch(run, /build-essential|cmake|git /);
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
    assert.deepEqual(await paths({ region, baseImage: "debian" }), ["baseImage"]);
    assert.deepEqual(await paths({ region, imagesToKeep: 0 }), ["imagesToKeep"]);
  });

  it("is refused when the image that exists moves, or is to be built", async () => {
    assert.deepEqual(await paths({ existing: "tidesql:latest" }), ["existing"]);
    assert.deepEqual(await paths({ existing: "tidesql" }), ["existing"]);
    assert.deepEqual(await paths({ existing: `tidesql@${digest}`, tidesqlVersion: "4.5.7" }), ["tidesqlVersion"]);
  });
});
