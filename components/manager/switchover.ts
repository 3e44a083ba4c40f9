import { anySuccessor } from "../core/podLayout";
import type { EngineAction } from "./decide";
import { detourSteps, handoverSteps, HandoverStep, hurriedSteps, salvageSteps } from "./steps";
import { HandoverProgress, Monotonic, View } from "./view";

/** A bucket that does not answer for so long may be gone for this node alone. Milliseconds. */
export const detourAfterMilliseconds = 3000;
/** And a follower must have reached it for so long meanwhile: longer than this node takes to look again. Milliseconds. */
export const detourLastsMilliseconds = 1500;

/** A person has asked for another primary. It is begun only when one could take over. */
export function beginSwitchover(view: View): EngineAction | undefined {
  const { switchover, peers, peersAskedAt } = view;
  if (!switchover || peersAskedAt < switchover.since) return undefined;
  const followers = peers.filter(peer => peer.following === "following").map(peer => peer.pod);
  if (switchover.to === view.pod) return { kind: "refuseSwitchover", why: `${view.pod} is already the primary` };
  if (followers.length === 0)
    return { kind: "refuseSwitchover", why: "no replica is following, so none could take over" };
  if (switchover.to !== anySuccessor && !followers.includes(switchover.to))
    return { kind: "refuseSwitchover", why: `${switchover.to} is not following; these are: ${followers.join(", ")}` };
  const step = handoverSteps[0];
  return { kind: "handoverStep", step };
}

/** The bucket is gone for this primary alone: a follower that reaches it takes over, and takes there what only this volume holds (rule 7). */
export function beginDetour({ bucket, detour }: View, now: Monotonic): EngineAction | undefined {
  return bucket && detourWhenProven(detour, bucket.failingSince, now);
}

/** The same for a holder whose engine has died: it cannot open its volume again without the bucket. */
export function beginDetourWithoutEngine({ detour, ownerReadAt }: View, now: Monotonic): EngineAction | undefined {
  return detourWhenProven(detour, ownerReadAt, now);
}

function detourWhenProven(
  detour: View["detour"],
  failingSince: Monotonic | undefined,
  now: Monotonic,
): EngineAction | undefined {
  if (detour === undefined || failingSince === undefined) return undefined;
  if (now - failingSince < detourAfterMilliseconds) return undefined;
  // A bucket that is just coming back for all is seen by one node before the other; and one that has come back for a moment may be gone again.
  if (detour.until - detour.since < detourLastsMilliseconds) return undefined;
  return { kind: "handoverStep", step: detourSteps[0], detour: detour.pod };
}

/** The steps of the handover that is under way. */
export function stepsOf({ detour, hurries, salvages }: HandoverProgress): readonly HandoverStep[] {
  if (salvages) return salvageSteps;
  if (hurries) return hurriedSteps;
  return detour === undefined ? handoverSteps : detourSteps;
}

/** Whether leaving in order takes too long by now, and can be cut short: this pod is about to be killed. Once its engine has ended, all that is left is quick. */
export function mustHurry({ handover, hurries }: View): boolean {
  if (!hurries) return false;
  if (!handover) return true;
  return stepsOf(handover) === handoverSteps && handover.completed <= handoverSteps.indexOf("killEngine");
}

/** Whether a primary serves its clients still: the first step of leaving in order is made while writes go on. */
export function stillServes(handover: HandoverProgress | undefined): boolean {
  if (handover === undefined) return true;
  return stepsOf(handover) === handoverSteps && handover.completed === 0 && !handover.failed;
}

/** The next step of a switchover, or its end. */
export function continueSwitchover(holds: boolean, handover: HandoverProgress): EngineAction | undefined {
  if (handover.failed !== undefined) return { kind: "endHandover", why: handover.failed };
  const step = stepsOf(handover)[handover.completed];
  if (step === undefined) return { kind: "endHandover", why: "" };
  return holds ? { kind: "handoverStep", step } : { kind: "endHandover", why: "the lease was lost" };
}
