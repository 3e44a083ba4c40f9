import * as assert from "node:assert/strict";
import { describe, it } from "mocha";
import {
  definitionsFolder,
  definitionsTable,
  MergedDefinitions,
  missingCopies,
} from "../../components/manager/definitions";
import { Ports } from "../../components/manager/ports";

const objects = (...names: string[]) => names.map(key => ({ key, size: 1, etag: "" }));

describe("copies of the table of definitions", () => {
  it("are made of merged files, under the name that other nodes look for, values first", () => {
    const merged = objects(
      `${definitionsFolder}L1P0_7.klog`,
      `${definitionsFolder}L1P0_7.vlog`,
      `${definitionsFolder}MANIFEST`,
    );
    assert.deepEqual(missingCopies(merged), [
      { from: `${definitionsFolder}L1P0_7.vlog`, to: `${definitionsFolder}L1_7.vlog` },
      { from: `${definitionsFolder}L1P0_7.klog`, to: `${definitionsFolder}L1_7.klog` },
    ]);
  });

  it("are made once, and of nothing else", () => {
    const done = objects(
      `${definitionsFolder}L1P0_7.klog`,
      `${definitionsFolder}L1_7.klog`,
      `${definitionsFolder}L1_8.klog`,
    );
    assert.deepEqual(missingCopies(done), []);
    assert.deepEqual(missingCopies(objects("data/shop__orders/L1_7.klog", "data/uwal_7.log")), []);
  });

  it("are made again where the first was sent before the file was whole", () => {
    const [from, to] = [`${definitionsFolder}L1P0_7.klog`, `${definitionsFolder}L1_7.klog`];
    const half = [
      { key: from, size: 10, etag: "" },
      { key: to, size: 4, etag: "" },
    ];
    assert.deepEqual(missingCopies(half), [{ from, to }]);
  });

  it("are made of any table's files, should they be merged so", () => {
    assert.deepEqual(missingCopies(objects("data/shop__orders/L2P13_7.klog")), [
      { from: "data/shop__orders/L2P13_7.klog", to: "data/shop__orders/L2_7.klog" },
    ]);
  });
});

describe("a merged file of the table of definitions", () => {
  let written: ((name: string) => void) | undefined;
  let content: Buffer | undefined;
  let puts: [key: string, content: string][];
  let answer: () => void;
  let merged: MergedDefinitions;
  const file = `${definitionsTable}/L1P0_7.klog`;
  const settled = () => new Promise(resolve => setImmediate(resolve));

  beforeEach(() => {
    puts = [];
    content = Buffer.from("a");
    const ports = {
      volume: {
        watchDefinitions: (callback: (name: string) => void) => {
          written = callback;
          return () => (written = undefined);
        },
        readFile: () => Promise.resolve(content),
      },
      store: {
        put: (key: string, body: Buffer) => {
          puts.push([key, body.toString()]);
          return new Promise<void>(resolve => (answer = resolve));
        },
      },
      log: () => undefined,
    };
    merged = new MergedDefinitions(ports as unknown as Ports);
    merged.begin();
  });

  it("is sent at once under the name that other nodes look for", async () => {
    written?.(file);
    await settled();
    assert.deepEqual(puts, [[`${definitionsFolder}L1_7.klog`, "a"]]);
  });

  it("is sent again when it was written again meanwhile, once", async () => {
    written?.(file);
    await settled();
    content = Buffer.from("ab");
    written?.(file);
    written?.(file);
    answer();
    await settled();
    answer();
    await settled();
    assert.deepEqual(
      puts.map(([, body]) => body),
      ["a", "ab"],
    );
  });

  it("is nothing to send when it has gone, or under a name that others look for already", async () => {
    written?.(`${definitionsTable}/L1_8.klog`);
    content = undefined;
    written?.(file);
    await settled();
    assert.deepEqual(puts, []);
  });

  it("is looked for until the node is no primary any more", () => {
    merged.stop();
    assert.equal(written, undefined);
  });
});
