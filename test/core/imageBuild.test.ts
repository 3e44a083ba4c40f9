import * as assert from "node:assert/strict";
import * as fc from "fast-check";
import { describe, it } from "mocha";
import {
  buildArguments,
  defaultDisabledEngines,
  ImageBuild,
  imageTag,
  remoteContext,
  repositoryLifecycle,
  testedVersions,
  validateImageBuild,
} from "../../components/core/imageBuild";
import { Architecture } from "../../components/core/instanceTypes";

const build: ImageBuild = {
  ...testedVersions,
  disabledEngines: defaultDisabledEngines,
  architecture: Architecture.Amd64,
};
const paths = (change: Partial<ImageBuild>): string[] =>
  validateImageBuild({ ...build, ...change }).map(({ propertyPath }) => propertyPath);

describe("what an image is built from", () => {
  it("is by default what the failover was tested with, and accepted", () => {
    assert.deepEqual(paths({}), []);
    assert.deepEqual(testedVersions, { tidesqlVersion: "4.5.7", tidesdbVersion: "9.3.14", mariadbVersion: "11.8.6" });
  });

  it("is refused in versions that lack what a failover needs, with those that do not", () => {
    assert.deepEqual(paths({ tidesqlVersion: "4.5.8", tidesdbVersion: "9.3.0", mariadbVersion: "11.8.10" }), []);
    assert.deepEqual(paths({ tidesqlVersion: "4.12.0" }), []);
    for (const tidesqlVersion of ["4.5.6", "4.4.9", "5.0.0", "3.9.9"])
      assert.deepEqual(paths({ tidesqlVersion }), ["tidesqlVersion"]);
    for (const tidesdbVersion of ["9.2.9", "9.4.0", "10.0.0"])
      assert.deepEqual(paths({ tidesdbVersion }), ["tidesdbVersion"]);
    for (const mariadbVersion of ["11.8.5", "11.4.9", "12.0.1"])
      assert.deepEqual(paths({ mariadbVersion }), ["mariadbVersion"]);
    assert.match(validateImageBuild({ ...build, tidesqlVersion: "4.5.6" })[0]!.reason, /4\.5\.7/);
  });

  it("is refused in branches, moving names and shell commands", () => {
    for (const version of ["", "latest", "main", "v4.5.7", "4.5", "4.5.7-rc1", "4.5.7; curl evil", "4.5.7\n"]) {
      assert.deepEqual(paths({ tidesqlVersion: version }), ["tidesqlVersion"], version);
    }
  });

  it("leaves out only engines that nothing needs", () => {
    assert.deepEqual(paths({ disabledEngines: [] }), []);
    assert.deepEqual(paths({ disabledEngines: ["ROCKSDB", "TIDESDB", "rocksdb", "A B", "$(x)", "INNOBASE"] }), [
      "disabledEngines[1]",
      "disabledEngines[2]",
      "disabledEngines[3]",
      "disabledEngines[4]",
      "disabledEngines[5]",
    ]);
  });

  it("is told to the Dockerfile in full, so that nothing is the newest of its kind", () => {
    const args = buildArguments(build);
    assert.equal(args.WITH_S3, "1");
    assert.equal(args.DISABLED_ENGINES, "ROCKSDB,MROONGA,SPIDER,CONNECT,OQGRAPH,COLUMNSTORE,SPHINX");
    assert.deepEqual([args.TIDESDB_VERSION, args.MARIADB_VERSION], ["v9.3.14", "mariadb-11.8.6"]);
    assert.equal(remoteContext(build), "https://github.com/tidesdb/tidesql.git#v4.5.7");
    assert.ok(Object.values(args).every(value => value !== ""));
  });
});

describe("an image's tag", () => {
  it("says what is in it", () => {
    assert.match(imageTag(build), /^4\.5\.7-tidesdb-9\.3\.14-mariadb-11\.8\.6-amd64-[0-9a-f]{8}$/);
  });

  it("changes with everything that goes into the image", () => {
    const changed: ImageBuild[] = [
      { ...build, tidesqlVersion: "4.5.8" },
      { ...build, disabledEngines: ["ROCKSDB"] },
      { ...build, architecture: Architecture.Arm64 },
    ];
    const tags = [...changed.map(other => imageTag(other)), imageTag(build)];
    assert.equal(new Set(tags).size, tags.length);
  });

  it("is one that a registry takes", () => {
    const version = fc.tuple(fc.nat(99), fc.nat(99), fc.nat(99)).map(numbers => numbers.join("."));
    fc.assert(
      fc.property(version, tidesqlVersion => {
        assert.match(imageTag({ ...build, tidesqlVersion }), /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/);
      }),
    );
  });
});

describe("the repository's lifecycle", () => {
  it("keeps the last images, and nothing without a name for longer than a day", () => {
    const { rules } = JSON.parse(repositoryLifecycle(7)) as { rules: { selection: Record<string, unknown> }[] };
    assert.deepEqual(
      rules.map(({ selection }) => [selection.tagStatus, selection.countType, selection.countNumber]),
      [
        ["untagged", "sinceImagePushed", 1],
        ["any", "imageCountMoreThan", 7],
      ],
    );
  });
});
