import { PeerStatus } from "./ports";

/** Tables of the engine's own and of the manager's: no definition says anything of them. */
const ownTables = /^(__|tidesql_internal__)/i;
/** Other names are written differently in a folder's name. */
const plainFolder = /^\w+$/;

/** The folder of a table, which holds its files, in the volume and in the bucket. */
export function tableFolder(database: string, table: string): string {
  return `${database}__${table}`;
}

/** The folder that a file is in; undefined for what belongs to no table. */
export function folderOf(name: string): string | undefined {
  return name.includes("/") ? name.slice(0, name.indexOf("/")) : undefined;
}

/** The folders that files are in, each once. */
export function foldersOf(names: Iterable<string>): string[] {
  return [...new Set([...names].map(folderOf).filter(folder => folder !== undefined))];
}

/**
 * Folders of tables that were dropped: a node that followed keeps them, and a replica that starts in that very moment brings them back to the bucket. Nobody can read them.
 * @param folders of files
 * @param tables the folders of all tables that there are; each may have others beside it, of its indexes
 */
export function orphans(folders: Iterable<string>, tables: readonly string[]): Set<string> {
  const known = tables.map(table => table.toLowerCase());
  const isOrphan = (folder: string) =>
    plainFolder.test(folder) && !ownTables.test(folder) && !known.some(table => folder.toLowerCase().startsWith(table));
  return new Set([...folders].filter(isOrphan));
}

/** Whether it is this follower's turn to be re-seeded: all others follow, so that they could take over, and none with a lower name is due as well. */
export function isNextToBeginAnew(
  pod: string,
  primary: string | undefined,
  peers: readonly PeerStatus[],
  nodes: number,
): boolean {
  const others = peers.filter(peer => peer.pod !== primary);
  const isThere = others.length === nodes - 2 && others.every(({ following }) => following === "following");
  return isThere && !others.some(peer => peer.mustBeginAnew && peer.pod < pod);
}
