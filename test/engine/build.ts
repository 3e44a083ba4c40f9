import * as path from "node:path";
import { build } from "esbuild";

/**
 * Bundles the simulated engine into one CommonJS file that needs nothing but Node 22: `node engine.js mariadbd ...` and `node engine.js mariadb-install-db ...`.
 * @returns the file's path
 */
export async function buildEngine(outputFile: string): Promise<string> {
  await build({
    entryPoints: [path.join(__dirname, "server", "main.ts")],
    outfile: outputFile,
    bundle: true,
    platform: "node",
    target: "node22",
    minify: true,
    legalComments: "none",
    logLevel: "warning",
  });
  return outputFile;
}

if (require.main === module) {
  const outputFile = path.resolve(process.argv[2] ?? path.join("bin", "engine", "engine.js"));
  void buildEngine(outputFile).then(file => process.stdout.write(`${file}\n`));
}
