import { anySuccessor } from "../core/podLayout";
import type { EngineAction } from "./decide";
import { handoverSteps } from "./steps";
import { HandoverProgress, View } from "./view";

/** A person has asked for another primary. It is begun only when one could take over. */
export function beginSwitchover(view: View): EngineAction | undefined {
  const { switchover, peers, peersAskedAt } = view;
  if (!switchover || peersAskedAt < switchover.since) return undefined;
  const followers = peers.filter(peer => peer.following === "following").map(peer => peer.pod);
  if (switchover.to === view.pod) return { kind: "refuseSwitchover", why: `${view.pod} is the primary already` };
  if (followers.length === 0) return { kind: "refuseSwitchover", why: "no replica follows, so none could take over" };
  if (switchover.to !== anySuccessor && !followers.includes(switchover.to))
    return { kind: "refuseSwitchover", why: `${switchover.to} does not follow; these do: ${followers.join(", ")}` };
  const step = handoverSteps[0];
  return { kind: "handoverStep", step };
}

/** The next step of a switchover, or its end. */
export function continueSwitchover(holds: boolean, handover: HandoverProgress): EngineAction | undefined {
  if (handover.failed !== undefined) return { kind: "endHandover", why: handover.failed };
  const step = handoverSteps[handover.completed];
  if (step === undefined) return { kind: "endHandover", why: "" };
  return holds ? { kind: "handoverStep", step } : { kind: "endHandover", why: "the lease was lost" };
}
