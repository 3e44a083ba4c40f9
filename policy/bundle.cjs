// Makes the pack one file, which Node loads in a tenth of the time that its hundred modules take. `node policy/bundle.cjs` makes it for the npm package.
const { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } = require("node:fs");
const { dirname, join } = require("node:path");

const root = join(__dirname, "..");
const bundle = join(root, "bin/policy/bundle.js");
/** The sources that the bundle was made of, relative to the project's folder. */
const list = join(root, "bin/policy/bundle.json");

/** Makes the bundle. Another preview may be starting from the same folder: it finds the old file or the new one, never half of one. */
function make() {
  const { outputFiles, metafile } = require("esbuild").buildSync({
    absWorkingDir: root,
    entryPoints: ["policy/index.ts"],
    bundle: true,
    packages: "external",
    platform: "node",
    target: "node22",
    write: false,
    metafile: true,
  });
  mkdirSync(dirname(bundle), { recursive: true });
  replace(list, JSON.stringify(Object.keys(metafile.inputs)));
  replace(bundle, outputFiles[0].text);
}

function replace(file, text) {
  const made = `${file}.${process.pid}`;
  writeFileSync(made, text);
  renameSync(made, file);
}

function isCurrent() {
  if (!existsSync(bundle) || !existsSync(list)) return false;
  const made = statSync(bundle).mtimeMs;
  const sources = JSON.parse(readFileSync(list, "utf8")).map(source => join(root, source));
  return sources.every(source => existsSync(source) && statSync(source).mtimeMs < made);
}

/** The bundle's file, made again when one of its sources is newer. */
exports.currentBundle = () => {
  if (!isCurrent()) make();
  return bundle;
};

if (require.main === module) make();
