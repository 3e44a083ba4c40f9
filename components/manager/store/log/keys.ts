/** Where things are in the bucket, below the deployment's prefix. Numbers are padded, so that the order of keys is the order of numbers. */

/** The mutable object: who the database is, and where the newest seal, the newest checkpoint and the horizon are. */
export const ownerKey = "owner.json";

/** Under a prefix that a database is being restored into: who does it, and of what. Gone when the owner's record is there. */
export const restoreKey = "restore.json";

/** Numbers of tables and epochs are kept in 32 bits: more elections than one a second for a hundred years. */
const highest = 2 ** 32 - 1;

/** An entry of the log. Positions count on across epochs, so a position alone names an entry. */
export function entryKey(epoch: number, position: number): string {
  return `log/${pad(epoch, 10)}/${pad(position, 15)}`;
}

export function checkpointKey(position: number): string {
  return `checkpoint/${pad(position, 15)}`;
}

/** A half of an SSTable. By the table's number, never by its name: a rename moves nothing, and a name that comes back means another table. */
export function fileKey(table: number, epoch: number, upload: number): string {
  return `${fileFolder(table)}${pad(epoch, 10)}.${pad(upload, 12)}`;
}

const fileKeyForm = /^data\/\d{10}\/\d{10}\.\d{12}$/;

/** What a {@link fileKey} is made of. */
export interface FileKey {
  table: number;
  epoch: number;
  /** Of its epoch's writer, counted from 0. */
  upload: number;
}

/** The reverse of {@link fileKey}. @returns undefined when the key is of another form, or a number in it has more than 32 bits */
export function parseFileKey(key: string): FileKey | undefined {
  if (!fileKeyForm.test(key)) return undefined;
  const [table, epoch, upload] = [Number(key.slice(5, 15)), Number(key.slice(16, 26)), Number(key.slice(27))];
  return Math.max(table, epoch) > highest ? undefined : { table, epoch, upload };
}

/** The folder of a table's files, with a slash at its end. */
export function fileFolder(table: number): string {
  return `data/${pad(table, 10)}/`;
}

/** The folder of a key, with a slash at its end. */
export function folderOf(key: string): string {
  return key.slice(0, key.lastIndexOf("/") + 1);
}

/** A block of a WAL that is too large for an entry. */
export function blockKey(epoch: number, unique: string): string {
  return `data/blocks/${pad(epoch, 10)}.${unique}`;
}

/** The epoch whose writer has sent an object of data; undefined: the key is of no form that a writer makes. */
export function epochOfObject(key: string): number | undefined {
  const epoch = /^data\/(?:\d{10}|blocks)\/(\d{10})\.[0-9a-f]+$/.exec(key)?.[1];
  return epoch === undefined ? undefined : Number(epoch);
}

function pad(value: number, digits: number): string {
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`${value} is not the number of an entry`);
  return String(value).padStart(digits, "0");
}
