import * as pulumi from "@pulumi/pulumi";
import { InputProblem, under } from "../core/inputProblem";
import { UserDeclaration } from "../core/managerConfiguration";
import { declareUsers, UserRequest, validateDatabases, validateUsers } from "../core/users";
import { refuseInvalid } from "../refuse";
import { malformedValues } from "../schema/malformed";
import { DatabaseArgs, DatabaseUserArgs } from "./arguments";

/** Databases and users as the manager is told of them. */
export interface Accounts {
  databases: string[];
  users: UserDeclaration[];
}

/** What is wrong with databases and users, as far as they are plain values. */
export function accountProblems({ databases = [], users = [] }: DatabaseArgs): InputProblem[] {
  const names = Array.isArray(databases) ? databases : [];
  const known = names.filter(name => typeof name === "string");
  // An item that comes later keeps its place, and the rest theirs.
  const judgedNames = names.map((name, index) => (typeof name === "string" ? name : `later${index}`));
  const areAllKnown = Array.isArray(databases) && known.length === names.length;
  return [
    ...under("databases", validateDatabases(judgedNames)),
    ...under("users", validateUsers(users.map(knownOf), areAllKnown ? known : undefined)),
  ];
}

/** Databases and users once they are known, judged then. */
export function accountsOf(name: string, { databases = [], users = [] }: DatabaseArgs): pulumi.Output<Accounts> {
  const accounts = users.map(({ name: userName, host, grants }) => ({ name: userName, host, grants }));
  return pulumi.output({ databases, accounts }).apply(known => {
    const malformed = malformedValues("Database", { databases: known.databases, users: known.accounts });
    const problems =
      malformed.length > 0
        ? malformed
        : [
            ...under("databases", validateDatabases(known.databases)),
            ...under("users", validateUsers(known.accounts, known.databases)),
          ];
    refuseInvalid(`Database "${name}"`, problems);
    return { databases: known.databases, users: declareUsers(known.accounts) };
  });
}

/** Without what comes later. */
function knownOf({ name, host, grants }: DatabaseUserArgs): UserRequest {
  return {
    name,
    host: typeof host === "string" ? host : undefined,
    grants: grants.flatMap(({ database, privileges }) => {
      const isKnown = typeof database === "string" && privileges.every(privilege => typeof privilege === "string");
      return isKnown ? [{ database, privileges }] : [];
    }),
  };
}
