import assert from "node:assert/strict";
import { planAsJson } from "../../cli/planJson";
import type { Plan } from "../../cli/planner/plan";
import { planProgram } from "../../cli/planner/planProgram";
import { planStack } from "../../cli/planner/planStack";
import { Secret } from "../../cli/planner/values";
import { reportOf } from "../../cli/report";
import { terminalOf } from "../../cli/terminal";
import { judge, type Verdict } from "../../policy/judge";
import { verdictOn } from "../../cli/verdict";
import { fixture } from "./fixtures/fixture";

const page = terminalOf({ columns: 100 });

/** Of a program that breaks no policy. */
const content: Verdict = { ...judge([], { today: "2026-11-22" }), notYetKnown: 2 };

/** Every secret of a plan that is known, in clear: what must not be in any output. */
function secretsIn(plan: Plan): string[] {
  const password = plan.outputs.password;
  assert.ok(password instanceof Secret);
  const keys = plan.resources.filter(({ type }) => type === "tls:index/privateKey:PrivateKey");
  const revealed = keys.map(({ outputs }) => (outputs.privateKeyPem as Secret).reveal());
  return [password.reveal(), ...revealed] as string[];
}

describe("a plan for people", () => {
  let plan: Plan;
  let report: string;
  let lines: string[];

  before(async () => {
    plan = await planStack({ directory: fixture, stack: "prod" });
    report = reportOf(plan, content, page, 1234);
    lines = report.split("\n");
  });

  /** The lines from one that matches to the next empty one. */
  function section(title: RegExp): string[] {
    const start = lines.findIndex(line => title.test(line));
    assert.ok(start >= 0, `no ${title} in:\n${report}`);
    return lines.slice(start, lines.indexOf("", start));
  }

  it("names every resource below its component, whose name it does not repeat", () => {
    const tree = section(/^shop, stack prod/);
    const names = new Map(plan.resources.map(({ urn, name }) => [urn, name]));
    for (const { name, parent } of plan.resources.slice(1)) {
      const above = names.get(parent ?? "") ?? "";
      const shown = name.startsWith(`${above}-`) ? name.slice(above.length) : name;
      assert.ok(
        tree.some(line => line.includes(` ${shown}`)),
        name,
      );
    }
    const place = (text: string) => tree.findIndex(line => line.includes(text));
    assert.ok(place("shop-network ") < place(" -vpc"));
    assert.ok(place(" -vpc") < place("shop-cluster "));
  });

  it("puts resources of one type on one line, with their number", () => {
    const [line, ...others] = lines.filter(text => text.includes("aws ec2 Subnet"));
    assert.deepEqual(others, []);
    assert.match(line ?? "", /3 × +-a, -b, -c$/);
  });

  it("shows what is protected", () => assert.match(report, / -eks \(protected\)/));

  it("lists what is secret, and where", () => {
    const secret = section(/^Secret/);
    const listed = (name: string, what: string) =>
      assert.ok(
        secret.some(line => line.includes(name) && line.includes(what)),
        `${name}: ${what}`,
      );
    listed("orders-users", "stringData");
    listed("shop-cluster-provider", "kubeconfig");
    listed("orders-password", "result");
    listed("password", "output of the stack");
    assert.ok(!secret.some(line => line.includes("orders-config")));
  });

  it("numbers the steps of the longest chain, with their minutes and their sum", () => {
    const chain = section(/^Longest chain/);
    assert.match(chain[0] ?? "", /13\.4 minutes/);
    assert.match(chain[2] ?? "", /2\. +9\.5 min +shop-cluster-eks/);
    assert.ok(chain.join(" ").includes("Terraform"));
  });

  it("itemises the monthly cost, with total and the date of the prices", () => {
    const cost = section(/^Monthly cost/);
    assert.match(cost[0] ?? "", /us-east-1, November 2026/);
    assert.ok(cost.some(line => /m5\.large nodes +3 .*210\.24$/.test(line)));
    assert.ok(cost.some(line => /Total +344\.89$/.test(line)));
  });

  it("says in three lines that no policy is broken", () => {
    const [title, ...more] = section(/^Policies/);
    assert.equal(title, `Policies: ${content.policies} asked, no mandatory violation, no advisory violation`);
    assert.deepEqual(more, [
      "  Left to the update, which knows more values: 2 judgements",
      "  Reasons and remedies: tidesql policy --stack prod",
    ]);
  });

  it("names each policy that is broken once, mandatory ones first, with what breaks it", () => {
    const verdict = verdictOn(plan, { directory: fixture });
    assert.ok(verdict.mandatory > 0 && verdict.advisory > 0);
    const broken = reportOf(plan, verdict, page, 0);
    const start = broken.indexOf(`Policies: ${verdict.policies} asked, ${verdict.mandatory} mandatory violation`);
    const levels = [...broken.slice(start).matchAll(/^ {2}(mandatory|advisory) +([a-z-]+) +\S/gm)];
    assert.equal(new Set(levels.map(([, , policy]) => policy)).size, levels.length);
    assert.deepEqual(
      levels.map(([, level]) => level),
      levels
        .map(([, level]) => level)
        .sort()
        .reverse(),
    );
  });

  it("ends with one line that says it all", () => {
    assert.match(report, /\nPlanned 23 resources in 1\.2 s, about 13 minutes to create, \$345 a month\. .*\n$/);
  });

  it("keeps within the terminal, in columns that are aligned", () => {
    const narrow = reportOf(plan, content, terminalOf({ columns: 72 }), 0).split("\n");
    const tree = narrow.filter(line => /[├└]─/.test(line));
    for (const line of tree) assert.ok(line.length <= 72, line);
    const dollars = section(/^Monthly cost/).filter(line => /\d\.\d\d$/.test(line));
    assert.equal(new Set(dollars.map(line => line.length)).size, 1);
  });

  it("has colours only where a person looks who wants them", () => {
    const escape = String.fromCharCode(27);
    const coloured = (stream: object, environment: NodeJS.ProcessEnv) =>
      reportOf(plan, content, terminalOf(stream, environment), 0).includes(escape);
    assert.ok(coloured({ isTTY: true }, {}));
    assert.ok(!coloured({ isTTY: true }, { NO_COLOR: "1" }));
    assert.ok(!coloured({ isTTY: false }, {}));
  });

  it("holds no secret", () => {
    for (const secret of secretsIn(plan)) assert.ok(!report.includes(secret));
  });

  it("warns, without the secret, of what a program gives away", async () => {
    const leaky = await planProgram(() => console.warn("the password is correct horse"), {
      project: "shop",
      stack: "test",
      config: { "shop:password": new Secret("correct horse") },
    });
    assert.match(reportOf(leaky, content, page, 0), /Warnings\n +- the password is \[secret\]\n/);
  });

  it("says nothing of minutes and money where there are none", async () => {
    const local = reportOf(await planStack({ directory: fixture, stack: "local" }), content, page, 500);
    assert.doesNotMatch(local, /Longest chain|Monthly cost|\$/);
    assert.match(local, /Planned 8 resources in 0\.5 s\. /);
  });
});

describe("a plan for programs", () => {
  interface Document {
    resources: {
      type: string;
      name: string;
      urn: string;
      parent?: string;
      dependencies: string[];
      inputs: Record<string, unknown>;
    }[];
    outputs: Record<string, unknown>;
    secrets: { name: string; paths: string[] }[];
    longestChain: { minutes: number; steps: { urn: string; minutes: number }[] };
    monthlyCost: { region: string; month: string; fixedDollars: number; lines: { monthlyDollars: number }[] };
  }

  let plan: Plan;
  let text: string;
  let document: Document;

  before(async () => {
    plan = await planStack({ directory: fixture, stack: "prod" });
    text = planAsJson(plan, content);
    document = JSON.parse(text) as Document;
  });

  it("has every resource with type, name, parent, dependencies and inputs", () => {
    assert.equal(document.resources.length, plan.resources.length);
    const subnet = document.resources.find(({ name }) => name === "shop-network-b");
    const urns = new Map(document.resources.map(resource => [resource.urn, resource.name]));
    assert.equal(subnet?.type, "aws:ec2/subnet:Subnet");
    assert.equal(urns.get(subnet.parent ?? ""), "shop-network");
    assert.deepEqual(
      subnet.dependencies.map(urn => urns.get(urn)),
      ["shop-network-vpc"],
    );
    assert.deepEqual(subnet.inputs, {
      availabilityZone: "us-east-1b",
      cidrBlock: "10.0.1.0/24",
      vpcId: "[unknown]",
    });
  });

  it("masks every secret and holds none", () => {
    const users = document.resources.find(({ name }) => name === "orders-users");
    assert.equal(users?.inputs.stringData, "[secret]");
    assert.equal(document.outputs.password, "[secret]");
    assert.match(String(document.outputs.authority), /BEGIN CERTIFICATE/);
    for (const secret of secretsIn(plan)) {
      assert.ok(!text.includes(secret) && !text.includes(JSON.stringify(secret).slice(1, -1)));
    }
    assert.ok(document.secrets.some(({ name, paths }) => name === "orders-users" && paths.includes("stringData")));
  });

  it("has chain and cost as numbers that add up", () => {
    const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);
    const { longestChain, monthlyCost } = document;
    assert.ok(Math.abs(sum(longestChain.steps.map(({ minutes }) => minutes)) - longestChain.minutes) < 1e-9);
    assert.ok(Math.abs(sum(monthlyCost.lines.map(line => line.monthlyDollars)) - monthlyCost.fixedDollars) < 1e-9);
    assert.deepEqual([monthlyCost.region, monthlyCost.month], ["us-east-1", "November 2026"]);
  });
});
