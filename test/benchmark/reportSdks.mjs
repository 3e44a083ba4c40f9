// Loaded before a plan: prints, as the last line, which of Pulumi's SDKs the program loaded.
import { createRequire } from "node:module";
import process from "node:process";

const { cache } = createRequire(import.meta.url);

process.on("exit", () => {
  const names = Object.keys(cache).flatMap(path => /node_modules\/(@pulumi\/[^/]+)\//.exec(path)?.[1] ?? []);
  process.stdout.write(`\n${[...new Set(names)].join(" ")}`);
});
