import assert from "node:assert/strict";
import { checks } from "../../policy/checks";
import { judge } from "../../policy/judge";
import { notYetKnown, type RawResource } from "../../policy/model/resource";
import { describePolicy, today } from "./describePolicy";
import { goodDatabase } from "./goodProgram";
import { changed, manifests, plus, resource, set } from "./program";

const route = (kind: string, apiVersion: string, spec: string) =>
  manifests(`{ apiVersion: ${apiVersion}, kind: ${kind}, metadata: { name: way, namespace: shop }, spec: ${spec} }`);
const proxied = (data: string) =>
  manifests(`{ apiVersion: v1, kind: ConfigMap, metadata: { name: tcp-services, namespace: ingress }, data: ${data} }`);
const gateway = (spec: string) => route("Gateway", "gateway.networking.k8s.io/v1", spec);
const tcpRoute = route("TCPRoute", "gateway.networking.k8s.io/v1alpha2", "{ rules: [{ backendRefs: [{ name: orders-primary, port: 3306 }] }] }"); // prettier-ignore
const inside =
  '{ infrastructure: { annotations: { "service.beta.kubernetes.io/aws-load-balancer-scheme": internal } } }';

describe("routes of proxies", () => {
  describePolicy("workloads-exposed-route", {
    passes: [proxied('{ "5432": "shop/books:5432", "note": "shop/orders:3306" }'), [...tcpRoute, ...gateway(inside)]],
    fails: {
      program: proxied('{ "3306": "shop/orders-primary:3306" }'),
      resource: "tcp-services",
      says: /ConfigMap leads connections from outside to MySQL's port/,
    },
    unknown: [resource("kubernetes:core/v1:ConfigMap", "tcp-services", { data: { 3306: notYetKnown } })],
    handWritten: { program: tcpRoute, resource: "way", says: /TCPRoute leads/ },
  });

  const check = checks.filter(({ id }) => id === "workloads-exposed-route");
  const routes: [what: string, program: readonly RawResource[], findings: number][] = [
    ["a port of another number", proxied('{ "13306": "shop/orders-primary:mysql::PROXY" }'), 1],
    [
      "the values of a chart",
      [resource("kubernetes:helm.sh/v3:Release", "ingress", { values: { tcp: { 3306: "shop/orders:3306" } } })],
      1,
    ],
    ["a public Gateway", [...tcpRoute, ...gateway("{}")], 1],
    ["Traefik", route("IngressRouteTCP", "traefik.io/v1alpha1", "{ routes: [{ services: [{ name: orders, port: 3306 }] }] }"), 1], // prettier-ignore
    ["Traefik and HTTP", route("IngressRouteTCP", "traefik.io/v1alpha1", "{ routes: [{ services: [{ name: web, port: 443 }] }] }"), 0], // prettier-ignore
    ["Istio", route("VirtualService", "networking.istio.io/v1", "{ gateways: [front], tcp: [{ route: [{ destination: { host: orders, port: { number: 3306 } } }] }] }"), 1], // prettier-ignore
    ["Istio's mesh", route("VirtualService", "networking.istio.io/v1", "{ tcp: [{ route: [{ destination: { host: orders, port: { number: 3306 } } }] }] }"), 0], // prettier-ignore
    ["Contour", route("HTTPProxy", "projectcontour.io/v1", "{ tcpproxy: { services: [{ name: orders, port: 3306 }] } }"), 1], // prettier-ignore
  ];
  for (const [what, program, findings] of routes) {
    it(`${findings === 0 ? "is quiet about" : "reports"} ${what}`, () =>
      assert.equal(judge(program, { checks: check, today }).findings.length, findings));
  }
});

describe("network ACLs", () => {
  const rule = (inputs: object) =>
    resource("aws:ec2/networkAclRule:NetworkAclRule", "it", { ruleAction: "allow", cidrBlock: "0.0.0.0/0", ...inputs });
  const acl = (...ingress: object[]) => resource("aws:ec2/networkAcl:NetworkAcl", "it", { ingress });
  const everyone = { action: "allow", cidrBlock: "0.0.0.0/0", protocol: "tcp" };
  const mysql = { fromPort: 3306, toPort: 3306 };
  describePolicy("cluster-network-acl", {
    passes: [
      [rule({ ...mysql, protocol: "tcp", cidrBlock: "10.0.0.0/16" })],
      [rule({ protocol: "-1", egress: true })],
      [rule({ protocol: "tcp", fromPort: 1024, toPort: 65535 })],
      [rule({ protocol: "tcp", fromPort: 443, toPort: 443 })],
      [acl({ ...everyone, ...mysql, ruleNo: 200 }, { ...everyone, ...mysql, action: "deny", ruleNo: 100 })],
    ],
    fails: { program: [rule({ ...mysql, protocol: "tcp" })], resource: "it", says: /port 3306/ },
    unknown: [rule({ cidrBlock: notYetKnown, ...mysql })],
    handWritten: {
      program: [acl({ ...everyone, ...mysql, ruleNo: 1, protocol: "-1" })],
      resource: "it",
      says: /every port/,
    },
  });
});

describe("volumes of a database without an object store", () => {
  const alone = changed(
    goodDatabase,
    set(
      "orders-config",
      'data["engine.cnf"]',
      "[mariadbd]\nplugin_load_add=ha_tidesdb.so\ntidesdb_max_memory_usage=3G\n",
    ),
    set("StatefulSet/orders", "spec.template.spec.containers[0].command", ["mariadbd", "--defaults-file=/etc/tidesql/config/engine.cnf"]), // prettier-ignore
  );
  describePolicy("correctness-volume-reclaim", {
    passes: [goodDatabase, changed(alone, set("gp3", "reclaimPolicy", "Retain"))],
    fails: { program: alone, resource: "orders", says: /gp3 deletes a volume with its claim/ },
    unknown: changed(alone, set("gp3", "reclaimPolicy", notYetKnown)),
    handWritten: {
      program: changed(
        alone,
        plus(resource("kubernetes:storage.k8s.io/v1:StorageClass", "io2", { metadata: { name: "io2" }, reclaimPolicy: "Delete" })), // prettier-ignore
        set("StatefulSet/orders", "spec.volumeClaimTemplates[0].spec.storageClassName", "io2"),
      ),
      resource: "orders",
      says: /io2 deletes/,
    },
  });
});
