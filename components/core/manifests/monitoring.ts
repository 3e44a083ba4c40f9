import { dashboard } from "../monitoring/dashboard";
import { WatchedDatabase } from "../monitoring/rules";
import { DatabaseNames } from "../names";
import { objectMetadata, selectorLabels } from "./metadata";

/** What finds the objects: labels that the Prometheus operator or Grafana's sidecar selects by. */
export type MonitoringLabels = Record<string, string>;

/** How often Prometheus asks. An outage lasts seconds. */
const scrapeInterval = "5s";

/** The Prometheus operator's object that says which pods to scrape. */
export function podMonitorManifest<Namespace>(names: DatabaseNames<Namespace>, labels: MonitoringLabels) {
  return {
    apiVersion: "monitoring.coreos.com/v1" as const,
    kind: "PodMonitor" as const,
    metadata: withLabels(names.database, names, labels),
    spec: {
      selector: { matchLabels: selectorLabels(names.database) },
      podMetricsEndpoints: [{ port: "http", path: "/metrics", interval: scrapeInterval }],
    },
  };
}

/** The Prometheus operator's object with the alerting rules. @param spec what `rulesFor` makes */
export function prometheusRuleManifest<Namespace, Spec>(
  names: DatabaseNames<Namespace>,
  labels: MonitoringLabels,
  spec: Spec,
) {
  return {
    apiVersion: "monitoring.coreos.com/v1" as const,
    kind: "PrometheusRule" as const,
    metadata: withLabels(names.database, names, labels),
    spec,
  };
}

/** A ConfigMap with the dashboard, as the sidecar of Grafana's Helm chart looks for it. @param data what {@link dashboardData} makes */
export function dashboardManifest<Namespace, Data>(
  names: DatabaseNames<Namespace>,
  labels: MonitoringLabels,
  data: Data,
) {
  return {
    apiVersion: "v1" as const,
    kind: "ConfigMap" as const,
    metadata: withLabels(`${names.database}-dashboard`, names, { grafana_dashboard: "1", ...labels }),
    data,
  };
}

/** The dashboard as a file. The sidecar puts all files into one folder, so its name is no other database's. */
export function dashboardData(names: WatchedDatabase): Record<string, string> {
  return {
    [`tidesql-${names.namespace}-${names.database}.json`]: JSON.stringify(dashboard(names), undefined, 2),
  };
}

function withLabels<Namespace>(objectName: string, names: DatabaseNames<Namespace>, labels: MonitoringLabels) {
  const metadata = objectMetadata(objectName, names);
  return { ...metadata, labels: { ...metadata.labels, ...labels } };
}
