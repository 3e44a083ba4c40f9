import * as pulumi from "@pulumi/pulumi";
import { ClusterTransforms } from "./arguments";
import { ClusterPlan } from "./defaults";

/** What every child of a Cluster is registered with. */
export interface Surroundings {
  parent: pulumi.ComponentResource;
  /** The component's name: the beginning of each child's. */
  name: string;
  plan: ClusterPlan;
  transform: ClusterTransforms;
}
