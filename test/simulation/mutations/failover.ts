import { decide, Decision } from "../../../components/manager/decide/decide";
import { View } from "../../../components/manager/decide/view";
import { Monotonic } from "../../../components/manager/base/ports";
import { Handover } from "../../../components/manager/transitions/handover";
import { Steps } from "../../../components/manager/transitions/steps";
import { replace } from "../../manager/store/switchedOff";
import { anyOf, lostWrite, Mutation, standstill, unordered, wrongRow } from "./mutation";

type Decide = typeof decide;

const seeing = (change: (view: View, now: Monotonic) => Partial<View>) => (): Decide => (view, now) =>
  decide({ ...view, ...change(view, now) }, now);

const deciding = (change: (decision: Decision) => Decision) => (): Decide => (view, now) => change(decide(view, now));

/** A candidate that takes over after this, instead of a lease's duration and a margin. Seconds. */
const impatience = 1.5;
const noWatchdog = { setDeadline: () => undefined, guard: () => undefined };
const ended = /was healthy, and has been ended/;
const twoWriters = /two nodes accept writes|acknowledges a write while/;

/** The rules of docs/failover.md. Not here is what saves time or a healthy primary where the log keeps all: the order of candidates (3) and their promises (6). What rule 7 keeps, the others have been told in drafts as well. Rule 4 is the store's `log 2`, `log 7` and `opening`; rule 10 has tests of its own. */
export const failoverMutations: readonly Mutation[] = [
  {
    rule: "failover 2a",
    without: "a primary ends itself before its lease does, and the watchdog ends it",
    families: ["partitions"],
    shows: anyOf(twoWriters, lostWrite),
    decide: seeing((view, now) => ({ hold: view.hold && { ...view.hold, deadline: now + 10_000 } })),
    watchdog: noWatchdog,
  },
  {
    rule: "failover 2b",
    without: "the watchdog ends a writer whose manager hangs",
    families: ["takeovers", "partitions"],
    shows: anyOf(twoWriters, lostWrite),
    watchdog: noWatchdog,
  },
  {
    rule: "failover 2c",
    without: "a primary whose volume hangs lets its lease run out",
    families: ["a volume that hangs"],
    shows: standstill,
    decide: deciding(decision =>
      decision.lease?.kind === "letRunOut" ? { ...decision, lease: { kind: "renew" } } : decision,
    ),
  },
  {
    rule: "failover 3a",
    without: "a candidate waits until the lease has run out",
    families: ["partitions", "a healthy primary"],
    shows: anyOf(twoWriters, ended),
    decide: seeing((view, now) => {
      const isOld = view.lease !== undefined && now - view.lease.unchangedSince > impatience * 1000;
      return {
        configuration: { ...view.configuration, leaseDurationSeconds: impatience, leaseMarginSeconds: 0 },
        ...(isOld && { leaseFreeSince: now - 10_000, peersAskedAt: now }),
      };
    }),
  },
  {
    rule: "failover 5",
    without: "who leaves brings everything into the log",
    families: ["orderly"],
    shows: anyOf(lostWrite, unordered),
    off() {
      const undo = [
        replace(Handover.prototype, "refuseWrites", () => () => Promise.resolve()),
        replace(
          Steps.prototype,
          "step",
          original =>
            function (this: Steps, step: string, work: () => Promise<unknown>) {
              const isLeft = step === "ship" || step === "leaveNothing";
              return original.call(this, step, isLeft ? () => Promise.resolve() : work) as unknown;
            },
        ),
      ];
      return () => undo.forEach(one => one());
    },
  },
  {
    rule: "failover 6a",
    without: "peers confirm a primary that the API server does not answer",
    families: ["a healthy primary"],
    shows: anyOf(ended, standstill),
    decide: deciding(decision => ({ ...decision, failsafe: undefined })),
  },
  {
    rule: "failover 8a",
    without: "an engine that hangs is killed",
    families: ["in place"],
    shows: standstill,
    decide: seeing(() => ({ canary: undefined })),
  },
  {
    rule: "failover 8b",
    without: "a follower's engine that hangs is killed",
    families: ["in place"],
    shows: anyOf(wrongRow, /has the tables/, standstill),
    decide: seeing(() => ({ follower: undefined })),
  },
  {
    rule: "failover 9",
    without: "labels follow from what is seen, and not from what has changed",
    families: ["operators"],
    shows: standstill,
    decide: () => {
      let wanted: string | undefined;
      return (view, now) => {
        const decision = decide(view, now);
        const { label } = decision;
        if (label?.kind !== "own") return decision;
        if (label.role === wanted && view.ownLabel !== undefined) return { ...decision, label: undefined };
        wanted = label.role;
        return decision;
      };
    },
  },
];
