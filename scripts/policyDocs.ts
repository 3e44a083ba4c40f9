import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checks } from "../policy/checks";
import { policyReference, tableMarkers } from "../policy/format/markdown";
import { Preset, presetConfiguration } from "../policy/preset";

/** Brings docs/policies.md and policy/presets in step with the policies. */
const root = join(__dirname, "..");
const page = join(root, "docs/policies.md");
const [before, rest = ""] = readFileSync(page, "utf8").split(tableMarkers.start);
const after = rest.split(tableMarkers.end)[1] ?? "\n";
writeFileSync(page, `${before}${tableMarkers.start}\n\n${policyReference(checks)}\n${tableMarkers.end}${after}`);

for (const preset of Object.values(Preset)) {
  const configuration = JSON.stringify(presetConfiguration(preset, checks), undefined, 2);
  writeFileSync(join(root, `policy/presets/${preset}.json`), `${configuration}\n`);
}
