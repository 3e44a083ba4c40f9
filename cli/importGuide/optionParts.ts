import { validateEngineSettings } from "../../components/core/engineSettings";
import { printable } from "../../components/core/printable";
import { credentialByName } from "../../policy/model/credentials";
import { type EngineSettings, isOn } from "../../policy/model/engineSettings";
import type { Draft } from "./draft";
import { type HandMade, settingOf } from "./handMade";

/** Options with a line of their own elsewhere, or with the same value here. */
const explained =
  /^(plugin_load|tidesdb_(object_store_backend|s3_|objstore_(wal_sync|local_cache_max)|unified_memtable|replica_(mode|sync_interval)|block_cache_size|flush_threads|compaction_threads)|max_connections)/;

/** Server options that are for the user to choose, as they were; of the others, why they are left out. */
export function keepOptions(draft: Draft, { settings, replicas }: HandMade): void {
  const kept: Record<string, string> = {};
  for (const { name, value } of settings.seenWithPrefix("")) {
    if (explained.test(name) || isDefault(name, value)) continue;
    const [problem] = validateEngineSettings({ [name]: value });
    if (problem === undefined && credentialByName(name, value) === undefined) kept[name] = value;
    else draft.change(`${printable(name)} is left out: ${whyRefused(problem?.reason)}`);
  }
  if (Object.keys(kept).length > 0) draft.args.engineSettings = kept;
  explainCache(draft, settings);
  explainRoles(draft, settings, replicas.length > 0);
}

/** The validator speaks to somebody who writes the option now. */
function whyRefused(reason = "it is a credential"): string {
  return reason.replace(/^cannot be set here: /, "").replace(/: leave it out$/, "");
}

/** The component sets the same; to name it would only look like a choice. */
function isDefault(name: string, value: string): boolean {
  return name === "tidesdb_log_level" && value.toUpperCase() === "WARN";
}

function explainCache(draft: Draft, settings: EngineSettings): void {
  const cache = settingOf(settings, "tidesdb_objstore_local_cache_max");
  if (cache === undefined || cache === "0") return;
  draft.change(
    `tidesdb_objstore_local_cache_max=${cache} is left out: a node that evicts files and restarts on its disk loses sight of data`,
  );
}

function explainRoles(draft: Draft, settings: EngineSettings, hasReplicas: boolean): void {
  const mode = settingOf(settings, "tidesdb_replica_mode");
  if (mode === undefined || !isOn(mode)) {
    draft.change(
      "every node starts as a replica and is promoted: a primary that comes back by itself after a failover would be a second writer",
    );
  }
  if (hasReplicas) {
    draft.change(
      "replicas look for new data every 100 ms, and refuse writes: before, a write to one of them failed with an error that clients retry",
    );
  }
}
