/** Label that says which pool a node belongs to. */
export const poolLabel = "tidesql.io/pool";
/** Values of that label. */
export const Pool = { Database: "database", System: "system" } as const;
export type Pool = (typeof Pool)[keyof typeof Pool];

/** Keeps every pod off the database's nodes that does not say that it belongs there. */
export const databaseTaint = { key: "tidesql.io/dedicated", value: "database" } as const;

/** Taint effects, as EKS's API writes them; Kubernetes writes `NoSchedule`. */
export const noScheduleInEks = "NO_SCHEDULE";

/** What a pod says that belongs on the database's nodes, and only there. */
export const databasePlacement = {
  nodeSelector: { [poolLabel]: Pool.Database },
  tolerations: [{ ...databaseTaint, operator: "Equal", effect: "NoSchedule" }],
};
