import { notYetKnown } from "../../policy/model/resource";
import { describePolicy } from "./describePolicy";
import { goodCluster } from "./goodProgram";
import { changed, resource, set, without } from "./program";

describe("cost", () => {
  describePolicy("cost-nat-for-s3", {
    passes: [goodCluster, changed(goodCluster, without("nat", "s3-endpoint"))],
    fails: {
      program: changed(goodCluster, without("s3-endpoint")),
      resource: "network",
      says: /crosses a NAT gateway/,
    },
    unknown: changed(goodCluster, set("s3-endpoint", "serviceName", notYetKnown)),
    handWritten: {
      program: changed(goodCluster, set("s3-endpoint", "vpcEndpointType", "Interface")),
      resource: "network",
      says: /crosses a NAT gateway/,
    },
  });

  describePolicy("cost-extended-support", {
    passes: [goodCluster],
    fails: {
      program: changed(goodCluster, set("platform", "upgradePolicy", undefined)),
      resource: "platform",
      says: /extended support/,
    },
    unknown: changed(goodCluster, set("platform", "upgradePolicy.supportType", notYetKnown)),
    handWritten: {
      program: [resource("eks:index:Cluster", "tutorial", { upgradePolicy: { supportType: "EXTENDED" } })],
      resource: "tutorial",
      says: /extended support/,
    },
  });

  describePolicy("cost-instance-store-unused", {
    passes: [
      goodCluster,
      changed(goodCluster, set("database-nodes", "instanceTypes", ["m7g.large"]), set("nodes", "userData", undefined)),
    ],
    fails: {
      program: changed(goodCluster, set("nodes", "userData", undefined)),
      resource: "database-nodes",
      says: /NVMe disks of m8gd.large/,
    },
    unknown: changed(goodCluster, set("nodes", "userData", notYetKnown)),
    handWritten: {
      program: [
        resource("eks:index:NodeGroupV2", "fast", {
          instanceType: "i4i.xlarge",
          nodeUserData: "#!/bin/sh\necho hello\n",
        }),
      ],
      resource: "fast",
      says: /NVMe disks of i4i.xlarge/,
    },
  });
});
