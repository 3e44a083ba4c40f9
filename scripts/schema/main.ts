import { writeFileSync } from "node:fs";
import path from "node:path";
import { makeSchema } from "./makeSchema";

/** Brings schema.json in step with the components' declarations. */
writeFileSync(path.join(__dirname, "../../schema.json"), `${JSON.stringify(makeSchema(), undefined, 2)}\n`);
