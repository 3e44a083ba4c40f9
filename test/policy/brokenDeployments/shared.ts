import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { programOf } from "../../../cli/judgePlan";
import { planStack } from "../../../cli/planner/planStack";
import { type RawResource } from "../../../policy/model/resource";
import { goodDatabase, withoutManager } from "../goodProgram";
import { resource } from "../program";

/** A deployment that a case changes in place. */
export interface Deployment {
  /** The inputs of the resource of this name. */
  get(name: string): unknown;
  /** The resource of this name or URN. */
  raw(name: string): RawResource;
  add(...resources: RawResource[]): void;
  drop(name: string): void;
  all: RawResource[];
}

/** A small change to a correct deployment. */
export interface SharedCase {
  id: string;
  /** `A` is the production stack as it is planned, `B` a database made by hand. */
  base: Base;
  /** `fire` has to be found, `quiet` has to be left alone. */
  want: "fire" | "quiet";
  /** Which policy has to find it. Default: any. */
  by?: RegExp;
  note?: string;
  change: (deployment: Deployment) => void;
}

/** The correct deployments. */
export type Base = "A" | "B";

const root = resolve(__dirname, "../../..");

/** The cases, which are kept beside the checkout: other programs are measured with them too. */
const casesFolder = process.env.TIDESQL_POLICY_CASES ?? resolve(root, "../shared/cases/policy");

/** What to say where the cases are not there. */
export const notRun = `not run: the cases are not at ${casesFolder}`;

/** The cases, or undefined where they are not beside the checkout. */
export function sharedCases(): SharedCase[] | undefined {
  const file = join(casesFolder, "mutations.ts");
  if (!existsSync(file)) return undefined;
  // Their own helper takes the version under test from here.
  process.env.TIDESQL = root;
  return (createRequire(__filename)(file) as { M: SharedCase[] }).M;
}

/** What a plan writes for a text that only the update knows. */
const unknownText = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** The rights of a user with a key, as ObjectStore makes one where it makes no role. */
const userPolicy = {
  Statement: [
    { Effect: "Allow", Action: ["s3:ListBucket", "s3:GetBucketLocation"], Resource: "arn:aws:s3:::tidesdb-production" },
    {
      Effect: "Allow",
      Action: ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
      Resource: "arn:aws:s3:::tidesdb-production/tidesql/*",
    },
    {
      Effect: "Deny",
      Action: "s3:*",
      Resource: "*",
      Condition: { StringNotEquals: { "aws:SourceVpce": ["vpce-1"] } },
    },
  ],
};

interface Containers {
  containers: { image: string }[];
  initContainers: { image: string }[];
}

/** The production stack, with the few names that a plan leaves open filled in. */
export async function plannedProduction(): Promise<RawResource[]> {
  const planned = programOf(await planStack({ directory: root, stack: "prod" }));
  const program = copied(planned);
  for (const { name, inputs } of program) {
    if (name !== "tidesql-stateful-set") continue;
    const { template } = (inputs as { spec: { template: { metadata: object; spec: Containers } } }).spec;
    Object.assign(template.metadata, { annotations: { x: "y" } });
    for (const container of [...template.spec.containers, ...template.spec.initContainers]) {
      if (container.image === unknownText) container.image = `registry.example/tidesql@sha256:${"3f".repeat(32)}`;
    }
  }
  return [...program, ...userWithKey()];
}

/** The production stack's pods have a role. The cases know a user beside it, whose key is worth nothing outside the VPC. */
function userWithKey(): RawResource[] {
  const name = "tidesql-store-engine";
  const user = resource("aws:iam/user:User", name, { name });
  const key = resource("aws:iam/accessKey:AccessKey", `${name}-key`, { user: name }, [user]);
  const policy = JSON.stringify(userPolicy);
  return [user, key, resource("aws:iam/userPolicy:UserPolicy", `${name}-policy`, { user: name, policy }, [user])];
}

/** A database that somebody wrote by hand, and that starts the server itself. */
export function writtenByHand(): RawResource[] {
  const program = copied(withoutManager(goodDatabase));
  const { data } = program.find(({ name }) => name === "orders-config")!.inputs as { data: Record<string, string> };
  data["engine.cnf"] += "datadir=/var/lib/tidesql/data\nread_only=ON\ntidesdb_s3_tls_insecure_skip_verify=OFF\n";
  return program;
}

function copied(program: readonly RawResource[]): RawResource[] {
  return JSON.parse(JSON.stringify(program)) as RawResource[];
}

/** The deployment after a case's change. */
export function changedBy({ change }: SharedCase, base: readonly RawResource[]): RawResource[] {
  const all = copied(base);
  const shown = managedConfigurations(all).map(showPlace);
  change(view(all));
  for (const data of managedConfigurations(all)) takePlace(data, shown);
  // Credentials stand in two pieces in the cases, so that nobody takes them for real ones.
  return JSON.parse(JSON.stringify(all).replaceAll("~~", "")) as RawResource[];
}

type Configuration = Record<"manager.json" | "engine.cnf", string>;

interface ManagerJson {
  objectStore: { endpoint: string; prefix: string };
}

/** What the managers' databases are configured by. */
function managedConfigurations(all: readonly RawResource[]): Configuration[] {
  return all
    .filter(({ type }) => type === "kubernetes:core/v1:ConfigMap")
    .map(({ inputs }) => (inputs as { data?: Partial<Configuration> }).data)
    .filter((data): data is Configuration => data?.["manager.json"] !== undefined && data["engine.cnf"] !== undefined);
}

/** The cases look for a database's place in engine.cnf, where a database without a manager has it. */
function showPlace(data: Configuration): string {
  const { endpoint, prefix } = (JSON.parse(data["manager.json"]) as ManagerJson).objectStore;
  const lines = `${placeLine("endpoint", endpoint)}${placeLine("prefix", `${prefix}data/`)}`;
  data["engine.cnf"] += lines;
  return lines;
}

const placeLine = (name: string, value: string) => `tidesdb_s3_${name}=${value}\n`;

/** What a case has made of it, back in the manager's file. @param shown what it was */
function takePlace(data: Configuration, shown: readonly string[]): void {
  const taken = (name: string): string | undefined => {
    const line = new RegExp(`^tidesdb_s3_${name}=(.*)\n`, "m");
    const value = line.exec(data["engine.cnf"])?.[1];
    data["engine.cnf"] = data["engine.cnf"].replace(line, "");
    return value === undefined || shown.some(lines => lines.includes(placeLine(name, value))) ? undefined : value;
  };
  const [endpoint, prefix] = [taken("endpoint"), taken("prefix")];
  if (endpoint === undefined && prefix === undefined) return;
  const manager = JSON.parse(data["manager.json"]) as ManagerJson;
  if (endpoint !== undefined) manager.objectStore.endpoint = endpoint;
  if (prefix !== undefined) manager.objectStore.prefix = prefix.replace(/data\/$/, "");
  data["manager.json"] = JSON.stringify(manager);
}

function view(all: RawResource[]): Deployment {
  const isCloud = ({ type }: RawResource) => /^(kubernetes|aws):/.test(type);
  const raw = (name: string) => {
    const found = all.find(resource => resource.urn === name || (resource.name === name && isCloud(resource)));
    if (!found) throw new Error(`the deployment has no resource called ${name}`);
    return found;
  };
  return {
    all,
    raw,
    get: name => raw(name).inputs,
    add: (...resources) => void all.push(...resources),
    drop: name => void all.splice(all.indexOf(raw(name)), 1),
  };
}
