import { DatabaseArgs } from "../../components/database";
import { ManagerBundle } from "../../components/managerBundle";

/** Stands for the built manager: unit tests do not depend on a build. */
export const managerBundle: ManagerBundle = {
  manager: "// the manager",
  watchdog: "// its watchdog",
  inspect: "// inspects",
};

/** Values that may be nowhere but in Secrets and in what is marked as a secret. */
export const secretValues = { secretAccessKey: "sesame-sesame", accessKeyId: "minioadmin", password: "Open-Sesame-1" };

/** A database with a user whose password is given and one whose password is made. */
export function databaseArgs(changes: Partial<DatabaseArgs> = {}): DatabaseArgs {
  return {
    image: `registry.example/tidesql@sha256:${"0".repeat(64)}`,
    objectStore: {
      endpoint: "10.0.0.5:9000",
      bucket: "orders-data",
      region: "us-east-1",
      useTls: false,
      pathStyle: true,
      accessKeyId: secretValues.accessKeyId,
      secretAccessKey: secretValues.secretAccessKey,
    },
    databases: ["shop"],
    users: [
      { name: "shop", password: secretValues.password, grants: [{ database: "shop", privileges: ["ALL PRIVILEGES"] }] },
      { name: "reports", grants: [{ database: "shop", privileges: ["SELECT"] }] },
    ],
    ...changes,
  };
}
