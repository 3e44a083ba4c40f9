import { bucket } from "./bucket";
import { type Check } from "./check";
import { cluster } from "./cluster";
import { correctness } from "./correctness";
import { cost } from "./cost";
import { replicaCounts } from "./replicaCounts";
import { secrets } from "./secrets";
import { tls } from "./tls";
import { workloads } from "./workloads";

/** The pack, in the order of the documentation. */
export const checks: readonly Check[] = [
  ...replicaCounts,
  ...tls,
  ...secrets,
  ...correctness,
  ...bucket,
  ...cluster,
  ...workloads,
  ...cost,
];
