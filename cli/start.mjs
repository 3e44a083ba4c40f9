// Starts the command line from its TypeScript sources: `npm start` needs no build.
import { createRequire } from "node:module";
import "./typescript.mjs";

createRequire(import.meta.url)("./main.ts");
