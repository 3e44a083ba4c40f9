import { decide, Decision } from "../../components/manager/decide";
import type { Ports } from "../../components/manager/ports";
import { HandoverStep, PromotionStep } from "../../components/manager/steps";
import { Monotonic, View } from "../../components/manager/view";
import type { SimulatedNode } from "./node";
import type { World } from "./world";

type Decide = typeof decide;

/** A rule that is switched off, in what a manager decides or in what it sees and does. */
export interface Mutation {
  /** As in docs/failover.md, with a letter where a rule has several parts. */
  rule: string;
  without: string;
  /** Made anew for each manager. */
  decide?: () => Decide;
  ports?: (ports: Ports, node: SimulatedNode, world: World) => Ports;
}

const seeing = (change: (view: View, now: Monotonic) => Partial<View>) => (): Decide => (view, now) =>
  decide({ ...view, ...change(view, now) }, now);

const deciding = (change: (decision: Decision) => Decision) => (): Decide => (view, now) => change(decide(view, now));

/** A step that has no effect at its place is made instead of another: the order is kept, and counted, by its number. */
const insteadOfPromotionStep = (...changes: [skipped: PromotionStep, harmless: PromotionStep][]) =>
  deciding(decision => {
    const { engine } = decision;
    if (engine?.kind !== "promotionStep") return decision;
    const harmless = changes.find(([skipped]) => skipped === engine.step)?.[1];
    return harmless ? { ...decision, engine: { ...engine, step: harmless } } : decision;
  });

const insteadOfHandoverStep = (...changes: [skipped: HandoverStep, harmless: HandoverStep][]) =>
  deciding(decision => {
    const { engine } = decision;
    if (engine?.kind !== "handoverStep") return decision;
    const harmless = changes.find(([skipped]) => skipped === engine.step)?.[1];
    return harmless ? { ...decision, engine: { ...engine, step: harmless } } : decision;
  });

/** A candidate that takes over after this, instead of a lease's duration and a margin. Seconds. */
const impatience = 1.5;

/** Every rule of docs/failover.md, switched off one at a time: the simulation must notice each. */
export const mutations: readonly Mutation[] = [
  {
    rule: "1a",
    without: "the last primary's volume is kept",
    decide: seeing(view => ({ volume: { volumeId: view.volume.volumeId } })),
  },
  {
    rule: "1b",
    without: "every other volume is wiped",
    ports: (ports, node, world) => ({
      ...ports,
      volume: {
        ...ports.volume,
        wipe: () => Promise.resolve((node.record = { volumeId: `volume-${world.nextSerial()}` })),
      },
    }),
  },
  {
    rule: "2a",
    without: "a primary ends itself before its lease does, and the watchdog with it",
    decide: seeing((view, now) => ({ hold: view.hold && { ...view.hold, deadline: now + 10_000 } })),
    ports: ports => ({ ...ports, watchdog: { setDeadline: () => undefined, guard: () => undefined } }),
  },
  {
    rule: "2b",
    without: "the watchdog does not need the manager's loop",
    ports: ports => ({ ...ports, watchdog: { setDeadline: () => undefined, guard: () => undefined } }),
  },
  {
    rule: "2c",
    without: "a primary whose volume hangs lets its lease run out",
    decide: deciding(decision =>
      decision.lease?.kind === "letRunOut" ? { ...decision, lease: { kind: "renew" } } : decision,
    ),
  },
  {
    rule: "3a",
    without: "a candidate waits until the lease has run out",
    decide: seeing((view, now) => {
      const isOld = view.lease !== undefined && now - view.lease.unchangedSince > impatience * 1000;
      return {
        configuration: { ...view.configuration, leaseDurationSeconds: impatience, leaseMarginSeconds: 0 },
        ...(isOld && { leaseFreeSince: now - 10_000, peersAskedAt: now }),
      };
    }),
  },
  {
    rule: "3b",
    without: "only who has followed is a candidate",
    decide: seeing(view => ({
      following: view.engine.state === "running" && view.engine.role === "replica" ? "following" : view.following,
    })),
  },
  {
    rule: "3c",
    without: "a last primary's volume that is about to come back is waited for",
    decide: seeing(() => ({ holderReturns: false })),
  },
  { rule: "4a", without: "settle", decide: insteadOfPromotionStep(["settle", "stripOtherLabels"]) },
  { rule: "4b", without: "raiseOwner", decide: insteadOfPromotionStep(["raiseOwner", "stripOtherLabels"]) },
  {
    rule: "4c",
    without: "flush before the first write",
    decide: insteadOfPromotionStep(["flush", "noteEngineEpoch"]),
  },
  {
    rule: "5",
    without: "who leaves brings everything to the bucket, and waits until it is there",
    decide: insteadOfHandoverStep(
      ["flush", "endSessions"],
      ["waitUntilUploaded", "endSessions"],
      ["compareAgain", "markClean"],
    ),
  },
  {
    rule: "6a",
    without: "peers confirm a primary that the API server does not answer",
    ports: ports => ({ ...ports, peers: { ...ports.peers, confirm: () => Promise.resolve(false) } }),
  },
  {
    rule: "6b",
    without: "who has confirmed another does not take over",
    decide: seeing(() => ({ promisedUntil: -Infinity })),
  },
  {
    rule: "7",
    without: "no writes are taken that could not be kept",
    decide: deciding(decision => ({ ...decision, writes: undefined })),
  },
  {
    rule: "8",
    without: "an engine that hangs is killed",
    decide: seeing(() => ({ canary: undefined })),
  },
  {
    rule: "9",
    without: "labels follow from what is seen, and not from what has changed",
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
  {
    rule: "10",
    without: "the bucket says what its last epoch was",
    ports: ports => ({
      ...ports,
      store: new Proxy(ports.store, {
        get(target, name) {
          if (name !== "readOwner") return Reflect.get(target, name) as unknown;
          return async (timeout: number) => {
            const found = await target.readOwner(timeout);
            return found && { ...found, record: { ...found.record, epoch: 0, volumeId: "", clean: false } };
          };
        },
      }),
    }),
  },
];
