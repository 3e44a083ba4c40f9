import { describe } from "../../cli/planner/graph";
import { planProgram } from "../../cli/planner/planProgram";
import { monthlyCost } from "../../components/core/planning/cost";
import { idleDollars } from "../../components/core/planning/bucketUse";
import { aurora, hoursPerMonth, monthly } from "../../components/core/planning/prices";
import { TideSql, TideSqlArgs } from "../../index";
import { guideCost } from "../../test/benchmark/guide";

/** A deployment and what one would write for it. */
interface Variant {
  what: string;
  /** As in a program; empty for what stands as it is. */
  written: string;
  args: Partial<TideSqlArgs>;
}

const variants: Variant[] = [
  { what: "as it stands", written: "", args: {} },
  { what: "one replica", written: "replicas: 1", args: { replicas: 1 } },
  { what: 'durability "commit"', written: 'durability: "commit"', args: { durability: "commit" } },
  {
    what: "Graviton",
    written: 'instanceType: "m8g.large"',
    args: { instanceType: "m8g.large" },
  },
  { what: "NVMe drives", written: 'instanceType: "i4i.large"', args: { instanceType: "i4i.large" } },
  { what: "twice the machine", written: 'instanceType: "m5.xlarge"', args: { instanceType: "m5.xlarge" } },
  {
    what: "a NAT gateway in each zone",
    written: 'network: { natGateways: "perZone" }',
    args: { network: { natGateways: "perZone" } },
  },
  {
    what: "no NAT gateway",
    written: 'network: { natGateways: "none" }, nodeImage: "...ecr..."',
    args: {
      network: { natGateways: "none" },
      nodeImage: "123456789012.dkr.ecr.us-east-1.amazonaws.com/node:22-slim",
    },
  },
];

/** The monthly bill of variants of the production layout, and of what one would have instead, as a Markdown table. US dollars. */
export async function costVariants(): Promise<string> {
  const rows: string[] = [];
  for (const { what, written, args } of variants) {
    const plan = await planProgram(() => void new TideSql("tidesql", { region: "us-east-1", ...args }), {
      project: "cost",
      stack: "prod",
    });
    rows.push(row(what, written, monthlyCost(plan.resources.map(describe))));
  }
  const guide = guideCost();
  const auroraDollars = 3 * aurora.hourlyByClass["db.r6g.large"] * hoursPerMonth + 100 * aurora.storagePerGigabyte;
  return [
    "| | written as | fixed | by use, about |",
    "| --- | --- | ---: | ---: |",
    ...rows,
    row("the guide's deployment, by hand", "", guide),
    `| Aurora MySQL, 3 db.r6g.large and 100 GB | | ${auroraDollars.toFixed(0)} | ${aurora.perMillionRequests.toFixed(2)} a million requests |`,
    "",
    `Without a write in the month, two replicas: $${idleDollars(2).toFixed(2)} for requests, and $${(100 * monthly.s3PerGigabyte).toFixed(2)} for 100 GB.`,
  ].join("\n");
}

function row(what: string, written: string, cost: { fixedDollars: number; estimatedDollars: number }): string {
  const code = written === "" ? "" : `\`${written}\``;
  return `| ${what} | ${code} | ${cost.fixedDollars.toFixed(0)} | ${cost.estimatedDollars.toFixed(0)} |`;
}
