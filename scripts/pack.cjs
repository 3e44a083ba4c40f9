// Packs what is published: the files that package.json names, and a package.json without what only development needs. Pulumi installs a plugin's package where it lies, and npm would install devDependencies too.
// Use: npm run package [-- FOLDER]
"use strict";
const { execFileSync } = require("node:child_process");
const { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } = require("node:fs");
const { tmpdir } = require("node:os");
const path = require("node:path");

const root = path.join(__dirname, "..");
const destination = path.resolve(process.argv[2] ?? ".");
/** Runs where an installed package is installed again; the others need the sources. */
const keptScripts = ["prepare"];

function npm(args, cwd) {
  return execFileSync("npm", args, { cwd, encoding: "utf8", maxBuffer: 2 ** 28, stdio: ["ignore", "pipe", "inherit"] });
}

const [{ files }] = JSON.parse(npm(["pack", "--dry-run", "--json", "--ignore-scripts"], root));
const stage = mkdtempSync(path.join(tmpdir(), "tidesql-pack-"));
try {
  for (const { path: file } of files) cpSync(path.join(root, file), path.join(stage, file));
  const { devDependencies, scripts, ...manifest } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
  manifest.scripts = Object.fromEntries(Object.entries(scripts).filter(([name]) => keptScripts.includes(name)));
  writeFileSync(path.join(stage, "package.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
  const packed = npm(["pack", "--json", "--ignore-scripts", "--pack-destination", destination], stage);
  const [{ filename, size }] = JSON.parse(packed);
  console.log(`${path.join(destination, filename)}: ${files.length} files, ${(size / 1e6).toFixed(1)} MB`);
} finally {
  rmSync(stage, { recursive: true, force: true });
}
