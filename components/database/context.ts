import * as pulumi from "@pulumi/pulumi";
import { DatabaseSettings } from "./settings";
import { DatabaseTransforms } from "./transforms";

/** What the parts of one Database share. */
export interface DatabaseContext {
  /** The component's name; children are `<name>-x`. */
  name: string;
  settings: DatabaseSettings;
  transform: DatabaseTransforms;
  /** Options of what is in the namespace, which comes first. */
  inside: pulumi.CustomResourceOptions;
  /** Options of what is not: keys, passwords, cluster-wide objects. */
  outside: pulumi.CustomResourceOptions;
}
