import { bucketTransportCheck } from "./bucket/transport";
import { Group, group, Level, resourceCheck, stackCheck } from "./check";
import { placeOf } from "./databaseCheck";
import { anyType, ofAwsKind } from "./model/aws";
import { type Database, databaseOf } from "./model/database";
import { anyOf, type Field, forEach, NotYetKnown } from "./model/field";
import { isLongRunning, ofKind, maySelect, podTemplate, sameNamespace } from "./model/kubernetes";
import { filesOf, mountHolding, sourcesOf } from "./model/mounts";
import { isOn } from "./model/serverOptions";
import { mysqlPort } from "./model/networkPolicy";
import { type Stack } from "./model/stack";

/** An endpoint that is spoken to in the clear: by its scheme, or by HTTP's port. */
function isPlainEndpoint(endpoint: string): boolean {
  return /^http:/i.test(endpoint) || /^[^/]*:80(?:\/|$)/.test(endpoint);
}

/** Whether a load balancer ends TLS at every port of its Service. Without a list of ports it does so at all of them. */
function endsTls(service: Field): boolean {
  const annotations = service.at("metadata", "annotations");
  if (!annotations.at("service.beta.kubernetes.io/aws-load-balancer-ssl-cert").isPresent) return false;
  const listed = (annotations.at("service.beta.kubernetes.io/aws-load-balancer-ssl-ports").text ?? "*").split(",");
  const names = listed.map(name => name.trim());
  if (names.includes("*")) return true;
  return service
    .at("spec", "ports")
    .items.every(port => [port.at("port").text, port.at("name").text].some(name => names.includes(name ?? "")));
}

/** Annotations by which controllers of Ingresses have a certificate from elsewhere, or no plain port: the AWS load balancer controller, GKE and Traefik. */
const tlsAnnotations: Readonly<Record<string, (value: string) => boolean>> = {
  "alb.ingress.kubernetes.io/certificate-arn": value => value !== "",
  "alb.ingress.kubernetes.io/listen-ports": value => value.includes("HTTPS") && !/HTTP\b/.test(value),
  "networking.gke.io/managed-certificates": value => value !== "",
  "ingress.gcp.kubernetes.io/pre-shared-cert": value => value !== "",
  "traefik.ingress.kubernetes.io/router.tls": value => /^true$/i.test(value),
};

/** Whether the controller of an Ingress ends TLS without a Secret: by an annotation, or as Caddy does, which gets certificates by itself. */
function controllerEndsTls(ingress: Field): boolean {
  const annotations = ingress.at("metadata", "annotations");
  const className = ingress.at("spec", "ingressClassName").text ?? annotations.at("kubernetes.io/ingress.class").text;
  const endsTls = Object.entries(tlsAnnotations).some(([name, says]) => says(annotations.at(name).text ?? ""));
  return endsTls || className === "caddy";
}

/** Whether the program behind a Service speaks TLS itself, as an ingress controller does: at every port, but for one of plain HTTP beside them, which redirects. */
function speaksTls(service: Field): boolean {
  const ports = service.at("spec", "ports").items;
  const isTls = (port: Field) =>
    [443, 6443, 8443, 9443].includes(port.at("port").number ?? 0) ||
    ["name", "appProtocol"].some(key => /https|tls|ssl|wss|grpcs/i.test(port.at(key).text ?? ""));
  const isHttp = (port: Field) => port.at("port").number === 80 || /^http\b/i.test(port.at("name").text ?? "");
  return ports.some(isTls) && ports.every(port => isTls(port) || isHttp(port) || port.at("protocol").text === "UDP");
}

/** Security policies of load balancers that begin at TLS 1.2 (Elastic Load Balancing, "Security policies"). */
const modernPolicy = /TLS13-1-[23]|TLS-1-2|FS-1-2/;

/** Names of files that hold a certificate. */
const certificateFile = /\.(crt|pem|cert)$/;

/** Whether a volume with a certificate is mounted where the server, or the manager that starts it, can read it. */
function mountsCertificate(database: Database, stack: Stack): boolean {
  const { workload, mounts, settings, runsManager } = database;
  const certificate = runsManager ? undefined : settings.text("ssl_cert");
  if (!runsManager && certificate === undefined) return false;
  const candidates = certificate === undefined ? mounts : [mountHolding(mounts, certificate)];
  return anyOf(candidates, mount => {
    if (!mount?.volume) return false;
    if (mount.kind === "csi") return true;
    return anyOf(sourcesOf(workload, mount.volume, stack), source => {
      if (source.kind !== "Secret") return false;
      // A Secret of which nothing is known yet counts by its name.
      const isSeen = source.object && !source.object.at("stringData").isUnknown && !source.object.at("data").isUnknown;
      if (source.object && isSeen) return filesOf(source.object).some(({ name }) => certificateFile.test(name));
      const isNamedAfterTls = /tls|ssl|cert/i.test(`${mount.path} ${source.reference.text ?? ""}`);
      return isNamedAfterTls || certificate !== undefined;
    });
  });
}

/** The databases whose pods a Service sends connections to. */
function databasesBehind(service: Field, stack: Stack): Database[] {
  const selector = service.at("spec", "selector");
  return stack.where(isLongRunning).flatMap(workload => {
    const database = databaseOf(workload, stack);
    const labels = podTemplate(workload).at("metadata", "labels");
    return database && sameNamespace(workload, service) && maySelect(selector, labels) ? [database] : [];
  });
}

/** A load balancer in front of pods of another program: whether they insist on TLS is not seen. */
function throwIfUnseen(service: Field, stack: Stack): void {
  const selector = service.at("spec", "selector");
  const selectsSomething = stack
    .where(isLongRunning)
    .some(
      workload =>
        sameNamespace(workload, service) && maySelect(selector, podTemplate(workload).at("metadata", "labels")),
    );
  if (!selectsSomething) {
    throw new NotYetKnown(service.resource.urn, selector.path, "the pods that it selects are not part of this program");
  }
}

/** Every connection is encrypted: clients to the database, the database to its bucket, and whatever else can reach the bucket. */
export const tls = group(Group.tls, [
  stackCheck({
    id: "tls-object-store",
    description: "The database reaches its object store over TLS and verifies the certificate.",
    why: "Every row crosses this connection, with requests that the bucket's key or role has signed.",
    fix: "tidesdb_s3_use_ssl=ON and tidesdb_s3_tls_insecure_skip_verify=OFF",
    level: Level.mandatory,
    development: { level: Level.advisory },
    applies: isLongRunning,
    *evaluateInStack(workload, _given, stack) {
      const database = databaseOf(workload, stack);
      if (!database) return;
      const { settings, manager } = database;
      const { useTls, endpoint } = manager?.configuration.objectStore ?? {};
      if (manager && (useTls === false || isPlainEndpoint(String(endpoint ?? "")))) {
        yield {
          path: "",
          message: `objectStore of the manager (${manager.source.path}) gives up TLS: ${useTls === false ? "useTls is false" : String(endpoint)}.`,
          wayOut: "useTls: true, and an endpoint without http://",
        };
      }
      for (const [name, isWrong, right] of [
        ["tidesdb_s3_use_ssl", (value: string) => !isOn(value), "ON"],
        ["tidesdb_s3_tls_insecure_skip_verify", isOn, "OFF"],
        ["tidesdb_s3_endpoint", isPlainEndpoint, "<host without a scheme>"],
      ] as const) {
        const setting = settings.seen(name);
        if (!setting || !isWrong(setting.value)) continue;
        yield {
          path: "",
          message: `${name}=${setting.value} (${placeOf(setting)}) gives up TLS to the object store.`,
          wayOut: `${name}=${right}`,
        };
      }
      settings.get("tidesdb_s3_use_ssl");
    },
  }),

  stackCheck({
    id: "tls-clients",
    description: "The database refuses connections without TLS.",
    why: "MariaDB accepts plain connections unless it is told not to, and a client that falls back to one sends its queries and rows readable.",
    fix: "require_secure_transport=ON in the server's option file, once its clients connect with TLS",
    level: Level.mandatory,
    applies: isLongRunning,
    *evaluateInStack(workload, _given, stack) {
      const database = databaseOf(workload, stack);
      if (!database) return;
      const { settings, container } = database;
      const ssl = settings.seen("ssl");
      if (ssl && !isOn(ssl.value)) {
        yield {
          path: container.path,
          message: `TLS is switched off: ssl=${ssl.value} (${placeOf(ssl)}).`,
          wayOut: "no ssl option, or ssl=ON",
        };
      }
      if (settings.isOn("require_secure_transport", false)) return;
      const setting = settings.seen("require_secure_transport");
      const where = setting ? ` (${setting.name}=${setting.value}: ${placeOf(setting)})` : "";
      yield { path: container.path, message: `The server accepts connections without TLS${where}.` };
    },
  }),

  stackCheck({
    id: "tls-certificates",
    description: "The database serves a certificate from a mounted Secret.",
    why: "The certificate that MariaDB makes for itself changes at each start, so no client can verify whom it talks to.",
    fix: "mount a Secret of type kubernetes.io/tls at /etc/tidesql/tls, and set ssl_cert, ssl_key and ssl_ca to its tls.crt, tls.key and ca.crt",
    level: Level.mandatory,
    development: { level: Level.advisory },
    applies: isLongRunning,
    *evaluateInStack(workload, _given, stack) {
      const database = databaseOf(workload, stack);
      if (!database || mountsCertificate(database, stack)) return;
      yield {
        path: `${database.container.path}.volumeMounts`,
        message: "No certificate from a Secret is mounted for the server.",
      };
    },
  }),

  bucketTransportCheck,

  resourceCheck({
    id: "tls-listener",
    description: "A load balancer's listener speaks TLS 1.2 or later.",
    why: "What the listener accepts in the clear crosses the network in the clear.",
    fix: 'protocol: "TLS" (or "HTTPS") with certificateArn and sslPolicy: "ELBSecurityPolicy-TLS13-1-2-2021-06"',
    level: Level.mandatory,
    applies: anyType(ofAwsKind("lb:Listener"), ofAwsKind("alb:Listener"), ofAwsKind("elb:LoadBalancer")),
    *evaluate(resource) {
      const isClassic = resource.at("listeners").isPresent;
      const listeners = isClassic ? resource.at("listeners").items : [resource];
      yield* forEach(listeners, function* (listener) {
        const protocol = listener.at(isClassic ? "lbProtocol" : "protocol");
        const redirects = listener
          .at("defaultActions")
          .items.some(
            action => action.at("type").text === "redirect" && action.at("redirect", "protocol").text === "HTTPS",
          );
        if (/^(HTTPS|TLS|SSL)$/i.test(protocol.text ?? "")) {
          const policy = listener.at("sslPolicy");
          if (isClassic || modernPolicy.test(policy.text ?? "")) return;
          yield {
            path: policy.path,
            message: `${policy.text ?? "The default security policy"} allows TLS before 1.2.`,
            wayOut: 'sslPolicy: "ELBSecurityPolicy-TLS13-1-2-2021-06"',
          };
        } else if (!redirects) {
          yield {
            path: protocol.path,
            message: `The listener speaks ${protocol.text ?? "plain HTTP"}.`,
            wayOut:
              listener.at("port").number === mysqlPort
                ? "a Service of type LoadBalancer in front of a database with require_secure_transport=ON: MySQL negotiates TLS inside the connection, which a TLS listener does not understand"
                : 'protocol: "TLS" (or "HTTPS") with certificateArn',
          };
        }
      });
    },
  }),

  stackCheck({
    id: "tls-load-balancer",
    description: "A Service or Ingress that is reachable from outside the cluster speaks TLS only.",
    why: "Outside the cluster nothing but TLS protects a connection.",
    fix: "require_secure_transport=ON in the database behind it (MySQL negotiates TLS inside the connection, so a certificate of the load balancer does not help); for other programs the annotation service.beta.kubernetes.io/aws-load-balancer-ssl-cert",
    level: Level.mandatory,
    applies: ofKind("Service", "Ingress"),
    *evaluateInStack(object, _given, stack) {
      if (ofKind("Ingress")(object.resource.type)) {
        if (object.at("spec", "tls").items.length > 0 || controllerEndsTls(object)) return;
        yield {
          path: "spec.tls",
          message: "The Ingress serves plain HTTP.",
          wayOut: "spec.tls: [{ hosts, secretName }]",
        };
        return;
      }
      if (object.at("spec", "type").text !== "LoadBalancer") return;
      const behind = databasesBehind(object, stack);
      if (behind.length === 0 && (endsTls(object) || speaksTls(object))) return;
      if (behind.length > 0 && behind.every(({ settings }) => settings.isOn("require_secure_transport", false))) return;
      if (behind.length === 0) throwIfUnseen(object, stack);
      yield {
        path: "spec.type",
        message: "The load balancer passes on connections that need not be encrypted.",
      };
    },
  }),
]);
