import { readFileSync } from "node:fs";
import path from "node:path";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import {
  dashboardData,
  dashboardManifest,
  podMonitorManifest,
  prometheusRuleManifest,
} from "../core/manifests/monitoring";
import { RuleFile, rulesFor } from "../core/monitoring/rules";
import { packageRoot } from "../packageRoot";
import { transformed } from "../transform";
import { DatabaseContext } from "./context";

/** Makes the objects that were asked for. The operators' kinds have to be known to the cluster. */
export function makeMonitoring({ name, settings, transform, inside }: DatabaseContext): void {
  const { names, monitoring } = settings;
  const { labels } = monitoring;
  const known = pulumi.output(names.namespace).apply(namespace => ({ ...names, namespace }));
  if (monitoring.podMonitor) {
    const manifest = podMonitorManifest(names, labels);
    new k8s.apiextensions.CustomResource(...transformed(transform.podMonitor, `${name}-pod-monitor`, manifest, inside));
  }
  if (monitoring.prometheusRules) {
    const manifest = prometheusRuleManifest(
      names,
      labels,
      known.apply(of => rulesFor(alertingRules(), of)),
    );
    new k8s.apiextensions.CustomResource(
      ...transformed(transform.prometheusRules, `${name}-prometheus-rules`, manifest, inside),
    );
  }
  if (monitoring.grafanaDashboard) {
    const manifest = dashboardManifest(
      names,
      labels,
      known.apply(of => dashboardData(of)),
    );
    new k8s.core.v1.ConfigMap(
      ...transformed(transform.grafanaDashboard, `${name}-grafana-dashboard`, manifest, inside),
    );
  }
}

/** The rules that docs/operations.md explains, from the file that ships with the package. */
export function alertingRules(): RuleFile {
  return parse(readFileSync(path.join(packageRoot(), "docs/alerts.yaml"), "utf8")) as RuleFile;
}
