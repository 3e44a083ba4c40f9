import { planProgram } from "../../cli/planner/planProgram";
import { Database } from "../../components/database";

/** Plans a program with as many databases as the command line says, and prints how many resources that are. */
async function main(): Promise<void> {
  const count = Number(process.argv[2]);
  const plan = await planProgram(
    () => {
      for (let index = 0; index < count; index++) {
        const name = `orders-${index}`;
        new Database(name, {
          image: `registry.example.com/tidesql@sha256:${"0".repeat(64)}`,
          objectStore: {
            endpoint: "s3.us-east-1.amazonaws.com",
            bucket: "orders",
            region: "us-east-1",
            prefix: `${name}/`,
            accessKeyId: "AKIAIOSFODNN7EXAMPLE",
            secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
          },
        });
      }
    },
    { project: "benchmark", stack: "many" },
  );
  process.stdout.write(String(plan.resources.length));
}

void main();
