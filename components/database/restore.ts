import * as pulumi from "@pulumi/pulumi";
import { InputProblem, under } from "../core/inputProblem";
import { ObjectStoreLocation, RestoreConfiguration } from "../core/managerConfiguration";
import { momentForms, newestMoment, parseMoment } from "../core/moment";
import { validateBucketName, validatePrefix } from "../core/objectStoreLocation";
import { printable } from "../core/printable";
import { refuseInvalid } from "../refuse";
import { DatabaseArgs, DatabaseRestoreArgs } from "./arguments";

/** What is wrong with the database to restore, as far as its values are plain. */
export function restoreProblems(name: string, args: DatabaseArgs): InputProblem[] {
  const { restore, databaseId, objectStore } = args;
  if (restore === undefined) return [];
  const { prefix, bucket = objectStore.bucket, at = newestMoment } = restore;
  const problems: InputProblem[] = [];
  if (databaseId !== undefined)
    problems.push({
      propertyPath: "databaseId",
      reason: "attaches data that is there, and restore copies another database's: leave one of them out",
    });
  if (typeof prefix === "string") problems.push(...under("restore", validatePrefix(prefix)));
  if (typeof restore.bucket === "string") problems.push(...under("restore", validateBucketName(restore.bucket)));
  if (typeof at === "string") problems.push(...momentProblems(at));
  const own = { bucket: objectStore.bucket, prefix: objectStore.prefix ?? `${name}/` };
  if ([prefix, bucket, own.bucket, own.prefix].every(value => typeof value === "string"))
    problems.push(...sameFolder({ prefix, bucket } as Folder, own as Folder));
  return problems;
}

interface Folder {
  bucket: string;
  prefix: string;
}

function sameFolder(from: Folder, own: Folder): InputProblem[] {
  const isWithin = from.prefix.startsWith(own.prefix) || own.prefix.startsWith(from.prefix);
  if (from.bucket !== own.bucket || !isWithin) return [];
  const what = from.prefix === own.prefix ? "this database's own prefix" : "a folder of this database's, or around it";
  return [
    {
      propertyPath: "restore.prefix",
      reason: `"${printable(from.prefix)}" is ${what}: a database is restored beside the other one. Give this one another objectStore.prefix`,
    },
  ];
}

function momentProblems(at: string): InputProblem[] {
  if (parseMoment(at) !== undefined) return [];
  return [{ propertyPath: "restore.at", reason: `"${printable(at)}" is no moment: write ${momentForms}` }];
}

/** What the manager is told, once the values are known; judged then. */
export function restoreSource(
  name: string,
  restore: DatabaseRestoreArgs | undefined,
  store: pulumi.Output<ObjectStoreLocation>,
): pulumi.Output<RestoreConfiguration | undefined> {
  if (restore === undefined) return pulumi.output(undefined);
  return pulumi.all([store, restore.prefix, restore.bucket, restore.at]).apply(([own, prefix, bucket, at]) => {
    const from = { bucket: bucket ?? own.bucket, prefix, at: at ?? newestMoment };
    refuseInvalid(`Database "${name}"`, [
      ...under("restore", [...validatePrefix(prefix), ...validateBucketName(from.bucket)]),
      ...momentProblems(from.at),
      ...sameFolder(from, own),
    ]);
    return from;
  });
}
