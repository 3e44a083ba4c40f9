import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { PluginProcess } from "../plugin/pluginProcess";
import { noSimulatedCloud } from "../e2e/pulumi/simulatedCloud";
import { type Newcomer, newcomer, type Packed, packedPackage } from "./newcomer";
import { fences, languages, PulumiProject } from "./pulumiProject";

/** README as a newcomer follows it: every block of code in it is run, on a fresh clone and on the packed package. */
describe("README, followed word for word", function () {
  this.timeout(600_000);
  let person: Newcomer;
  before("clone", async () => {
    person = await newcomer();
  });

  describe("in a fresh clone", () => {
    it("plans the production stack, and shows what README shows", async () => {
      const started = performance.now();
      const { output } = await person.shell(person.clone, person.block("sh", /^npm start$/));
      console.log(`        npm start: ${((performance.now() - started) / 1000).toFixed(1)} s`);
      const shown = new Set(comparable(output));
      const promised = comparable(person.block("", /^tidesql, stack prod/));
      assert.ok(promised.length > 5);
      assert.deepEqual(
        promised.filter(line => !shown.has(line)),
        [],
      );
    });

    it("plans the local stack, and prints the plan as JSON and nothing else", async () => {
      const { output } = await person.shell(person.clone, person.block("sh", /--stack local +#/));
      assert.match(output, /^tidesql, stack local: /m);
      const plan = readFileSync(path.join(person.clone, "plan.json"), "utf8");
      assert.ok(typesOf(plan).includes("aws:eks/cluster:Cluster"));
    });

    it("writes the local stack's manifests", async () => {
      for (const file of ["access-key-id", "secret-access-key"])
        writeFileSync(path.join(person.clone, file), "minioadmin\n");
      await person.shell(person.clone, person.block("sh", /--manifests/));
      const manifests = path.join(person.clone, "manifests");
      const kinds = readdirSync(manifests).map(
        file => /^kind: (\w+)$/m.exec(readFileSync(path.join(manifests, file), "utf8"))?.[1],
      );
      assert.ok(kinds.includes("StatefulSet"), kinds.join(", "));
    });

    it("plans the local stack with the settings that README sets for `pulumi up`", async () => {
      const lines = person.block("sh", /pulumi stack init local/).split("\n");
      const settings = lines.flatMap(
        line => /^pulumi config set (?:--secret )?(\S+) (\S+)$/.exec(line)?.slice(1) ?? [],
      );
      assert.equal(settings.length, 6);
      const options = settings.flatMap((text, index) =>
        index % 2 === 0 ? [`--config '${text}=${settings[index + 1]}'`] : [],
      );
      const { output } = await person.shell(
        person.clone,
        `npm start --silent -- --stack local --json ${options.join(" ")}`,
      );
      assert.ok(typesOf(output).includes("kubernetes:apps/v1:StatefulSet"));
    });

    it("has the production stack that README updates", () => {
      const [, stack] = /^pulumi stack init (\w+) && pulumi up/.exec(person.block("sh", /stack init prod/)) ?? [];
      readFileSync(path.join(person.clone, `Pulumi.${stack}.yaml`));
    });
  });

  describe("with the packed package", () => {
    let packed: Packed;
    before("pack and install", async () => {
      person.write("index.ts", person.block("ts", /new TideSql/));
      packed = await packedPackage();
    });

    it("type-checks README's TypeScript", async () => {
      await person.shell(person.project, "npx tsc --noEmit");
    });

    it("plans README's TypeScript, and compares the plans before and after a change", async () => {
      const { output } = await person.shell(person.project, "npx tidesql plan --json");
      for (const type of ["tidesql:index:TideSql", "aws:eks/cluster:Cluster", "kubernetes:apps/v1:StatefulSet"]) {
        assert.ok(typesOf(output).includes(type), type);
      }
      const compared = await person.shell(person.project, person.block("sh", /tidesql compare/));
      assert.match(compared.output, /No resource differs/);
    });

    it("judges README's TypeScript by the policies", async () => {
      const { output } = await person.shell(person.project, person.block("sh", /tidesql policy/));
      assert.match(output, /: 0 mandatory, 0 advisory/);
    });

    describe("in other languages", () => {
      let plugin: PluginProcess;
      beforeEach("start the packed plugin", async () => {
        plugin = await PluginProcess.start(packed.installed);
      });
      afterEach(() => plugin.stop());

      it("makes README's YAML", async () => {
        const { resources } = parse(person.block("yaml", /tidesql:TideSql/)) as {
          resources: Record<string, { type: string; properties: Record<string, unknown> }>;
        };
        assert.deepEqual(Object.keys(resources), ["orders"]);
        const { type, properties } = resources.orders!;
        const outputs = await plugin.construct(type.replace(":", ":index:"), properties);
        assert.match(JSON.stringify(outputs.primaryEndpoint), /orders-primary/);
      });

      it("makes README's Python, with a stand-in for the generated SDK (needs python3)", async function () {
        const program = person.block("python", /tidesql\.TideSql/);
        if (spawnSync("python3", ["--version"]).status !== 0) this.skip();
        const file = path.join(person.folder, "program.py");
        writeFileSync(file, program);
        const schema = path.join(packed.installed, "schema.json");
        const { output } = await person.shell(
          person.folder,
          `python3 "${path.join(__dirname, "pythonNames.py")}" "${schema}" "${file}"`,
        );
        const made = JSON.parse(output) as { type: string; inputs: Record<string, unknown> }[];
        assert.equal(made.length, 1);
        const outputs = await plugin.construct(made[0]!.type, made[0]!.inputs);
        assert.match(JSON.stringify(outputs.passwords), /app/);
      });
    });

    for (const language of languages) {
      describe(`in ${language}, with the Pulumi command line`, () => {
        const host = `pulumi-language-${language}`;
        let project: PulumiProject;
        before(`look for pulumi and ${host}`, function () {
          const missing = missingPrograms("pulumi", host);
          if (missing.length === 0) return;
          console.log(`        NOT RUN: ${missing.join(" and ")} not on the path`);
          this.skip();
        });

        it("is added to a project by README's commands", async () => {
          project = PulumiProject.make(person, language);
          if (language !== "nodejs") await project.shell(person.block("sh", /pulumi package add/));
          const readme = { nodejs: /new TideSql/, python: /tidesql\.TideSql/, yaml: /tidesql:TideSql/ }[language];
          project.writeProgram(person.block(fences[language], readme));
        });

        it("previews README's program in a simulated cloud", async function () {
          if (noSimulatedCloud !== undefined) {
            console.log(`        NOT RUN: ${noSimulatedCloud}`);
            this.skip();
          }
          const { types, warnings } = await project.preview();
          for (const type of ["tidesql:index:TideSql", "aws:eks/cluster:Cluster", "kubernetes:apps/v1:StatefulSet"])
            assert.ok(types.includes(type), `${type} is not in ${types.join(", ")}`);
          assert.ok(types.length > 100, String(types.length));
          assert.deepEqual(warnings, []);
        });

        it("is told in a line which argument is wrong", async function () {
          if (noSimulatedCloud !== undefined) this.skip();
          project.changeProgram("us-east-1", "moon-1");
          await assert.rejects(
            project.shell("pulumi preview"),
            /TideSql "orders" has invalid arguments:\s+region: "moon-1" is not an AWS region/,
          );
        });
      });
    }
  });

  describe("altogether", () => {
    it("leaves no code of README untried", () => {
      person.block("sh", /pulumi package add/);
      assert.deepEqual(person.untriedBlocks(), []);
    });
  });
});

/** Lines without indentation, ends that depend on the terminal's width, and times. */
function comparable(report: string): string[] {
  return report
    .split("\n")
    .map(line => line.trim().replace(/ in [0-9.]+ m?s,/, " in some time,"))
    .filter(line => line !== "");
}

function typesOf(plan: string): string[] {
  return (JSON.parse(plan) as { resources: { type: string }[] }).resources.map(({ type }) => type);
}

function missingPrograms(...names: string[]): string[] {
  return names.filter(name => spawnSync("which", [name]).status !== 0);
}
