import { PromotionFailed } from "./errors";
import { acquireLease, leaseEpoch, proveConditionalWrites } from "./lease";
import { replayRemoteWals, syncManifests } from "./replication";
import type { EngineState } from "./state";

/**
 * Makes a replica the primary: takes the lease, stops following, reads the bucket a last time. Where the store does not prove that it enforces conditional writes,
 * for example because it does not answer at all, no lease is taken, nothing is read, and the promotion succeeds.
 * @throws PromotionFailed when the lease could not be taken: the node goes on as a replica
 */
export async function promote(state: EngineState): Promise<void> {
  if (!state.replicaMode) throw new PromotionFailed("this node is primary already");
  state.fencing = await proveConditionalWrites(state);
  const outgoingEpoch = await leaseEpoch(state);
  if (state.fencing) {
    try {
      await acquireLease(state);
    } catch (error) {
      state.checkAlive();
      throw error instanceof PromotionFailed ? error : new PromotionFailed("the lease could not be written");
    }
  }
  state.syncThreadRuns = false;
  await state.polling;
  const skips = state.random() < state.settings.skipLastWalProbability;
  await syncManifests(state, outgoingEpoch);
  await replayRemoteWals(
    state,
    outgoingEpoch,
    (name, etag) => skips && state.polledWalEtags.get(name) !== etag && state.polledWalEtags.size > 0,
  );
  state.replicaMode = false;
  state.log("info", "replica promoted to primary");
}
