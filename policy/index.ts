import { Pack } from "./pack";
import { version } from "./package.json";
import { serve } from "./server";

/** What `pulumi up --policy-pack policy` starts: the server that Pulumi asks about each resource. It reads the port from the first line. Nothing else may import this file. */
void serve(new Pack(), {
  name: "tidesql",
  version,
  description:
    "Rules for TideSQL on Kubernetes and AWS: replica counts, TLS, secrets, correctness, bucket, cluster, workloads, cost.",
}).then(port => console.log(String(port)));
