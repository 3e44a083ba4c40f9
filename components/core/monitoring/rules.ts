/** Whose metrics are meant. */
export interface WatchedDatabase {
  namespace: string;
  /** Its pods are `<database>-0` and so on. */
  database: string;
}

/** A file of Prometheus rules, as far as it is read here. */
export interface RuleFile {
  groups: { name: string; rules: ({ expr: string } & Record<string, unknown>)[] }[];
}

/** Picks the metrics of one database's pods, whatever else Prometheus scrapes. */
export function podSelector({ namespace, database }: WatchedDatabase): string {
  return `namespace="${namespace}",pod=~"${database}-[0-9]+"`;
}

/** The expression, asked of one database's pods only. Each metric in it gets the selector beside those that it has. */
export function selecting(expression: string, selector: string): string {
  return expression.replace(/\b(tidesql_[a-z_]+)\b(\{)?/g, (_, metric: string, brace: string | undefined) =>
    brace === undefined ? `${metric}{${selector}}` : `${metric}{${selector},`,
  );
}

/** The same rules for one database: with several of them, an alert fires once, for the right one. */
export function rulesFor({ groups }: RuleFile, names: WatchedDatabase): RuleFile {
  const selector = podSelector(names);
  return {
    groups: groups.map(({ name, rules }) => ({
      name: `${name}-${names.database}`,
      rules: rules.map(rule => ({ ...rule, expr: selecting(rule.expr, selector) })),
    })),
  };
}
