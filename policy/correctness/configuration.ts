import { type Finding, Level, resourceCheck } from "../check";
import { databaseCheck, optionFinding } from "../databaseCheck";
import { type Field } from "../model/field";
import { isPinned, tagOf } from "../model/image";

/** Build arguments of the TideSQL image without which it takes the newest sources. */
const versionArguments = ["MARIADB_VERSION", "TIDESDB_VERSION"] as const;

/** The engine's own limit of open SSTables, and the one at which scans no longer fail. */
const leastOpenTables = 4096;

/** The build arguments of an image: each of the resources that build one has them elsewhere. */
function buildArguments(image: Field): Field {
  const places = [image.at("build", "args"), image.at("build", "buildArgs"), image.at("buildArgs")];
  return places.find(({ isPresent }) => isPresent) ?? places[0]!;
}

function* unpinnedSources(image: Field): Generator<Finding> {
  const given = buildArguments(image);
  for (const name of versionArguments) {
    const version = given.at(name);
    if (version.isPresent && !/^(latest|main|master|)$/.test(version.text ?? "")) continue;
    yield {
      path: version.path,
      message: `The build takes whatever ${name} is the newest on that day.`,
      wayOut: `${name}: a tag, such as ${name === "MARIADB_VERSION" ? "mariadb-11.8.6" : "v9.3.14"}`,
    };
  }
}

/** Which engine runs, with which limits. */
export const configurationChecks = [
  databaseCheck({
    id: "correctness-engine-image",
    description: "The database's image is pinned.",
    why: "The engine's next major version cannot read this one's files and has no object store; a tag that moves installs it at the next restart of a pod.",
    fix: "image: <repository>@sha256:<digest>",
    level: Level.mandatory,
    *evaluateDatabase({ container }) {
      const image = container.at("image");
      if (isPinned(image.text ?? "")) return;
      yield {
        path: image.path,
        message: `The image is ${tagOf(image.text ?? "") ?? "without a tag"}, not a version.`,
      };
    },
  }),

  resourceCheck({
    id: "correctness-image-build",
    description: "An image of TideSQL is built from pinned versions of MariaDB and TidesDB.",
    why: "Without them the build takes the newest of each, and TidesDB 10 has another file format and no object store.",
    fix: "MARIADB_VERSION and TIDESDB_VERSION as build arguments, each a tag: mariadb-11.8.6, v9.3.14",
    level: Level.mandatory,
    applies: type => /^docker(-build)?:index[:/]/.test(type) && /Image$/.test(type),
    *evaluate(image) {
      const isTideSql = [...image.texts()].some(field => /tidesql|tidesdb|WITH_S3/i.test(`${field.key} ${field.text}`));
      if (isTideSql) yield* unpinnedSources(image);
    },
  }),

  databaseCheck({
    id: "correctness-default-engine",
    description: "Tables are TidesDB tables unless they say otherwise.",
    why: "The image's default is InnoDB: a table created without an engine stays on one node and is lost with it.",
    fix: "default_storage_engine=TidesDB, and ALTER TABLE <table> ENGINE=TidesDB for the tables that were made without it",
    level: Level.mandatory,
    *evaluateDatabase(database) {
      const forced = database.settings.seen("enforce_storage_engine");
      if (forced && !/^(tidesdb)?$/i.test(forced.value)) {
        const enforced = `Every new table becomes a ${forced.value} table.`;
        yield optionFinding(database, forced, enforced, "no enforce_storage_engine, or TidesDB");
      }
      const setting = database.settings.get("default_storage_engine");
      if (/^tidesdb$/i.test(setting?.value ?? "")) return;
      const message = `Tables without an engine become ${setting?.value ?? "InnoDB"} tables, which never reach the bucket.`;
      yield optionFinding(database, setting, message);
    },
  }),

  databaseCheck({
    id: "correctness-open-sstables",
    description: "The engine may keep enough SSTables open.",
    why: "With the default of 256, scans over more files than that fail with error 1205.",
    fix: "tidesdb_max_open_sstables=4096",
    level: Level.advisory,
    *evaluateDatabase(database) {
      const name = "tidesdb_max_open_sstables";
      const setting = database.settings.get(name);
      if (Number(setting?.value ?? 256) >= leastOpenTables) return;
      yield optionFinding(database, setting, `At most ${setting?.value ?? 256} SSTables are kept open.`);
    },
  }),
];
