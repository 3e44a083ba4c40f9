import { Level, stackCheck } from "./check";
import { type Field, forEach } from "./model/field";
import { isInternal, isLimited } from "./model/exposure";
import { kindOf, ofKind } from "./model/kubernetes";
import { mysqlPort } from "./model/networkPolicy";
import { type Stack } from "./model/stack";

/** `3306: shop/orders-primary:3306`, as ingress-nginx and HAProxy's controller read it: a port of the proxy, and a Service with its port. */
const proxiedService = /^[^\s:/]+\/[^\s:]+:(\d+|[a-z][\w-]*)(?::|$)/;

/** Ports by their usual names. */
const namesOfPort = ["mysql", "mariadb", String(mysqlPort)];

function isMysql(port: string | undefined): boolean {
  return port !== undefined && namesOfPort.includes(port);
}

/** The fields of an object by which a proxy in the cluster leads TCP connections to a port of a Service, for each kind of such an object. */
const routesOf: Readonly<Record<string, (object: Field) => Field[]>> = {
  // ingress-nginx (`--tcp-services-configmap`), HAProxy's controller, and the values of their charts that become such a ConfigMap.
  ConfigMap: object => proxiedServices(object.at("data")),
  Release: object => proxiedServices(object.at("values", "tcp")),
  Chart: object => proxiedServices(object.at("values", "tcp")),
  TCPRoute: backendsOfGateway,
  TLSRoute: backendsOfGateway,
  // Traefik
  IngressRouteTCP: object => portsIn(object.at("spec", "routes").items.flatMap(route => route.at("services").items)),
  // Istio: a route for the mesh stays inside the cluster.
  VirtualService: object => {
    const gateways = object.at("spec", "gateways").textList;
    if (gateways.length === 0 || gateways.every(gateway => gateway === "mesh")) return [];
    const routes = ["tcp", "tls"].flatMap(protocol => object.at("spec", protocol).items);
    const destinations = routes.flatMap(route => route.at("route").items).map(route => route.at("destination"));
    return destinations.map(destination => destination.at("port", "number")).filter(({ text }) => isMysql(text));
  },
  // Contour
  HTTPProxy: object => portsIn(object.at("spec", "tcpproxy", "services").items),
};

function proxiedServices(services: Field): Field[] {
  const leadsToMysql = ([port, service]: [string, Field]) =>
    /^\d+$/.test(port) && isMysql(proxiedService.exec(service.text ?? "")?.[1]);
  return services.entries.filter(leadsToMysql).map(([, service]) => service);
}

function backendsOfGateway(object: Field): Field[] {
  return portsIn(object.at("spec", "rules").items.flatMap(rule => rule.at("backendRefs").items));
}

function portsIn(services: readonly Field[]): Field[] {
  return services.map(service => service.at("port")).filter(({ text }) => isMysql(text));
}

/** Whether every way into this program's cluster is inside the network, or for some networks only. A program without one has it elsewhere. */
function isReachedFromInside(stack: Stack): boolean {
  const balancers = stack
    .where(ofKind("Service"))
    .filter(service => service.at("spec", "type").text === "LoadBalancer");
  const gateways = stack.where(ofKind("Gateway")).map(gateway => gateway.at("spec", "infrastructure"));
  const ways = [
    ...balancers.map(service => isInternal(service.at("metadata", "annotations")) || isLimited(service)),
    ...gateways.map(infrastructure => isInternal(infrastructure.at("annotations"))),
  ];
  return ways.length > 0 && ways.every(isInside => isInside);
}

/** Routes by which MySQL's port is led out of the cluster without a Service of its own. */
export const routeChecks = [
  stackCheck({
    id: "workloads-exposed-route",
    description: "No proxy of any program leads the internet to MySQL's port.",
    why: "A public MySQL port is found and attacked within minutes, whether a load balancer or a proxy opens it.",
    fix: "an internal load balancer before the proxy, as Service or Gateway of this program, or a Service of type LoadBalancer with loadBalancerSourceRanges in place of the route",
    level: Level.mandatory,
    development: { level: Level.advisory },
    applies: ofKind(...Object.keys(routesOf)),
    *evaluateInStack(object, _given, stack) {
      const kind = kindOf(object.resource.type)!;
      yield* forEach(routesOf[kind]!(object), function* (route) {
        if (isReachedFromInside(stack)) return;
        yield { path: route.path, message: `The ${kind} leads connections from outside to MySQL's port.` };
      });
    },
  }),
];
