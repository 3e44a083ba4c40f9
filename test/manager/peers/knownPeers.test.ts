import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { configurationFiles } from "../../../components/manager/base/configurationFiles";
import { configuredPeers, KnownPeers } from "../../../components/manager/peers/knownPeers";
import { PodRecord } from "../../../components/manager/base/ports";
import { managerConfigurationText } from "../../../components/core/managerConfigurationText";
import { podLayout } from "../../../components/core/podLayout";
import { configuration } from "../views";

const podNamed = (name: string) => ({ name }) as PodRecord;

describe("the number of nodes", () => {
  const { databaseId, nodes: _nodes, ...body } = configuration;
  const files: Record<string, string> = {
    [podLayout.managerConfiguration]: managerConfigurationText(body),
    [podLayout.databaseId]: databaseId,
    [podLayout.nodes]: "3",
  };
  const mounted = (logged: string[] = []) => {
    const present = { ...files };
    const read = (file: string) => {
      const text = present[file];
      if (text === undefined) throw new Error(`${file} is missing`);
      return text;
    };
    return { present, read, log: (_level: string, message: string) => void logged.push(message) };
  };

  it("is read with the rest", () => {
    const { read, log } = mounted();
    assert.deepEqual({ ...configurationFiles(log, read) }, { ...configuration, nodes: 3 });
  });

  it("follows its file while the manager runs", () => {
    const { present, read, log } = mounted();
    const read3 = configurationFiles(log, read);
    assert.deepEqual(configuredPeers(read3, `${read3.name}-0`), [`${read3.name}-1`, `${read3.name}-2`]);
    present[podLayout.nodes] = "2";
    assert.deepEqual(configuredPeers(read3, `${read3.name}-0`), [`${read3.name}-1`]);
  });

  it("stays what it was while its file cannot be read", () => {
    const logged: string[] = [];
    const { present, read, log } = mounted(logged);
    const found = configurationFiles(log, read);
    for (const text of ["", "0", "many"]) {
      present[podLayout.nodes] = text;
      assert.equal(found.nodes, 3);
    }
    assert.equal(logged.filter(message => message.includes("could not be read")).length, 3);
  });

  it("has to be there at the start, like the identity", () => {
    for (const file of [podLayout.nodes, podLayout.databaseId]) {
      const { present, read, log } = mounted();
      present[file] = "";
      assert.throws(() => configurationFiles(log, read), file);
    }
  });
});

describe("the peers that confirm a primary", () => {
  const database = { name: "orders", nodes: 2 };

  it("are those that are configured, and one that has joined before this pod has heard of it", () => {
    const peers = new KnownPeers(database, "orders-0");
    assert.deepEqual(peers.names(), ["orders-1"]);
    peers.join("orders-0");
    peers.join("");
    peers.join("orders-2");
    assert.deepEqual(peers.names(), ["orders-1", "orders-2"]);
    peers.sawPods([podNamed("orders-0"), podNamed("orders-1"), podNamed("orders-2")]);
    assert.deepEqual(peers.names(), ["orders-1", "orders-2"]);
  });

  it("are one fewer once the last is configured away and gone, not before", () => {
    const scaled = { name: "orders", nodes: 3 };
    const peers = new KnownPeers(scaled, "orders-0");
    peers.join("orders-2");
    scaled.nodes = 2;
    peers.sawPods([podNamed("orders-0"), podNamed("orders-1"), podNamed("orders-2")]);
    assert.deepEqual(peers.names(), ["orders-1", "orders-2"]);
    peers.sawPods([podNamed("orders-0"), podNamed("orders-1")]);
    assert.deepEqual(peers.names(), ["orders-1"]);
  });

  it("are never fewer than configured, whatever the API server lists", () => {
    const peers = new KnownPeers({ name: "orders", nodes: 3 }, "orders-0");
    peers.join("orders-1");
    peers.sawPods([]);
    assert.deepEqual(peers.names(), ["orders-1", "orders-2"]);
  });
});
