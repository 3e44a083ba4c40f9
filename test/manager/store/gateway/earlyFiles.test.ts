import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { Bucket } from "../../../../components/manager/store/bucket/bucket";
import { EarlyFiles } from "../../../../components/manager/store/gateway/earlyFiles";
import { FileRecord } from "../../../../components/manager/store/log/changes";
import { MemoryBucket } from "../memoryBucket";

describe("files on their way to a running engine", () => {
  let scratch: string;
  let objects: MemoryBucket;
  let now: number;
  let early: EarlyFiles;
  /** Fetches that were begun, and what lets them go on while they are held. */
  let begun: string[];
  let gates: (() => void)[];
  let isHeld: boolean;
  let come: number;
  const warnings: string[] = [];

  beforeEach(() => {
    scratch = mkdtempSync(join(tmpdir(), "early-"));
    objects = new MemoryBucket();
    [now, begun, gates, isHeld, come] = [0, [], [], false, 0];
    warnings.length = 0;
    const bucket: Bucket = Object.assign(Object.create(objects) as MemoryBucket, {
      getFile: async (key: string, path: string) => {
        begun.push(key);
        if (isHeld) await new Promise<void>(resolve => gates.push(resolve));
        const sum = await objects.getFile(key, path);
        come++;
        return sum;
      },
    });
    early = new EarlyFiles({
      bucket,
      clock: { now: () => now, wall: () => 0, sleep: () => Promise.resolve() },
      scratch,
      warn: message => warnings.push(message),
    });
  });
  afterEach(() => rmSync(scratch, { recursive: true }));

  async function file(key: string, size?: number): Promise<FileRecord> {
    const content = Buffer.from(`content of ${key}`);
    await objects.create(key, content);
    return { key, size: size ?? content.length, crc32: crc32(content) };
  }
  async function until(holds: () => boolean): Promise<void> {
    for (let turn = 0; !holds(); turn++) {
      if (turn > 100_000) assert.fail("it did not come to pass");
      await new Promise(setImmediate);
    }
  }
  /** Lets every fetch end that has begun. */
  const arrive = () => gates.splice(0).forEach(go => go());
  const lying = () => readdirSync(scratch).length;
  const read = (path: string | undefined) => path && readFileSync(path, "utf8");

  it("come before the engine asks, some at once, and each once", async () => {
    isHeld = true;
    const files = await Promise.all(["a", "b", "c", "d", "e"].map(key => file(key)));
    early.add(files);
    early.add(files);
    assert.deepEqual(begun, ["a", "b", "c", "d"]);
    const taken = early.take(files[1]!);
    arrive();
    assert.equal(read(await taken), "content of b");
    await until(() => begun.length === 5);
    arrive();
    assert.equal(read(await early.take(files[4]!)), "content of e");
    assert.deepEqual(begun, ["a", "b", "c", "d", "e"], "what was there is not fetched again");
  });

  it("are fetched when the engine asks, where none was or that failed", async () => {
    assert.equal(read(await early.take(await file("unknown"))), "content of unknown");
    const failing = await file("failing");
    objects.fate = operation => (operation === "getFile" ? "fails" : "works");
    early.add([failing]);
    await assert.rejects(early.take(failing));
    objects.fate = () => "works";
    assert.equal(read(await early.take(failing)), "content of failing");
    assert.deepEqual(begun, ["unknown", "failing", "failing", "failing"]);
  });

  it("are not given where they are not what the log says, and leave nothing", async () => {
    assert.equal(await early.take({ ...(await file("wrong")), crc32: 1 }), undefined);
    assert.equal(lying(), 0);
    assert.deepEqual(warnings, ["an object does not match the log's record of it"]);
  });

  it("are bounded, and what nobody has asked for goes", async () => {
    const large = 100 * 1024 * 1024;
    const [first, second, third] = [
      await file("first", large),
      await file("second", large),
      await file("third", large),
    ];
    early.add([first, second]);
    assert.deepEqual(begun, ["first"], "the second one waits until it is asked for");
    await until(() => lying() === 1);
    now = 61_000;
    isHeld = true;
    early.add([third]);
    assert.deepEqual(begun, ["first", "third"]);
    await until(() => lying() === 0);
    early.end();
    arrive();
    await until(() => come === 2 && lying() === 0);
    early.add([first]);
    assert.equal(begun.length, 2, "the engine is gone");
  });
});
