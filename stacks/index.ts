import * as pulumi from "@pulumi/pulumi";
import { refusal } from "../components/refuse";
import { awsStack } from "./aws";
import { kubernetesStack } from "./kubernetes";
import { Settings } from "./settings";

/** One program for each value of `tidesql:topology`. */
const topologies: Record<string, (settings: Settings) => Record<string, pulumi.Input<unknown>>> = {
  aws: awsStack,
  kubernetes: kubernetesStack,
};

/** What `pulumi up` and `tidesql plan` run: the topology that the stack's configuration names. Its result is the stack's outputs. */
export = () => {
  const settings = new Settings("tidesql");
  const name = settings.text("topology");
  const topology = topologies[name];
  if (!topology) {
    const known = Object.keys(topologies).join(", ");
    throw refusal(`tidesql:topology is "${name}": write one of ${known}`);
  }
  return topology(settings);
};
