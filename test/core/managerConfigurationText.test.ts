import assert from "node:assert/strict";
import {
  managerConfigurationText,
  ManagerConfigurationBody,
  parseNodes,
} from "../../components/core/managerConfigurationText";
import { configuration as managerConfiguration } from "../manager/views";

describe("manager.json", () => {
  const { databaseId: _id, nodes: _nodes, ...body } = managerConfiguration;
  const configuration: ManagerConfigurationBody = { ...body, databases: ["b", "a"] };

  it("says what it was given, lists in their order", () => {
    assert.deepEqual(JSON.parse(managerConfigurationText(configuration)), configuration);
  });

  it("does not change with the order in which it was put together", () => {
    const reversed = Object.fromEntries(Object.entries(configuration).reverse()) as unknown as ManagerConfigurationBody;
    assert.equal(managerConfigurationText(reversed), managerConfigurationText(configuration));
  });
});

describe("the number of nodes", () => {
  it("is a whole number from 1", () => {
    assert.equal(parseNodes("3"), 3);
    for (const text of ["", "0", "-1", "1.5", "three"]) assert.throws(() => parseNodes(text), /number of nodes/, text);
  });
});
