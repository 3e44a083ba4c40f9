import * as pulumi from "@pulumi/pulumi";
import { NetworkTransforms } from "./arguments";

/** What every child of a Network is registered with. */
export interface Surroundings {
  parent: pulumi.ComponentResource;
  /** The component's name: the beginning of each child's. */
  name: string;
  region: string;
  tags: Record<string, string>;
  transform: NetworkTransforms;
}
