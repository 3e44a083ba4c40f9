import { type Field, NotYetKnown } from "./field";
import { filesOf, type Mount, mountsOf, outsideTheProgram, type ObjectFile, sourcesOf } from "./mounts";
import { managerFile } from "./managerFile";
import { isOptionFileName } from "./optionFile";
import { type Stack } from "./stack";

/** A file of a ConfigMap or Secret where a container sees it. */
export interface MountedFile extends ObjectFile {
  /** Absolute path in the container. */
  path: string;
}

/** The files that a container reads from ConfigMaps and Secrets. */
export interface MountedFiles {
  list: MountedFile[];
  /** Set when options may stand in an object that is not part of the program. */
  hidden?: NotYetKnown;
}

/** The files in the volumes that a container mounts. */
export function mountedFiles(workload: Field, container: Field, stack: Stack): MountedFiles {
  const list: MountedFile[] = [];
  let hidden: NotYetKnown | undefined;
  const read = (isSecret: boolean, mount: Mount, files: () => void) => {
    try {
      files();
    } catch (error) {
      if (!(error instanceof NotYetKnown)) throw error;
      if (!isSecret || holdsOptions(mount)) hidden ??= error;
    }
  };
  const given = wordsOf(container);
  for (const mount of mountsOf(workload, container)) {
    const { volume, kind } = mount;
    if (!volume) continue;
    read(kind === "secret", mount, () => {
      for (const source of sourcesOf(workload, volume, stack)) {
        read(source.kind === "Secret", mount, () => {
          if (!source.object) throw outsideTheProgram(source);
          for (const { file, path } of placed(filesOf(source.object), mount, source.items)) {
            const { name, content } = file;
            if (content.firstUnknown === undefined || mayHoldOptions(name, path, given)) {
              read(source.kind === "Secret", mount, () => list.push({ name, content, path, text: file.text }));
            }
          }
        });
      }
    });
  }
  return { list, hidden };
}

/** Whether the server or the manager may read options from a file that is not known yet: by its name, or since a command names it. Another value, such as an identity, says nothing about options. */
function mayHoldOptions(name: string, path: string, given: readonly string[]): boolean {
  return (
    name === managerFile || isOptionFileName(name) || isOptionFileName(path) || given.some(text => text.includes(path))
  );
}

/** The words of a container's command that are known. */
function wordsOf(container: Field): string[] {
  return ["command", "args"]
    .flatMap(input => container.at(input).items)
    .flatMap(word => (word.firstUnknown ? [] : (word.text ?? [])));
}

/** A Secret whose entries are not seen matters only where it is mounted as an option file. */
function holdsOptions(mount: Mount): boolean {
  return /\.cnf$|\/mysql(\/|$)/.test(mount.subPath ?? mount.path);
}

/** The files of an object at their paths: all of them, those that the volume lists, or the one that is mounted by itself. */
function placed(
  files: readonly ObjectFile[],
  { path, subPath }: Mount,
  items: Field[],
): { file: ObjectFile; path: string }[] {
  return files.flatMap(file => {
    const item = items.find(candidate => candidate.at("key").text === file.name);
    if (items.length > 0 && !item) return [];
    const inVolume = item?.at("path").text ?? file.name;
    if (subPath !== undefined && subPath !== inVolume) return [];
    const at = subPath === undefined ? `${path}/${inVolume}` : path;
    return [{ file, path: at }];
  });
}
