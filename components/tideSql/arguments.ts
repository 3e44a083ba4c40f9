import * as pulumi from "@pulumi/pulumi";
import { ClusterArgs, ClusterTransforms } from "../cluster/arguments";
import { DatabaseSettingsArgs } from "../database/arguments";
import { DatabaseTransforms } from "../database/transforms";
import { ImageArgs, ImageTransforms } from "../image/arguments";
import { ManagerBundle } from "../managerBundle";
import { NetworkArgs, NetworkTransforms } from "../network/arguments";
import { ObjectStoreArgs, ObjectStoreTransforms } from "../objectStore/arguments";

/**
 * Arguments of {@link TideSql}: those of the database, and for each part either how to create it or what already exists. What one part needs from another is filled in.
 */
export interface TideSqlArgs extends DatabaseSettingsArgs {
  /** AWS region, like `us-east-1`. Required unless cluster, object store and image all exist. */
  region?: string;
  /** EC2 instance type of the database's nodes; the pods are sized by it. Default `m5.large`; for an existing cluster none, and the pods are sized by `sizing`. */
  instanceType?: string;
  /** Default: a VPC over three zones with one NAT gateway. Not needed for an existing cluster. */
  network?: NetworkArgs;
  /**
   * Default: an EKS cluster of the component's name, whose API is reached from its VPC only. With a network that is made here, say in `publicAccessCidrs` from where this program reaches it, or `[]` once it runs
   * inside the network.
   */
  cluster?: ClusterArgs;
  /** Default: a bucket, and a key that works from the VPC only. */
  objectStore?: ObjectStoreArgs;
  /** Default: built from source for the nodes' processors, which takes 20 to 40 minutes where Pulumi runs. Set `existing` to use one that was built before. */
  image?: ImageArgs;
  /** The deployment's folder in the bucket; ends with `/`. Default: the component's name. Each database needs its own. */
  objectStorePrefix?: string;
  /**
   * Protects what holds data or cannot be created again from deletion: the bucket and its guards, the control plane, the data's identity, the authority's key. `cluster.deletionProtection` and
   * `objectStore.deletionProtection` follow it unless they say otherwise. Default true; set it to false, run `pulumi up`, and only then `pulumi destroy` (docs/takedown.md).
   */
  deletionProtection?: boolean;
  /** Tags of every AWS resource. At most 40; no name begins with `aws:`. Default: none. */
  tags?: Record<string, string>;
}

/** The transforms of each part. */
export interface TideSqlTransforms {
  /** Of the network's children. */
  network?: NetworkTransforms;
  /** Of the cluster's. */
  cluster?: ClusterTransforms;
  /** Of the bucket's. */
  objectStore?: ObjectStoreTransforms;
  /** Of the image's. */
  image?: ImageTransforms;
  /** Of the database's. */
  database?: DatabaseTransforms;
}

/** Options of {@link TideSql}. `providers` reach every part: `aws`, `docker`, and `kubernetes` for an existing cluster. */
export interface TideSqlOptions extends pulumi.ComponentResourceOptions {
  /** Changes a child of a part before it is registered. */
  transform?: TideSqlTransforms;
  /** A manager that was built elsewhere. Default: the one in this package. */
  managerBundle?: ManagerBundle;
}
