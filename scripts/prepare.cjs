// Runs after `npm install` in this folder: bundles the manager and the plugin where their sources are, and does nothing in the package as npm packs it, which holds both.
const { existsSync } = require("node:fs");
const { spawnSync } = require("node:child_process");
const path = require("node:path");

const root = path.join(__dirname, "..");

if (existsSync(path.join(root, "plugin", "main.ts"))) {
  for (const script of ["build:manager", "build:plugin"]) {
    const { status } = spawnSync("npm", ["run", "--silent", script], {
      cwd: root,
      stdio: "inherit",
      shell: process.platform === "win32",
    });
    if (status !== 0) process.exit(status ?? 1);
  }
}
