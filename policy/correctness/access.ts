import { Level } from "../check";
import { databaseCheck, optionFinding } from "../databaseCheck";

/** Versions of TLS that are out of use (RFC 8996). */
const oldTls = /\bTLSv1(?:\.[01])?(?![.\d])/i;

/** What the server lets its clients, and its operators, do. */
export const serverAccessChecks = [
  databaseCheck({
    id: "correctness-grant-tables",
    description: "The server asks who somebody is.",
    why: "With skip_grant_tables everybody who reaches the port is an administrator.",
    fix: "no skip_grant_tables; a forgotten password is set anew with init_file",
    level: Level.mandatory,
    *evaluateDatabase(database) {
      if (!database.settings.isOn("skip_grant_tables", false)) return;
      yield optionFinding(database, database.settings.get("skip_grant_tables"), "The server lets everybody in.");
    },
  }),

  databaseCheck({
    id: "correctness-file-access",
    description: "SQL reads and writes no files of the server.",
    why: "A user with the right FILE reads the engine's keys from the option files, and writes into the data directory.",
    fix: "local_infile=OFF, and secure_file_priv=<an empty folder of its own>",
    level: Level.mandatory,
    development: { level: Level.advisory },
    *evaluateDatabase(database) {
      const local = database.settings.get("local_infile");
      if (local && database.settings.isOn("local_infile", false))
        yield optionFinding(database, local, "Clients are asked for their files.", "local_infile=OFF");
      const folder = database.settings.get("secure_file_priv");
      if (folder && folder.value.trim() === "")
        yield optionFinding(
          database,
          folder,
          "SQL reads and writes every file that the server may.",
          "secure_file_priv=<a folder>",
        );
    },
  }),

  databaseCheck({
    id: "correctness-tls-versions",
    description: "The server speaks no TLS before 1.2.",
    why: "TLS 1.0 and 1.1 can be broken, and a client in the middle chooses the oldest that both sides speak.",
    fix: "tls_version=TLSv1.2,TLSv1.3",
    level: Level.mandatory,
    *evaluateDatabase(database) {
      const versions = database.settings.get("tls_version");
      if (!versions || !oldTls.test(versions.value)) return;
      yield optionFinding(database, versions, `The server speaks ${versions.value}.`);
    },
  }),

  databaseCheck({
    id: "correctness-volume-retention",
    description: "The volumes of a database outlive its StatefulSet.",
    why: "Rows that were not shipped to the bucket yet are on these volumes alone; a StatefulSet is deleted and made anew by a mere rename.",
    fix: 'persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" }',
    level: Level.mandatory,
    development: { level: Level.disabled },
    *evaluateDatabase({ workload }) {
      const policy = workload.at("spec", "persistentVolumeClaimRetentionPolicy", "whenDeleted");
      if (policy.text !== "Delete") return;
      yield { path: policy.path, message: "The volumes are deleted with the StatefulSet." };
    },
  }),
];
