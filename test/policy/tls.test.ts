import assert from "node:assert/strict";
import { judge } from "../../policy/judge";
import { notYetKnown } from "../../policy/model/resource";
import { describePolicy, today } from "./describePolicy";
import { goodBucket, goodCluster, goodDatabase, option, withoutManager } from "./goodProgram";
import { changed, dataPath, edit, manifests, plus, resource, set, without } from "./program";

/** A database as in the guide: the image's entrypoint, with an option file copied by a shell. */
const handMade = (options: string) =>
  manifests(`
apiVersion: v1
kind: ConfigMap
metadata: { name: options }
data:
  tidesdb.cnf: |
    [mariadb]
    plugin-load-add=ha_tidesdb.so
${options.replaceAll(/^/gm, "    ")}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: tides }
spec:
  replicas: 1
  template:
    metadata: { labels: { app: tides } }
    spec:
      containers:
        - name: mariadb
          image: tidesql:latest
          command: [/bin/bash, -c]
          args: ["cp /options/tidesdb.cnf /etc/mysql/custom/ && exec /usr/local/bin/tidesql-entrypoint.sh"]
          volumeMounts: [{ name: options, mountPath: /options/tidesdb.cnf, subPath: tidesdb.cnf }]
      volumes: [{ name: options, configMap: { name: options } }]
`);

const listener = goodCluster.filter(({ name }) => name === "listener");
const loadBalancer = set("orders-primary", "spec.type", "LoadBalancer");

describe("SSL", () => {
  describePolicy("tls-object-store", {
    passes: [goodDatabase, changed(goodDatabase, option("tidesdb_s3_use_ssl", undefined))],
    fails: {
      program: changed(goodDatabase, option("tidesdb_s3_use_ssl", "OFF")),
      resource: "orders",
      says: /tidesdb_s3_use_ssl=OFF \(orders-config, data\["engine.cnf"\], line \d+\)/,
    },
    unknown: changed(goodDatabase, set("orders-config", "data", notYetKnown)),
    handWritten: {
      program: handMade("loose-tidesdb-s3-tls-insecure-skip-verify"),
      resource: "tides",
      says: /skip_verify=ON/,
    },
  });

  describePolicy("tls-clients", {
    passes: [
      goodDatabase,
      changed(goodDatabase, set("orders", "spec.template.spec.containers[0].args", ["--require-secure-transport=1"])),
    ],
    fails: {
      program: changed(goodDatabase, option("require_secure_transport", "OFF")),
      resource: "orders",
      says: /accepts connections without TLS/,
    },
    unknown: changed(goodDatabase, without("orders-config")),
    handWritten: { program: handMade("[client]\nrequire_secure_transport=ON"), resource: "tides", says: /without TLS/ },
  });

  describePolicy("tls-certificates", {
    passes: [
      goodDatabase,
      changed(goodDatabase, withoutManager),
      changed(
        goodDatabase,
        without("orders-tls"),
        set("orders", "spec.template.spec.volumes[1]", {
          name: "tls",
          projected: { sources: [{ secret: { name: "made-elsewhere" } }] },
        }),
      ),
    ],
    fails: {
      program: changed(
        goodDatabase,
        set("orders", "spec.template.spec.containers[0].volumeMounts[2]", { name: "none", mountPath: "/x" }),
      ),
      resource: "orders",
      says: /No certificate from a Secret/,
    },
    unknown: changed(goodDatabase, set("orders", "spec.template.spec.volumes", notYetKnown)),
    handWritten: { program: handMade("ssl_cert=/etc/mysql/server.pem"), resource: "tides", says: /No certificate/ },
  });

  describePolicy("tls-bucket-policy", {
    passes: [goodBucket],
    fails: { program: changed(goodBucket, without("BucketPolicy")), resource: "data", says: /denies plain HTTP/ },
    unknown: changed(goodBucket, set("BucketPolicy", "policy", notYetKnown)),
    handWritten: {
      program: [
        resource("aws:s3/bucketV2:BucketV2", "old", {
          bucket: "old-tidesql",
          policy: JSON.stringify({
            Statement: {
              Effect: "Deny",
              Action: ["s3:*"],
              Condition: { NumericLessThan: { "s3:TlsVersion": 1.1 }, Bool: { "aws:securetransport": ["false"] } },
            },
          }),
        }),
      ],
      resource: "old",
      says: /denies TLS before 1.2/,
    },
  });

  describePolicy("tls-listener", {
    passes: [
      listener,
      changed(
        listener,
        set("listener", "protocol", "HTTP"),
        set("listener", "defaultActions", [{ type: "redirect", redirect: { protocol: "HTTPS" } }]),
      ),
    ],
    fails: { program: changed(listener, set("listener", "protocol", "TCP")), resource: "listener", says: /speaks TCP/ },
    unknown: changed(listener, set("listener", "protocol", notYetKnown)),
    handWritten: {
      program: [
        resource("aws:elb/loadBalancer:LoadBalancer", "classic", {
          listeners: [
            { lbProtocol: "SSL", lbPort: 443 },
            { lbProtocol: "TCP", lbPort: 3306 },
          ],
        }),
        resource("aws:alb/listener:Listener", "weak", {
          protocol: "HTTPS",
          sslPolicy: "ELBSecurityPolicy-TLS13-1-0-2021-06",
        }),
      ],
      resource: "weak",
      says: /allows TLS before 1.2/,
    },
  });

  describePolicy("tls-load-balancer", {
    passes: [
      goodDatabase,
      changed(goodDatabase, loadBalancer),
      changed(
        goodDatabase,
        without("orders"),
        loadBalancer,
        set(
          "orders-primary",
          'metadata.annotations["service.beta.kubernetes.io/aws-load-balancer-ssl-cert"]',
          "arn:aws:acm:1",
        ),
      ),
    ],
    fails: {
      program: changed(goodDatabase, loadBalancer, option("require_secure_transport", undefined)),
      resource: "orders-primary",
      says: /need not be encrypted/,
    },
    unknown: changed(goodDatabase, loadBalancer, without("orders")),
    handWritten: {
      program: changed(
        goodDatabase,
        loadBalancer,
        edit("orders-config", dataPath("engine.cnf"), text =>
          text.replace("require_secure_transport=ON", "# require_secure_transport=ON"),
        ),
        plus(
          ...manifests(
            "{ apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: { name: plain }, spec: { rules: [] } }",
          ),
        ),
      ),
      resource: "plain",
      says: /serves plain HTTP/,
    },
  });

  describe("tls-load-balancer, of programs that are no database", () => {
    const says = (text: string) =>
      judge(manifests(text), { today }).findings.filter(({ policy }) => policy === "tls-load-balancer").length;
    const service = (ports: string) =>
      `{ apiVersion: v1, kind: Service, metadata: { name: web }, spec: { type: LoadBalancer, ports: ${ports} } }`;
    const ingress = (annotations: string, spec = "{ rules: [] }") =>
      `{ apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: { name: web, annotations: ${annotations} }, spec: ${spec} }`;

    it("takes a program that speaks TLS itself, with plain HTTP beside it, as an ingress controller has it", () => {
      for (const ports of [
        "[{ port: 443 }]",
        "[{ port: 80, name: http }, { port: 443, name: https }]",
        "[{ port: 8000, appProtocol: https }, { port: 443, protocol: UDP }]",
      ])
        assert.equal(says(service(ports)), 0, ports);
    });

    it("reports ports that nothing says of that they speak TLS", () => {
      for (const ports of [
        "[{ port: 80, name: http }]",
        "[{ port: 443 }, { port: 5432 }]",
        "[{ port: 6379, name: redis }]",
      ])
        assert.equal(says(service(ports)), 1, ports);
    });

    it("knows how controllers of Ingresses get certificates without a Secret", () => {
      for (const annotations of [
        '{ alb.ingress.kubernetes.io/certificate-arn: "arn:aws:acm:us-east-1:123456789012:certificate/1" }',
        `{ alb.ingress.kubernetes.io/listen-ports: '[{"HTTPS":443}]' }`,
        "{ networking.gke.io/managed-certificates: web }",
        '{ traefik.ingress.kubernetes.io/router.tls: "true" }',
        "{ kubernetes.io/ingress.class: caddy }",
      ])
        assert.equal(says(ingress(annotations)), 0, annotations);
      assert.equal(says(ingress("{}", "{ ingressClassName: caddy, rules: [] }")), 0);
    });

    it("reports an Ingress of plain HTTP", () => {
      for (const annotations of [
        "{}",
        "{ kubernetes.io/ingress.class: nginx }",
        `{ alb.ingress.kubernetes.io/listen-ports: '[{"HTTP":80}]' }`,
        `{ alb.ingress.kubernetes.io/listen-ports: '[{"HTTP":80},{"HTTPS":443}]' }`,
        '{ traefik.ingress.kubernetes.io/router.tls: "false" }',
      ])
        assert.equal(says(ingress(annotations)), 1, annotations);
    });
  });
});
