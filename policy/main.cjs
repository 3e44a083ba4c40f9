// What Pulumi loads from this folder. In the npm package the pack is compiled. In a clone it is not: the project's own loader starts it in a second, where Pulumi's
// compiler, which checks every type first, would take more than ten.
const { existsSync } = require("node:fs");
const { join } = require("node:path");

if (existsSync(join(__dirname, "index.js"))) {
  require("./index.js");
} else {
  require("../cli/typescript.mjs");
  require("./index.ts");
}
