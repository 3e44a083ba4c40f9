import { Level } from "../check";
import { databaseCheck, optionFinding } from "../databaseCheck";
import { isOn } from "../model/serverOptions";

/** Versions of TLS that are out of use (RFC 8996). */
const oldTls = /\bTLSv1(?:\.[01])?(?![.\d])/i;

/** What the server lets its clients, and its operators, do. */
export const serverAccessChecks = [
  databaseCheck({
    id: "correctness-grant-tables",
    description: "The server authenticates its users.",
    why: "With skip_grant_tables everybody who reaches the port is an administrator.",
    fix: "no skip_grant_tables; a forgotten password is set again with init_file",
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
      if (folder && /^[/\s]*$/.test(folder.value))
        yield optionFinding(
          database,
          folder,
          "SQL reads and writes every file that the server may.",
          "secure_file_priv=<a folder>",
        );
    },
  }),

  databaseCheck({
    id: "correctness-password-hashes",
    description: "Passwords are neither kept nor sent in an obsolete format.",
    why: "The hash of MySQL 3.23 has 64 bits, and anyone who reads it from the network or a table finds the password in seconds.",
    fix: "neither old_passwords nor secure_auth: the server's defaults are right",
    level: Level.mandatory,
    *evaluateDatabase(database) {
      const old = database.settings.get("old_passwords");
      if (old && isOn(old.value))
        yield optionFinding(database, old, "New passwords are kept as the hash of MySQL 3.23.", "old_passwords=OFF");
      const secure = database.settings.seen("secure_auth");
      if (secure && !isOn(secure.value))
        yield optionFinding(database, secure, "Clients may log in with the hash of MySQL 3.23.", "secure_auth=ON");
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
    description: "The volumes of a database outlive its StatefulSet and its pods.",
    why: "Rows that were not shipped to the bucket yet are on these volumes alone; a StatefulSet is deleted and recreated by a mere rename.",
    fix: 'persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" }',
    level: Level.mandatory,
    development: { level: Level.disabled },
    *evaluateDatabase({ workload }) {
      for (const [name, when] of [
        ["whenDeleted", "with the StatefulSet"],
        ["whenScaled", "when there are fewer pods for a while"],
      ] as const) {
        const policy = workload.at("spec", "persistentVolumeClaimRetentionPolicy", name);
        if (policy.text !== "Delete") continue;
        yield { path: policy.path, message: `The volumes are deleted ${when}.`, wayOut: `${name}: "Retain"` };
      }
    },
  }),
];
