import assert from "node:assert/strict";
import { ManagerConfiguration } from "../../components/core/managerConfiguration";
import { managerConfigurationText } from "../../components/core/managerConfigurationText";
import { configuration as managerConfiguration } from "../manager/views";

describe("manager.json", () => {
  const configuration: ManagerConfiguration = { ...managerConfiguration, databases: ["b", "a"] };

  it("says what it was given, lists in their order", () => {
    assert.deepEqual(JSON.parse(managerConfigurationText(configuration)), configuration);
  });

  it("does not change with the order in which it was put together", () => {
    const reversed = Object.fromEntries(Object.entries(configuration).reverse()) as unknown as ManagerConfiguration;
    assert.equal(managerConfigurationText(reversed), managerConfigurationText(configuration));
  });
});
