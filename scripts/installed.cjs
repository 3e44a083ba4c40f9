// Runs before `npm start` and `npm test`: installs the locked dependencies where they are missing or older than the lockfile. Plain JavaScript: nothing is there yet.
const { existsSync, readFileSync } = require("node:fs");
const { spawnSync } = require("node:child_process");
const path = require("node:path");

const root = path.join(__dirname, "..");

/** npm writes what it installed into a lockfile of its own; the two differ when a dependency was added or raised since. */
function isInstalled() {
  const installed = path.join(root, "node_modules", ".package-lock.json");
  if (!existsSync(installed)) return false;
  const locked = JSON.parse(readFileSync(path.join(root, "package-lock.json"), "utf8")).packages;
  const present = JSON.parse(readFileSync(installed, "utf8")).packages;
  return Object.entries(locked).every(
    ([name, { version, optional }]) => name === "" || optional || present[name]?.version === version,
  );
}

if (!isInstalled()) {
  console.error("installing the locked dependencies (once)");
  const { status } = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], {
    cwd: root,
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
  process.exit(status ?? 1);
}
