import { PromotionFailed } from "./errors";
import { PreconditionFailed } from "./ports";
import type { EngineState } from "./state";

/** The engine's own lease: whoever wrote it last is the primary as far as manifests go. It has no time limit. */
export const leaseKey = "_tdb_primary_lease";

/**
 * Whether the store refuses a second creation of one key. When it cannot be reached the answer is no, and the node goes on without any fencing for as long as it
 * lives: the worst of answers to an outage, and the engine's.
 */
export async function proveConditionalWrites(state: EngineState): Promise<boolean> {
  const key = `_tdb_fence_probe_${Math.floor(state.random() * 1e9)}`;
  const body = Buffer.from("1");
  const create = async (): Promise<"made" | "refused" | "failed"> => {
    try {
      await state.store.put(key, body, { ifNoneMatch: true });
      return "made";
    } catch (error) {
      state.checkAlive();
      return error instanceof PreconditionFailed ? "refused" : "failed";
    }
  };
  const first = await create();
  const second = await create();
  await attempt(state, () => state.store.delete(key));
  const enforced = first === "made" && second === "refused";
  if (!enforced) {
    state.log(
      "warning",
      "object store does not enforce conditional writes: single-writer fencing disabled, no split-brain protection",
    );
  }
  return enforced;
}

/** Epoch of the lease in the bucket; 0 when there is none, and when the bucket does not answer. */
export async function leaseEpoch(state: EngineState): Promise<number> {
  const head = await attempt(state, () => state.store.head(leaseKey));
  return Number(head?.metadata.epoch ?? 0);
}

/** Takes the lease with the next epoch. @throws PromotionFailed when another node is faster, any other error when the bucket does not answer */
export async function acquireLease(state: EngineState): Promise<void> {
  const current = await state.store.head(leaseKey);
  const epoch = Number(current?.metadata.epoch ?? 0) + 1;
  await writeLease(state, epoch, current ? { ifMatch: current.etag } : { ifNoneMatch: true });
  state.log("info", `acquired the primary lease, epoch ${epoch}`);
}

/**
 * Publishes a column family's manifest. The lease is renewed first, by a conditional write: this is where a primary learns that it was superseded, and the only
 * place. What fails for another reason is not tried again: the bucket has the old manifest until the next flush of the same column family.
 */
export async function publishManifest(state: EngineState, family: string, manifestFile: string): Promise<void> {
  if (state.replicaMode) return;
  if (!state.fencing) {
    state.uploader.enqueue({ file: manifestFile, generation: 0, epoch: 0, bytes: 0 });
    return;
  }
  await state.publishing.run(async () => {
    try {
      if (state.primaryEpoch === 0 || state.leaseEtag === "") await acquireLease(state);
      else await writeLease(state, state.primaryEpoch, { ifMatch: state.leaseEtag });
      const content = state.disk.read(manifestFile);
      if (!content) return;
      await state.store.put(manifestFile, content, { metadata: { epoch: String(state.primaryEpoch) } });
      state.uploader.total++;
    } catch (error) {
      state.checkAlive();
      if (error instanceof PromotionFailed) demoteSelf(state);
      else state.log("warning", `fenced manifest publish failed for ${family}`);
    }
  });
}

async function writeLease(
  state: EngineState,
  epoch: number,
  condition: { ifMatch: string } | { ifNoneMatch: true },
): Promise<void> {
  try {
    const body = Buffer.from(`epoch=${epoch}\n`);
    state.leaseEtag = await state.store.put(leaseKey, body, { ...condition, metadata: { epoch: String(epoch) } });
    state.primaryEpoch = epoch;
  } catch (error) {
    if (error instanceof PreconditionFailed) throw new PromotionFailed("another node took the lease");
    throw error;
  }
}

/** The thread that follows the bucket is not started again. */
function demoteSelf(state: EngineState): void {
  if (state.replicaMode) return;
  state.replicaMode = true;
  state.log("warning", `primary lease lost at epoch ${state.primaryEpoch}: self-demoting to replica`);
}

/** The answer, or undefined when there was none: the engine takes "no answer" for "not there" in many places. */
export async function attempt<T>(state: EngineState, call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch {
    state.checkAlive();
    return undefined;
  }
}
