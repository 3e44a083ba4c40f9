import { Bucket, FileSum } from "../../components/manager/store/bucket/bucket";
import { openPast } from "../../components/manager/store/log/past";
import { align } from "../../components/manager/store/volume/align";
import { VolumeBook } from "../../components/manager/store/volume/book";
import { crc32 } from "node:zlib";
import { EngineModel } from "./engine";
import { mount, SimulatedVolume } from "./volume";
import type { World } from "./world";

/** Opens the database at a position, as if the log ended there, with the code that opens a volume. @returns how it differs from what the commits alone say */
export async function howPastDiffers(world: World, position: number): Promise<string | undefined> {
  const { judge, random } = world;
  const root = `/simulated/${world.number}-past`;
  const volume = new SimulatedVolume();
  const unmount = mount(root, { volume, pass: () => Promise.resolve(), first: () => true });
  try {
    const bucket = directBucket(world, volume);
    const { state } = await openPast(bucket, { position }, `${root}/scratch`);
    const directory = `${root}/data`;
    await align(bucket, state, directory, await VolumeBook.open(`${root}/book`), { sleep: () => Promise.resolve() });
    const engine = EngineModel.open({
      volume,
      directory,
      random,
      partBytes: Infinity,
      ask: () => Promise.reject(new Error("it is only read")),
      within: () => Promise.resolve(undefined),
      sleep: () => Promise.resolve(),
    });
    return difference(engine, judge.rowsAt(position), `at position ${position} of ${judge.position}`);
  } finally {
    unmount();
  }
}

/** How what an engine shows differs from what is expected, by scan and by point reads. */
export function difference(engine: EngineModel, expected: Map<string, string>, where: string): string | undefined {
  const shown = engine.scan();
  const read = new Map<string, (key: string) => string | undefined>();
  const wrong = (row: string, right: string | undefined) => {
    const slash = row.indexOf("/");
    const [table, key] = [row.slice(0, slash), row.slice(slash + 1)];
    if (!read.has(table)) read.set(table, engine.points(table));
    const [scanned, point] = [shown.get(row), read.get(table)!(key)];
    return scanned === right && point === right
      ? undefined
      : `${where}: ${row} is ${scanned} by scan and ${point} by point read, the log says ${right}`;
  };
  for (const [row, right] of expected) {
    const found = wrong(row, right);
    if (found) return found;
  }
  for (const row of shown.keys()) if (!expected.has(row)) return wrong(row, undefined);
  return undefined;
}

/** The bucket as it is, without a network. */
function directBucket({ objects }: World, volume: SimulatedVolume): Bucket {
  const sumOf = (content: Buffer): FileSum => ({ size: content.length, crc32: crc32(content) });
  const never = () => Promise.reject(new Error("nothing is written"));
  return {
    get: key => Promise.resolve(objects.get(key)),
    getFile: (key, path) => {
      const content = objects.get(key)?.content;
      if (content) volume.write(path, content);
      return Promise.resolve(content && sumOf(content));
    },
    list: (folder, after, limit) => Promise.resolve(objects.list(folder, after, limit)),
    create: never,
    replace: never,
    putFile: never,
    delete: never,
  };
}
