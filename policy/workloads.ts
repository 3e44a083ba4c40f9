import { clusterObjectChecks } from "./clusterObjects";
import { clusterRightsChecks } from "./clusterRights";
import { routeChecks } from "./routes";
import { inMebibytes } from "../components/core/quantities";
import { type Finding, Group, group, Level, resourceCheck, stackCheck } from "./check";
import { databaseCheck, optionFinding } from "./databaseCheck";
import { databaseOf } from "./model/database";
import { isInternal, isLimited, offersDatabase, portNamesOf } from "./model/exposure";
import { anyOf, type Field, forEach } from "./model/field";
import { moves, tagOf } from "./model/image";
import {
  allContainers,
  containerName,
  isLongRunning,
  isWorkload,
  longRunningContainers,
  ofKind,
  podSpec,
  runsPods,
} from "./model/kubernetes";
import { guardsOf, openRule } from "./model/networkPolicy";
import { restrictedFindings } from "./model/podSecurity";
import { kubernetesBytes, mariadbBytes } from "./model/quantity";

/** Requests and limits that every container needs. A limit on CPU is left out on purpose: it throttles where there is no need. */
const neededResources = [
  ["requests", "cpu"],
  ["requests", "memory"],
  ["limits", "memory"],
] as const;

function* probeFindings(container: Field): Generator<Finding> {
  for (const probe of ["readinessProbe", "livenessProbe"]) {
    const field = container.at(probe);
    if (!field.isPresent) {
      const message = `Container ${containerName(container)} has no ${probe}.`;
      yield { path: field.path, message, wayOut: `${probe}: { httpGet: { path, port } }` };
    } else if (/mariadb-admin|mysqladmin/.test(field.at("exec", "command").textList.join(" "))) {
      const message = `The ${probe} of ${containerName(container)} asks with \`ping\`, which succeeds even when access is denied.`;
      yield { path: field.path, message, wayOut: `a ${probe} that runs a query, or that asks the manager` };
    }
  }
}

/** How pods run: with which rights, which resources, and who may connect to them. */
export const workloads = group(Group.workloads, [
  resourceCheck({
    id: "workloads-pod-security",
    description: 'Pods keep to the "restricted" Pod Security Standard.',
    why: "A process that breaks out of such a container has no privileges on the node.",
    fix: 'securityContext: { runAsNonRoot: true, runAsUser: <one that may write its volumes, not 0>, allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] }, seccompProfile: { type: "RuntimeDefault" } }',
    level: Level.mandatory,
    development: { level: Level.advisory },
    applies: isWorkload,
    evaluate: restrictedFindings,
    repair: workload =>
      allContainers(workload)
        .map(container => container.at("securityContext", "allowPrivilegeEscalation"))
        .filter(field => !field.firstUnknown && field.flag !== false && field.value !== true)
        .map(({ keys }) => ({ path: keys, value: false })),
  }),

  resourceCheck({
    id: "workloads-read-only-root",
    description: "Containers have a read-only root file system.",
    why: "An attacker cannot leave a program behind, and nothing is written beside the volumes by mistake.",
    fix: "securityContext: { readOnlyRootFilesystem: true }, and an emptyDir where it must write",
    level: Level.advisory,
    development: { level: Level.disabled },
    applies: isWorkload,
    *evaluate(workload) {
      yield* forEach(allContainers(workload), function* (container) {
        const field = container.at("securityContext", "readOnlyRootFilesystem");
        if (field.flag === true) return;
        yield {
          path: field.path,
          message: `Container ${containerName(container)} may write to its image's file system.`,
        };
      });
    },
  }),

  resourceCheck({
    id: "workloads-resources",
    description: "Containers have requests for CPU and memory, and a limit on memory.",
    why: "Without requests a node fills up until the kernel kills a process; without a limit that may be a neighbour's.",
    fix: "resources: { requests: { cpu, memory }, limits: { memory } }, with what this container was seen to use",
    level: Level.mandatory,
    development: { level: Level.advisory },
    applies: isWorkload,
    *evaluate(workload) {
      yield* forEach(allContainers(workload), function* (container) {
        const resources = container.at("resources");
        const missing = neededResources.filter(([kind, name]) => !resources.at(kind, name).isPresent);
        if (missing.length === 0) return;
        yield {
          path: resources.path,
          message: `Container ${containerName(container)} lacks ${missing.map(path => path.join(".")).join(", ")}.`,
        };
      });
    },
  }),

  databaseCheck({
    id: "workloads-engine-memory",
    description: "The engine is told how much memory its container has.",
    why: "It sizes its caches from the machine's memory: in a smaller container they grow until the kernel kills the server.",
    fix: "tidesdb_max_memory_usage=<about three quarters of resources.limits.memory>",
    level: Level.mandatory,
    development: { level: Level.advisory },
    *evaluateDatabase(database) {
      const limit = database.container.at("resources", "limits", "memory");
      const setting = database.settings.get("tidesdb_max_memory_usage");
      const limitBytes = kubernetesBytes(limit.text ?? "");
      const engineBytes = mariadbBytes(setting?.value ?? "") ?? 0;
      if (engineBytes === 0) {
        yield optionFinding(
          database,
          setting,
          "The engine takes its share of the machine's memory, not of the container's.",
        );
      } else if (limitBytes === undefined) {
        yield {
          path: limit.path,
          message: "The container has no limit on memory.",
          wayOut: "resources: { limits: { memory } }, and tidesdb_max_memory_usage of about three quarters of it",
        };
      } else if (engineBytes > limitBytes) {
        const message = `The engine may take ${inMebibytes(engineBytes)}, and the container has ${inMebibytes(limitBytes)}.`;
        yield optionFinding(database, setting, message);
      }
    },
  }),

  resourceCheck({
    id: "workloads-image-tag",
    description: "No image is named by a tag that moves.",
    why: "Two pods of one workload then run different programs, and nobody can tell which.",
    fix: "image: <repository>@sha256:<digest>, or a tag with a version",
    level: Level.mandatory,
    development: { level: Level.advisory },
    applies: isWorkload,
    *evaluate(workload) {
      yield* forEach(allContainers(workload), function* (container) {
        const image = container.at("image");
        if (!moves(image.text ?? "")) return;
        yield {
          path: image.path,
          message: `Container ${containerName(container)} runs ${tagOf(image.text ?? "") ?? "an untagged image"}.`,
        };
      });
    },
  }),

  resourceCheck({
    id: "workloads-probes",
    description: "Long-running containers have probes that tell the truth.",
    why: "Without readiness a Service sends connections to a server that is still starting; without liveness one that hangs stays.",
    fix: "a readinessProbe and a livenessProbe that ask the manager (/readyz, /healthz) or run a query",
    level: Level.advisory,
    applies: isLongRunning,
    *evaluate(workload) {
      yield* forEach(longRunningContainers(workload), probeFindings);
    },
  }),

  stackCheck({
    id: "workloads-network-policy",
    description: "A NetworkPolicy says who may connect to the pods.",
    why: "Without one every pod of the cluster may try passwords on the database.",
    fix: `a NetworkPolicy with podSelector: { matchLabels: <the pod's labels> }, policyTypes: ["Ingress"] and the peers that need it`,
    level: Level.mandatory,
    development: { level: Level.advisory },
    applies: isLongRunning,
    *evaluateInStack(workload, _given, stack) {
      if (!runsPods(workload)) return;
      const guards = guardsOf(workload, stack);
      if (guards.length === 0) yield { path: "", message: "No NetworkPolicy selects these pods." };
      const database = databaseOf(workload, stack);
      if (!database) return;
      for (const guard of guards) {
        const rule = openRule(guard, portNamesOf(database.container));
        if (!rule) continue;
        yield {
          path: "",
          message: `NetworkPolicy ${guard.resource.name} (${rule.path}) lets everyone connect to the database.`,
          wayOut: "from: [{ podSelector: { matchLabels: <the clients' labels> } }] in this rule",
        };
      }
    },
  }),

  databaseCheck({
    id: "workloads-priority",
    description: "Database pods have a priority class.",
    why: "When a node is short of memory or room, pods without one go first.",
    fix: "priorityClassName: <a class above the default>",
    level: Level.advisory,
    development: { level: Level.disabled },
    *evaluateDatabase({ workload }) {
      const field = podSpec(workload).at("priorityClassName");
      if (field.isPresent) return;
      yield {
        path: field.path,
        message: "The pods have no priority class.",
      };
    },
  }),

  resourceCheck({
    id: "workloads-service-account",
    description: "Pods have a service account of their own, or no token.",
    why: "The default account is shared: a right that one pod needs, all pods of the namespace get.",
    fix: "serviceAccountName: <one of its own>, or automountServiceAccountToken: false",
    level: Level.advisory,
    development: { level: Level.disabled },
    applies: isWorkload,
    *evaluate(workload) {
      if (!runsPods(workload)) return;
      const spec = podSpec(workload);
      const account = spec.at("serviceAccountName");
      const isOwn = account.isPresent && account.text !== "default";
      if (isOwn || spec.at("automountServiceAccountToken").flag === false) return;
      yield {
        path: account.path,
        message: "The pods carry a token of the namespace's default account.",
      };
    },
  }),

  stackCheck({
    id: "workloads-exposed-service",
    description: "MySQL's port is not offered to the internet.",
    why: "A public MySQL port is found and attacked within minutes.",
    fix: 'annotations: { "service.beta.kubernetes.io/aws-load-balancer-scheme": "internal" }, or loadBalancerSourceRanges',
    level: Level.mandatory,
    applies: ofKind("Service"),
    *evaluateInStack(service, _given, stack) {
      const type = service.at("spec", "type");
      const addresses = service.at("spec", "externalIPs");
      const isOutside = type.text === "NodePort" || (type.text === "LoadBalancer" && !isLimited(service));
      const isOpen = isOutside && !isInternal(service.at("metadata", "annotations"));
      if (!isOpen && addresses.textList.length === 0) return;
      if (!offersDatabase(service, stack)) return;
      if (isOpen) {
        yield { path: type.path, message: `MySQL's port is offered outside the cluster through a ${type.text}.` };
      }
      if (addresses.textList.length > 0) {
        yield {
          path: addresses.path,
          message: "MySQL's port is offered at addresses of the nodes' network (externalIPs).",
          wayOut: "no spec.externalIPs: a Service of type ClusterIP, or an internal load balancer",
        };
      }
    },
  }),

  stackCheck({
    id: "workloads-namespace",
    description: "A database's namespace enforces a Pod Security Standard.",
    why: "The namespace refuses a privileged pod beside the database, no matter who creates it.",
    fix: 'labels: { "pod-security.kubernetes.io/enforce": "restricted" }',
    level: Level.advisory,
    development: { level: Level.disabled },
    applies: ofKind("Namespace"),
    *evaluateInStack(namespace, _given, stack) {
      const name = namespace.at("metadata", "name");
      const isHome = anyOf(
        stack.where(isLongRunning),
        workload =>
          workload.at("metadata", "namespace").text === name.text && databaseOf(workload, stack) !== undefined,
      );
      const label = namespace.at("metadata", "labels", "pod-security.kubernetes.io/enforce");
      if (!isHome || /^(restricted|baseline)$/.test(label.text ?? "")) return;
      yield {
        path: label.path,
        message: "The namespace enforces no Pod Security Standard.",
      };
    },
  }),
  ...clusterObjectChecks,
  ...clusterRightsChecks,
  ...routeChecks,
]);
