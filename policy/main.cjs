// What Pulumi loads from this folder. The npm package holds the pack as one file; in a clone that file is made when the sources are newer.
const { existsSync } = require("node:fs");
const { join } = require("node:path");

const ofThePackage = join(__dirname, "bundle.js");
require(existsSync(ofThePackage) ? ofThePackage : require("./bundle.cjs").currentBundle());
