import { Level, resourceCheck } from "../check";
import { anyType, ofAwsKind } from "../model/aws";

const isLoadBalancer = ofAwsKind("lb:LoadBalancer", "alb:LoadBalancer");

/** Load balancers that a program makes itself, beside those that Kubernetes makes. */
export const loadBalancerChecks = [
  resourceCheck({
    id: "cluster-load-balancer-deletion",
    description: "A load balancer of any program cannot be deleted by one call.",
    why: "Its address is gone with it, and with that every client's connection.",
    fix: "enableDeletionProtection: true",
    level: Level.advisory,
    development: { level: Level.disabled },
    applies: isLoadBalancer,
    *evaluate(balancer) {
      if (balancer.at("enableDeletionProtection").flag === true) return;
      yield { path: "enableDeletionProtection", message: "The load balancer can be deleted by one call." };
    },
  }),

  resourceCheck({
    id: "cluster-load-balancer-logs",
    description: "A load balancer of any program logs who connects.",
    why: "It is the only place that sees where clients come from.",
    fix: "accessLogs: { bucket: <a log bucket>, enabled: true }",
    level: Level.advisory,
    development: { level: Level.disabled },
    applies: anyType(isLoadBalancer, ofAwsKind("elb:LoadBalancer")),
    *evaluate(balancer) {
      const logs = balancer.at("accessLogs");
      const isOn = logs.at("enabled").flag ?? (logs.isPresent && ofAwsKind("elb:LoadBalancer")(balancer.resource.type));
      if (!isOn) yield { path: "accessLogs", message: "Connections are not logged." };
    },
  }),
];
