import { type OpenSql, SqlFailure, type SqlLogin } from "../../../cli/live/sql";
import { type FakeCluster, passwords } from "./fakeCluster";

type Row = Record<string, unknown>;

/** Servers of the fake cluster's pods: rows that the primary takes are on all of them. */
export class FakeSql {
  readonly logins: { pod: string; login: SqlLogin }[] = [];
  readonly tables = new Map<string, Set<number>>();
  variables: Record<string, string> = {
    tidesdb_object_store_backend: "S3",
    tidesdb_s3_use_ssl: "ON",
    tidesdb_s3_bucket: "bucket",
  };
  engine = "DEFAULT";
  requireTls = true;
  /** Users that need no password. */
  open: string[] = [];
  /** Pods that take writes though they are no primary. */
  writable: string[] = [];
  /** Pods that show no rows. */
  blind: string[] = [];
  /** Called with each statement; what it returns is thrown. */
  refuse: (pod: string, sql: string) => Error | undefined = () => undefined;
  openSessions = 0;

  constructor(private readonly cluster: FakeCluster) {}

  readonly connect: OpenSql = (_kubectl, { pod, headlessService, namespace }, login) => {
    this.logins.push({ pod, login });
    if (`${headlessService}.${namespace}` !== "orders.shop") throw new Error("the certificate does not hold for that");
    return this.enter(pod, login);
  };

  private enter(pod: string, { user, password, authority }: SqlLogin): ReturnType<OpenSql> {
    if (!this.cluster.nodes.has(pod)) return Promise.reject(new SqlFailure("connect ECONNREFUSED"));
    if (authority === undefined && this.requireTls) {
      return Promise.reject(new SqlFailure("Connections using insecure transport are prohibited", 3159));
    }
    const isRight = password === "" ? this.open.includes(user) : passwords[user] === password;
    if (!isRight) return Promise.reject(new SqlFailure(`Access denied for user '${user}'`, 1045));
    this.openSessions++;
    return Promise.resolve({
      query: (sql: string) => Promise.resolve().then(() => this.answer(pod, sql)),
      close: () => void this.openSessions--,
    });
  }

  private answer(pod: string, sql: string): Row[] {
    const refusal = this.refuse(pod, sql);
    if (refusal) throw refusal;
    const [, table = ""] = /(?:TABLE(?: IF EXISTS)?|INTO|FROM) (\w+\.\w+)/.exec(sql) ?? [];
    if (/information_schema\.ENGINES/.test(sql)) return [{ support: this.engine }];
    if (/^SHOW GLOBAL VARIABLES/.test(sql)) {
      return Object.entries(this.variables).map(([name, value]) => ({ Variable_name: name, Value: value }));
    }
    if (/^SELECT id/.test(sql)) {
      const rows = this.blind.includes(pod) ? undefined : this.tables.get(table);
      if (!rows) throw new SqlFailure("Table does not exist", 1146);
      return [...rows].map(id => ({ id }));
    }
    if (/^SELECT/.test(sql)) return [{ "1": 1 }];
    this.write(pod, sql, table);
    return [];
  }

  private write(pod: string, sql: string, table: string): void {
    if (this.cluster.nodes.get(pod)?.label !== "primary" && !this.writable.includes(pod)) {
      throw new SqlFailure("The MariaDB server is running with the --read-only option", 1290);
    }
    if (sql.startsWith("CREATE")) this.tables.set(table, new Set());
    else if (sql.startsWith("DROP")) this.tables.delete(table);
    else for (const [, id] of sql.matchAll(/\((\d+)\)/g)) this.tables.get(table)?.add(Number(id));
  }
}
